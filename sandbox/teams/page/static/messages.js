// The scrolling middle: keeps its end in view, and says what arrived.
import { h, say } from './dom.js';
import { offerLink } from './links.js';
import { drawEmpty, drawMessages } from './thread.js';
import { toast } from './toasts.js';

const NEAR_END = 48;
const target = document.getElementById('messages');
const newest = document.getElementById('newest');
const announcer = document.getElementById('announcer');
const told = new Map();
let last = null;

const isAtEnd = () => target.scrollHeight - target.scrollTop - target.clientHeight < NEAR_END;

export function toEnd() {
  target.scrollTop = target.scrollHeight;
}

export function beginMessages() {
  last = null;
  target.replaceChildren(h('p', { class: 'soft loading' }, 'Opening…'));
}

/** Draw messages, or the lesson where there are none; what came since the last time is announced. */
export function showMessages(messages, context, lesson) {
  const stay = last !== null && !isAtEnd();
  if (messages.length) {
    target.querySelector('.empty, .loading')?.remove();
    drawMessages(target, messages, context);
  } else drawEmpty(target, lesson());
  if (!stay) toEnd();
  newest.hidden = isAtEnd();
  messages.forEach((message) => announceAnswers(message, context.person));
  if (last !== null && (messages.at(-1)?.id ?? '') > last) announce(messages.at(-1));
  last = messages.at(-1)?.id ?? '';
}

function announceAnswers({ id, toasts }, person) {
  const key = `${person.id} ${id}`;
  const known = told.get(key) ?? (last === null ? toasts.length : 0);
  toasts.slice(known).filter(({ kind }) => kind === 'message').forEach(({ text }) => toast('message', text));
  told.set(key, toasts.length);
}

function announce({ from, summary, text }) {
  say(announcer, `New message from ${from.name}: ${summary || text}`);
}

newest.addEventListener('click', toEnd);
target.addEventListener('scroll', () => (newest.hidden = isAtEnd()), { passive: true });
target.addEventListener('click', (event) => {
  const anchor = event.target.closest('.text a[href]');
  if (!anchor) return;
  event.preventDefault();
  offerLink(anchor.href);
});
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  target.focus();
});
