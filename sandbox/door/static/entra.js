// The left column: people, agents, blueprints and groups, with what an admin can do to them.
import { h, show } from './dom.js';
import { badge, initials, switchButton } from './parts.js';

const WORDS = { enabled: 'Enabled', disabled: 'Disabled', deleted: 'Deleted' };

export function drawEntraSwitches(target, counts, entra) {
  const { people, agents, groups } = entra.counts;
  counts.textContent = `${people} people · ${agents} agents · ${groups} groups`;
  show(target, [
    switchButton('/api/switches/graph/lose', 'Lose next notification', 'Lose the next notification', entra.switches.lose),
    switchButton('/api/switches/graph/delay', 'Delay 5 s', 'Delay notifications by 5 s', entra.switches.delay),
    switchButton('/api/switches/graph/slow', 'Slow Graph', 'Graph is slow: 2 s for each answer', entra.switches.slow),
  ]);
}

export function drawEntra(target, entra) {
  target.classList.toggle('stale', !entra.up);
  show(target, [
    section('People', entra.people, entra.counts.people, (one) => principal(one, entra.groups)),
    section('Agents', entra.agents, entra.counts.agents, (one) => principal(one, entra.groups)),
    section('Agent blueprints', entra.blueprints, entra.blueprints.length, (one) => principal(one, [])),
    section('Groups', entra.groups, entra.counts.groups, group),
  ]);
}

function section(title, rows, count, draw) {
  if (!rows.length) return null;
  const more = count > rows.length ? h('p', { class: 'more' }, `and ${count - rows.length} more`) : null;
  return h('section', { 'data-key': title, 'aria-label': title }, h('h3', {}, title), h('ul', { class: 'cards' }, rows.map(draw)), more);
}

function principal(one, groups) {
  const member = new Set(one.groups);
  const chips = one.state === 'deleted' ? [] : groups.map((group) => membership(one, group, member.has(group.id)));
  return h(
    'li',
    { class: `card ${one.state}`, 'data-key': one.id, 'aria-label': one.name },
    h('span', { class: `avatar ${one.kind === 'Person' ? '' : 'square'}`, 'aria-hidden': 'true' }, initials(one.name)),
    h(
      'div',
      { class: 'who' },
      h('p', { class: 'name' }, h('strong', {}, one.name), one.state === 'enabled' ? null : badge(WORDS[one.state], one.state), one.breakGlass ? badge('Break-glass', 'glass') : null),
      h('p', { class: 'sub' }, one.address || one.kind),
    ),
    h('div', { class: 'actions' }, actions(one)),
    chips.length ? h('div', { class: 'chips', role: 'group', 'aria-label': `Groups of ${one.name}` }, chips) : null,
  );
}

function actions(one) {
  const act = (verb, word, kind = '') =>
    h('button', { type: 'button', class: `small ${kind}`, 'data-key': verb === 'delete' || verb === 'restore' ? 'bin' : 'power', 'data-post': `/api/principals/${encodeURIComponent(one.id)}/${verb}`, 'aria-label': `${word} ${one.name}` }, word);
  if (one.state === 'deleted') return [act('restore', 'Restore')];
  return [one.state === 'disabled' ? act('enable', 'Enable') : act('disable', 'Disable'), one.kind === 'Blueprint' ? null : act('delete', 'Delete', 'grave')];
}

function membership(one, group, is) {
  const path = `/api/groups/${encodeURIComponent(group.id)}/members/${encodeURIComponent(one.id)}/${is ? 'remove' : 'add'}`;
  const label = `${one.name} in ${group.name}`;
  const title = is ? `Remove ${one.name} from ${group.name}` : `Add ${one.name} to ${group.name}`;
  return h('button', { type: 'button', class: 'chip toggle', 'data-key': group.id, 'data-post': path, 'aria-pressed': String(is), 'aria-label': label, title }, group.name);
}

function group(one) {
  const names = one.members.slice(0, 12).map((member) => h('span', { class: member.nested ? 'chip nested' : 'chip plain', 'data-key': member.id }, member.nested ? `group ${member.name}` : member.name));
  const rest = one.count - names.length;
  return h(
    'li',
    { class: 'card group', 'data-key': one.id, 'aria-label': one.name },
    h('div', { class: 'who' }, h('p', { class: 'name' }, h('strong', {}, one.name)), h('p', { class: 'sub' }, one.count === 1 ? '1 member' : `${one.count} members`)),
    h('div', { class: 'chips' }, names.length ? names : h('span', { class: 'sub' }, 'nobody'), rest > 0 ? h('span', { class: 'sub' }, `and ${rest} more`) : null),
  );
}
