// One card on a bare page: `window.renderCard(card)` draws it, `window.events` and `window.actions` keep what happened.
import { drawCard, refusals } from './render.js';

const AC = window.AdaptiveCards;
const place = document.getElementById('card');
const asked = new URLSearchParams(location.search).get('theme');
const theme = asked ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
const pageEvent = (event, message) => window.events.push({ phase: 'page', event, message: String(message) });

document.documentElement.dataset.theme = theme;
window.events = [];
window.actions = [];
AC.GlobalSettings.applets.onLogEvent = (level, message) => window.events.push({ phase: 'log', event: AC.LogLevel[level], message: String(message) });
addEventListener('error', (event) => pageEvent('Error', event.message));
addEventListener('unhandledrejection', (event) => pageEvent('Error', event.reason));
document.addEventListener('securitypolicyviolation', (event) => pageEvent('SecurityPolicyViolation', `${event.effectiveDirective} ${event.blockedURI}`));

/** Draw `card` in place of the one before; returns {events, text}, with the events so far. */
window.renderCard = (card) => {
  window.events = [];
  window.actions = [];
  const { element, events, card: drawn } = drawCard(card, {
    theme,
    onAction: (action) => window.actions.push(action),
    onLink: (url) => window.actions.push({ type: 'link', url }),
  });
  window.events.push(...events);
  place.replaceChildren(...(element ? [element] : []));
  window.card = drawn;
  return { events: window.events, text: place.innerText };
};

// The renderer says nothing when a required input holds a button back, and lets no click out; the mark on the input tells.
place.addEventListener(
  'click',
  (event) => {
    const before = window.actions.length;
    if (event.target.closest('button')) setTimeout(() => window.actions.length === before && noteRefusals());
  },
  { capture: true },
);

function noteRefusals() {
  const events = refusals(window.card).map(({ id, errorMessage }) => ({ phase: 'input', event: 'Invalid', message: `${id}: ${errorMessage ?? ''}` }));
  window.events.push(...events);
}

document.body.dataset.ready = '';
