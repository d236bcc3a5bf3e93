// The middle column: identities at the gateway with their groups and live sessions.
import { h, show } from './dom.js';
import { age, badge, switchButton } from './parts.js';

export function drawGatewaySwitches(target, counts, reviews, gateway) {
  const { identities, sessions } = gateway.counts;
  const { pending, approved } = gateway.reviews;
  counts.textContent = `${identities} identities · ${sessions === 1 ? '1 live session' : `${sessions} live sessions`}`;
  reviews.textContent = `Reviews: ${pending} pending, ${approved} approved`;
  show(target, gateway.real
    ? [h('p', { class: 'sub' }, 'A real gateway: sessions are opened with its own client.')]
    : [
        switchButton('/api/switches/gateway/down', 'Down', 'Gateway down', gateway.switches.down),
        switchButton('/api/switches/gateway/latency', 'Slow', 'Gateway answers 500 ms late', gateway.switches.latency),
      ]);
}

export function drawGateway(target, gateway) {
  target.classList.toggle('stale', !gateway.up);
  const linked = gateway.identities.filter((one) => one.linked);
  const others = gateway.identities.filter((one) => !one.linked);
  const hidden = gateway.counts.identities - gateway.identities.length;
  show(target, [
    list('Tied to Entra', linked, gateway),
    list('Not tied to Entra', others, gateway),
    hidden > 0 ? h('p', { class: 'more', 'data-key': 'more' }, `and ${hidden} more`) : null,
  ]);
}

function list(title, rows, gateway) {
  if (!rows.length) return null;
  return h('section', { 'data-key': title, 'aria-label': title }, h('h3', {}, title), h('ul', { class: 'cards' }, rows.map((one) => identity(one, gateway.real))));
}

function identity(one, real) {
  const open = one.status === 'active';
  return h(
    'li',
    { class: `card identity ${open ? '' : 'closed'}`, 'data-key': one.subject, 'aria-label': one.name },
    h('div', { class: 'who' }, h('p', { class: 'name' }, h('strong', {}, one.name), badge(open ? 'Active' : one.status, open ? 'active' : 'disabled')), h('p', { class: 'sub' }, one.kind)),
    h('div', { class: 'chips held', role: 'group', 'aria-label': `Groups of ${one.name} at the gateway` }, one.groups.length ? one.groups.map(({ name, label }) => h('span', { class: 'chip plain', 'data-key': name, title: name }, label)) : h('span', { class: 'sub' }, 'no groups')),
    one.sessions.length ? h('div', { class: 'chips', role: 'group', 'aria-label': `Sessions of ${one.name}` }, one.sessions.map(session)) : null,
    real || !one.reachable.length ? null : h('div', { class: 'chips', role: 'group', 'aria-label': `Open a session as ${one.name}` }, h('span', { class: 'lead' }, 'Open session'), one.reachable.map((name) => opener(one, name))),
  );
}

function session(one) {
  const said = one.waiting ? 'waits for a review' : 'live';
  return h('span', { class: `chip session ${one.waiting ? 'waiting' : ''}`, 'data-key': one.id, title: said }, h('i', { 'aria-hidden': 'true' }), one.connection, h('time', { 'data-since': one.openedAt }, one.waiting ? 'waiting' : age(one.openedAt)));
}

function opener(one, connection) {
  const body = JSON.stringify({ subject: one.subject, connection });
  return h('button', { type: 'button', class: 'chip open', 'data-key': connection, 'data-post': '/api/sessions', 'data-body': body, 'aria-label': `Open session to ${connection} as ${one.name}` }, `+ ${connection}`);
}
