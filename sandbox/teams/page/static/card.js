// The place of one card in a message: drawn again only when the card differs, with what was typed into it carried over.
import { Trouble, post, troubleWith } from './api.js';
import { h, say } from './dom.js';
import { offerLink } from './links.js';
import { drawCard, refusals } from './render.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** An element whose `show(message, context)` keeps it up to date; `context` is {person, endpoint, onAnswer}. */
export function cardPlace() {
  const box = h('div', { class: 'card-box' });
  const note = h('p', { class: 'card-note', role: 'status' });
  const place = h('div', { class: 'card-place' }, box, note);
  const own = { drawn: '', card: null, busy: false, pressed: null, message: null, context: null };
  dark.addEventListener('change', () => place.isConnected && own.message && draw());
  box.addEventListener('click', () => setTimeout(() => own.card && markRefusals(own.card)), { capture: true });

  place.show = (message, context) => {
    own.message = message;
    own.context = context;
    const wanted = `${context.person.id} ${JSON.stringify([message.card, message.entities])}`;
    if (wanted !== own.drawn) {
      if (own.drawn) tell('');
      own.drawn = wanted;
      draw();
    }
  };
  place.refresh = () => press({ verb: 'refresh', ...refreshAction(own.message.card), inputs: {} });

  function draw() {
    const typed = typedIn(own.card);
    const focused = box.contains(document.activeElement) ? nameOf(document.activeElement, own.card) : null;
    const { card, element, events } = drawCard(withEntities(own.message), { theme: dark.matches ? 'dark' : 'light', onAction: press, onLink: offerLink });
    own.card = card;
    box.classList.toggle('full', own.message.card.msteams?.width === 'Full');
    box.replaceChildren(element ?? h('p', { class: 'undrawn' }, `Teams cannot show this card. ${events.map((event) => event.message).join(' ')}`));
    restore(card, typed);
    if (focused) focusOn(card, box, focused);
    disable(own.busy);
  }

  async function press(action) {
    if (action.type === 'Action.OpenUrl') return offerLink(action.url);
    if (own.busy) return undefined;
    if (action.type === 'Action.Submit') return tell('This button is an Action.Submit, which Tether does not listen to.', true);
    const { message, context } = own;
    const click = { conversation: message.conversation, activity_id: message.id, person: context.person.id, verb: action.verb, data: action.data, inputs: action.inputs };
    own.pressed = box.contains(document.activeElement) ? nameOf(document.activeElement, own.card) : null;
    disable(true);
    tell('Sending…');
    try {
      const answer = await post('/sandbox/click', click);
      const trouble = troubleWith(answer, context.endpoint);
      tell(trouble ?? '', Boolean(trouble));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      tell(error.message, true);
    }
    await context.onAnswer();
    disable(false);
    if (own.pressed && document.activeElement === document.body) focusOn(own.card, box, own.pressed);
    return undefined;
  }

  function tell(sentence, isTrouble = false) {
    say(note, sentence);
    note.classList.toggle('trouble', isTrouble);
  }

  function disable(busy) {
    own.busy = busy;
    box.setAttribute('aria-busy', String(busy));
    for (const button of box.querySelectorAll('.ac-pushButton, .ac-pushButton-disabled')) {
      if (button.getAttribute('role') !== 'link') button.disabled = busy;
    }
  }

  return place;
}

export function refreshAction(card) {
  const action = card?.refresh?.action;
  return action ? { verb: action.verb, data: action.data ?? {} } : null;
}

function withEntities({ card, entities }) {
  return { ...card, msteams: { ...card.msteams, entities: [...(card.msteams?.entities ?? []), ...(entities ?? [])] } };
}

function markRefusals(card) {
  const refused = new Set(refusals(card));
  for (const input of card.getAllInputs()) input.renderedInputControlElement?.setAttribute('aria-invalid', String(refused.has(input)));
  [...refused][0]?.renderedInputControlElement?.focus();
}

function typedIn(card) {
  return new Map((card?.getAllInputs() ?? []).filter((input) => input.isDirty()).map((input) => [input.id, input.renderedInputControlElement?.value ?? '']));
}

function restore(card, typed) {
  for (const input of card.getAllInputs()) {
    const control = input.renderedInputControlElement;
    if (typed.get(input.id) && control && 'value' in control) control.value = typed.get(input.id);
  }
}

function nameOf(element, card) {
  const input = card?.getAllInputs().find((one) => one.renderedInputControlElement === element);
  if (input) return { input: input.id, at: element.selectionStart };
  return { title: element.textContent };
}

function focusOn(card, box, { input, at, title }) {
  const control = card.getAllInputs().find((one) => input && one.id === input)?.renderedInputControlElement;
  const button = [...box.querySelectorAll('button')].find((one) => title && one.textContent === title);
  const target = control ?? button ?? box.closest('article');
  target?.focus({ preventScroll: true });
  if (control && Number.isInteger(at)) control.setSelectionRange?.(at, at);
}
