// Small pieces that several columns show.
import { h } from './dom.js';

export const badge = (word, kind) => h('span', { class: `badge ${kind}` }, word);

export function switchButton(path, word, label, on) {
  return h('button', { type: 'button', class: 'switch', role: 'switch', 'aria-checked': String(on), 'aria-label': label, title: label, 'data-key': path, 'data-post': path, 'data-body': JSON.stringify({ on: !on }) }, h('i', { 'aria-hidden': 'true' }), word);
}

export function initials(name) {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return words.length ? (words[0][0] + (words.length > 1 ? words.at(-1)[0] : '')).toUpperCase() : '?';
}

/** A running stopwatch: tenths of a second at first. */
export function stopwatch(since) {
  const seconds = Math.max(0, (Date.now() - since) / 1000);
  return seconds < 60 ? `${seconds.toFixed(1)} s` : age(since);
}

/** How long ago a moment is, in the unit that people would choose. */
export function age(since) {
  const seconds = Math.max(0, (Date.now() - since) / 1000);
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
