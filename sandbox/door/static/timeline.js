// The right column and the frame: what changed, how fast it was answered, and what is wrong.
import { h, show } from './dom.js';
import { age, stopwatch } from './parts.js';

const MARKS = { open: '…', done: '✓', quiet: '–', overdue: '!', approved: '✓', forced: '!', denied: '✕', expired: '–', withdrawn: '–', waiting: '–' };
const SAID = { open: 'waiting', done: 'answered', quiet: 'nothing due', overdue: 'no answer', forced: 'forced' };
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

export function drawTimeline(target, rows) {
  if (!rows.length) return show(target, [h('li', { class: 'empty', 'data-key': 'empty' }, h('strong', {}, 'Nothing has changed yet'), 'Disable somebody, or take a group away: the row closes when the gateway shows the effect. Or let somebody ask for access: the row tells how the request goes.')]);
  return show(target, rows.map((one) => (one.kind === 'review' ? request(one) : row(one))));
}

function row(one) {
  const kind = `${one.state} ${one.taking ? 'taking' : 'giving'}`;
  const mark = one.state === 'done' && !one.taking ? '↺' : MARKS[one.state];
  return h(
    'li',
    { class: `row ${kind}`, 'data-key': one.id, 'data-state': one.state },
    h('span', { class: 'mark', role: 'img', 'aria-label': SAID[one.state] }, mark),
    h('div', { class: 'what' }, h('p', { class: 'title' }, one.title), h('p', { class: 'outcome' }, one.outcome)),
    h('div', { class: 'when' }, took(one), h('time', { datetime: new Date(one.at).toISOString() }, clock.format(one.at))),
  );
}

function request(one) {
  const steps = one.steps.map(({ key, text, took: after, since, tone }) => h('li', { class: `step ${tone}`, 'data-key': key }, h('span', {}, text), after ? h('b', { title: since }, after) : null));
  return h(
    'li',
    { class: `row request ${one.state}`, 'data-key': one.id, 'data-state': one.state },
    h('span', { class: 'mark', role: 'img', 'aria-label': SAID[one.state] ?? one.state }, MARKS[one.state]),
    h('div', { class: 'what' }, h('p', { class: 'title' }, one.title)),
    h('div', { class: 'when' }, one.state === 'open' ? took(one) : null, h('time', { datetime: new Date(one.at).toISOString() }, clock.format(one.at))),
    h('ol', { class: 'steps', 'data-key': 'steps' }, steps.length ? steps : h('li', { class: 'step plain' }, 'waiting for its card')),
  );
}

function took(one) {
  if (one.state === 'done') return h('strong', { class: 'took', 'data-key': 'took' }, one.took);
  if (one.state === 'open') return h('span', { class: 'took running', 'data-key': 'running', 'data-since': one.at, 'data-stopwatch': true }, stopwatch(one.at));
  return h('span', { class: 'took', 'data-key': 'none' }, '');
}

export function drawFigures(target, figures, { pending, more }) {
  const figure = (word, value) => h('div', { 'data-key': word }, h('dt', {}, word), h('dd', {}, value));
  show(target, [
    figure('revocations', String(figures.revocations)),
    figure('p50', figures.p50 ?? '–'),
    figure('p99', figures.p99 ?? '–'),
    figure('waiting', String(figures.open + pending.length + more)),
  ]);
}

export function drawStatus(target, state, away) {
  const { app, subscriptions, queues, waiting, scheduled } = state.status;
  const dead = queues['dead-letters']?.active ?? 0;
  const known = Object.keys(queues).length > 0;
  show(target, [
    pill('page', away ? 'page is reconnecting' : null, 'bad'),
    pill('app', `app ${app}`, app === 'running' ? 'good' : 'bad'),
    pill('subscriptions', subscriptions === 1 ? '1 subscription' : `${subscriptions} subscriptions`, subscriptions ? 'good' : 'bad'),
    pill('queues', known ? `${waiting} in queues, ${scheduled} scheduled` : 'queues unknown', known ? 'good' : 'bad'),
    pill('dead', dead ? `${dead} dead letters` : null, 'bad'),
  ]);
}

function pill(key, word, kind) {
  return word && h('li', { class: `pill ${kind}`, 'data-key': key }, h('i', { 'aria-hidden': 'true' }), word);
}

export function drawFailures(target, failures, own) {
  const sentences = own.away ? ['The page lost its server and tries to reach it again.', ...failures] : failures;
  target.hidden = !sentences.length && !own.refused && !own.said;
  show(target, [
    own.said ? h('p', { class: 'refused said', 'data-key': 'said' }, own.said, h('button', { type: 'button', class: 'small', 'data-dismiss': '' }, 'Dismiss')) : null,
    own.refused ? h('p', { class: 'refused', 'data-key': 'refused' }, own.refused, h('button', { type: 'button', class: 'small', 'data-dismiss': '' }, 'Dismiss')) : null,
    sentences.length ? h('ul', { 'data-key': 'sentences' }, sentences.map((sentence) => h('li', { 'data-key': sentence }, sentence))) : null,
  ]);
}

/** Let every age on the page grow. */
export function tick() {
  for (const element of document.querySelectorAll('[data-since]')) {
    if (element.textContent === 'waiting') continue;
    const grow = 'stopwatch' in element.dataset ? stopwatch : age;
    const text = grow(Number(element.dataset.since));
    if (element.textContent !== text) element.textContent = text;
  }
}
