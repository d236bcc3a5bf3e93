// The middle: posts with their replies, oldest first, each as the chosen person sees it.
import { cardPlace, refreshAction } from './card.js';
import { clock, h, initials, list, say, set } from './dom.js';
import { markdown } from './markdown.js';

/** Draw what a person sees of a conversation. */
export function drawMessages(target, messages, context) {
  const roots = messages.filter((message) => !message.reply_to || !messages.some((one) => one.id === message.reply_to));
  const rows = roots.map((root) => ({ root, replies: messages.filter((message) => message.reply_to === root.id && message !== root) }));
  if (!target.querySelector('ol.posts')) target.replaceChildren(h('ol', { class: 'posts' }));
  list(target.querySelector('ol.posts'), rows, {
    key: ({ root }) => root.id,
    make: makePost,
    update: (item, row) => updatePost(item, row, context),
  });
}

/** Draw an empty conversation: what will come here, and how to make it come. */
export function drawEmpty(target, { title, sentences }) {
  if (target.querySelector('.empty h3')?.textContent === title) return;
  target.replaceChildren(h('div', { class: 'empty' }, h('h3', {}, title), sentences));
}

function makePost() {
  return h('li', { class: 'post' }, makeMessage(), h('ol', { class: 'replies', 'aria-label': 'Replies' }));
}

function updatePost(item, { root, replies }, context) {
  updateMessage(item.firstChild, root, context);
  item.lastChild.hidden = !replies.length;
  list(item.lastChild, replies, {
    key: (reply) => reply.id,
    make: () => h('li', {}, makeMessage()),
    update: (child, reply) => updateMessage(child.firstChild, reply, context),
  });
}

function makeMessage() {
  const refresh = h('button', { type: 'button', class: 'quiet refresh', hidden: true }, 'Refresh card');
  const card = cardPlace();
  refresh.addEventListener('click', () => card.refresh());
  const article = h(
    'article',
    { class: 'message', tabindex: '-1' },
    h('span', { class: 'portrait', 'aria-hidden': 'true' }),
    h('div', { class: 'said' }, h('p', { class: 'byline' }, h('strong', {}), h('time', {}), h('span', { class: 'mark edited', hidden: true }, 'Edited'), h('span', { class: 'mark own', hidden: true, title: 'Other people see another version of this card' }, 'Only you see this version'), refresh), h('div', { class: 'text' }), card, h('ul', { class: 'answers', 'aria-label': 'Answers to you' })),
  );
  return Object.assign(article, { card });
}

function updateMessage(article, message, context) {
  const find = (selector) => article.querySelector(`:scope > ${selector}`);
  const { name } = message.from;
  set(article, { 'aria-label': `${name}, ${clock(message.at)}`, 'data-id': message.id, 'data-mine': message.from.id === context.person.mri });
  say(find('.portrait'), initials(name));
  find('.portrait').classList.toggle('bot', message.from.id === context.bot.id);
  say(find('.said > .byline > strong'), name);
  say(find('.said > .byline > time'), clock(message.at));
  set(find('.said > .byline > time'), { datetime: message.at });
  find('.said > .byline > .edited').hidden = !message.edited;
  find('.said > .byline > .own').hidden = !message.own_view;
  find('.said > .byline > .refresh').hidden = !refreshAction(message.card);
  showText(find('.said > .text'), message);
  article.card.hidden = !message.card;
  if (message.card) article.card.show(message, context);
  list(find('.said > .answers'), message.toasts.map((told, index) => ({ ...told, index })).filter((told) => told.kind === 'message').slice(-3), {
    key: (told) => `${told.index} ${told.at}`,
    make: (told) => h('li', {}, h('span', {}, 'Only to you: '), told.text, ' ', h('time', { datetime: told.at }, clock(told.at))),
    update: () => {},
  });
}

function showText(target, { text, entities, card, summary }) {
  const wanted = text || (card ? '' : summary);
  target.hidden = !wanted;
  if (target.dataset.shown === wanted) return;
  target.dataset.shown = wanted;
  target.innerHTML = markdown(wanted, entities);
}
