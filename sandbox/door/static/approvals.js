// Above the columns: who asks for what needs approval, and what waits for whom, with the way to Teams.
import { h, show } from './dom.js';
import { stopwatch } from './parts.js';

const by = (id) => document.getElementById(id);
const own = { offers: [] };

export function drawApprovals(approvals) {
  const { teams, offers, suggestions, pending, more } = approvals;
  own.offers = offers;
  by('approvals').hidden = !offers.length && !pending.length && !approvals.real;
  by('approvals-lesson').textContent = lesson(approvals);
  by('teams-link').hidden = !teams;
  if (teams) by('teams-link').href = teams.url;
  by('ask').hidden = !offers.length;
  show(by('suggestions'), suggestions.map(suggestion));
  drawForm();
  by('pending').hidden = !pending.length;
  show(by('pending'), [...pending.map(waiting), more ? h('li', { class: 'more', 'data-key': 'more' }, `and ${more} more`) : null]);
}

function lesson({ real, teams, pending }) {
  if (pending.length) return teams ? 'Answer in Teams, as one of those named; the session opens by itself.' : 'Answer at the gateway: no stand-in for Teams runs here.';
  if (real) return 'A real gateway: ask with its own client, and the request shows up here.';
  return teams ? 'Some connections open only after a person has approved in Teams. Ask for one:' : 'No stand-in for Teams runs here; a request waits until it is answered at the gateway.';
}

function suggestion(one) {
  const body = JSON.stringify({ subject: one.subject, connection: one.connection });
  return h('button', { type: 'button', class: 'small primary', 'data-key': `${one.subject} ${one.connection}`, 'data-post': '/api/reviews', 'data-body': body }, `${one.name} asks for ${one.connection}`);
}

function drawForm() {
  options(by('ask-connection'), own.offers.map(({ connection }) => [connection, connection]));
  const offer = own.offers.find(({ connection }) => connection === by('ask-connection').value) ?? own.offers[0];
  const askers = offer?.askers ?? [];
  options(by('ask-who'), askers.map(({ subject, name }) => [subject, name]));
  by('ask-script-label').hidden = !offer?.commands;
  const script = offer?.commands ? by('ask-script').value : '';
  by('ask-button').dataset.body = JSON.stringify({ subject: by('ask-who').value, connection: by('ask-connection').value, script });
  by('ask-button').disabled = !askers.length;
}

// A list that is open must not be drawn again under the pointer, so only a different list is drawn.
function options(select, wanted) {
  const drawn = JSON.stringify(wanted);
  if (select.dataset.drawn === drawn) return;
  const chosen = select.value;
  select.replaceChildren(...wanted.map(([value, word]) => h('option', { value }, word)));
  if (wanted.some(([value]) => value === chosen)) select.value = chosen;
  select.dataset.drawn = drawn;
}

function waiting(one) {
  const links = one.links.map(({ name, url }) => h('a', { class: 'button-link', href: url, target: '_blank', rel: 'noopener', 'data-key': url, 'aria-label': `Answer in Teams, in ${name}` }, `Answer in ${name}`));
  return h(
    'li',
    { 'data-key': one.id },
    h('i', { class: 'pulse', 'aria-hidden': 'true' }),
    h('p', { class: 'asked' }, h('strong', {}, one.title), one.waitsFor ? h('span', { class: 'sub' }, ` waits for ${one.waitsFor}`) : null),
    h('span', { class: 'took running', 'data-since': one.at, 'data-stopwatch': true }, stopwatch(one.at)),
    h('span', { class: 'links' }, links),
  );
}

for (const id of ['ask-who', 'ask-connection', 'ask-script']) by(id).addEventListener('input', drawForm);
by('ask-script').addEventListener('keydown', (event) => event.key === 'Enter' && by('ask-button').click());
