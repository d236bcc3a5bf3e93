// One card drawn by Microsoft's renderer under a host config like that of Teams, and everything the renderer had to say about it.
import { markdown } from './markdown.js';

const AC = window.AdaptiveCards;
const VERSIONS_OF_TEAMS = /^1\.[0-5]$/;
let entitiesOfCard = [];

AC.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = markdown(text, entitiesOfCard);
  result.didProcess = true;
};

const configs = Object.fromEntries(
  await Promise.all(
    Object.entries({ light: 'host_config.json', dark: 'host_config_dark.json' }).map(async ([theme, file]) => [
      theme,
      new AC.HostConfig(await (await fetch(`/page/${file}`)).json()),
    ]),
  ),
);

/**
 * The element of a card, its inputs, and the events of parsing, validating and rendering it.
 * `onAction` gets each press that no required input held back, as {type, title, verb, data, inputs, url}.
 */
export function drawCard(json, { theme, onAction, onLink = () => {}, onInput = () => {} }) {
  const card = new AC.AdaptiveCard();
  card.hostConfig = configs[theme];
  card.onExecuteAction = (action) => onAction(pressed(action, card));
  card.onAnchorClicked = (_element, anchor) => {
    onLink(anchor.href);
    return true;
  };
  card.onInputValueChanged = onInput;
  entitiesOfCard = json.msteams?.entities ?? [];
  const context = new AC.SerializationContext();
  card.parse(json, context);
  const found = card.validateProperties().validationEvents;
  const element = card.render();
  const parsed = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index));
  const events = [...parsed.map(told('parse')), ...found.map(told('validate'))];
  if (!VERSIONS_OF_TEAMS.test(json.version)) events.push({ phase: 'teams', event: 'Version', message: `Teams shows cards up to 1.5; this one says ${json.version ?? 'nothing'}.` });
  if (!element) events.push({ phase: 'render', event: 'Nothing', message: 'The card rendered to nothing.' });
  element?.querySelectorAll('a').forEach((anchor) => anchor.setAttribute('rel', 'noopener noreferrer'));
  return { card, element, events };
}

/** The inputs that kept the last press from acting. */
export function refusals(card) {
  return card.getAllInputs().filter((input) => input.renderedInputControlElement?.classList.contains('ac-input-validation-failed'));
}

function told(phase) {
  return ({ event, message }) => ({ phase, event: AC.ValidationEvent[event], message });
}

function pressed(action, card) {
  const told = { type: action.getJsonTypeName(), title: action.title };
  if (action instanceof AC.OpenUrlAction) return { ...told, url: action.url };
  const original = action.toJSON()?.data ?? {};
  const merged = action.data ?? {};
  const typed = card.getAllInputs().filter((input) => input.id in merged && !(input.id in original));
  const inputs = Object.fromEntries(typed.map((input) => [input.id, merged[input.id]]));
  return { ...told, verb: action.verb, data: original, inputs };
}
