// Short answers in the corner: each stays until it is dismissed or has been there for a while.
import { h } from './dom.js';

const STAYS_MS = 12_000;
const place = document.getElementById('toasts');

export function toast(kind, text) {
  const box = h('div', { class: `toast ${kind}` }, h('p', {}, text), h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Dismiss' }, '×'));
  box.lastChild.addEventListener('click', () => box.remove());
  place.append(box);
  setTimeout(() => !box.matches(':hover, :focus-within') && box.remove(), STAYS_MS);
  while (place.children.length > 4) place.firstChild.remove();
}
