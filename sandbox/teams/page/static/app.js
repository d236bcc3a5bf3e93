// The page: looks about once a second for what is new, and shows the conversation that its address names.
import { Trouble, get, post } from './api.js';
import { h, say } from './dom.js';
import { lesson } from './lessons.js';
import { offerLink } from './links.js';
import { markRead, unread } from './reading.js';
import { drawPeople, drawPlaces } from './side.js';
import { drawEmpty, drawMessages } from './thread.js';
import { toast } from './toasts.js';

const LOOK_EVERY_MS = 1000;
const by = (id) => document.getElementById(id);
const narrow = matchMedia('(max-width: 760px)');
const places = await get('/page/places.json');
const own = { world: null, seen: 0, opened: '', messages: null, told: new Map(), trouble: '', drawing: 0 };

// Where we are: the address says who looks at what, so tabs can be different people and Back works.
function here() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const { people, channels } = own.world;
  const person = people.find((one) => one.id === asked.get('as')) ?? people[0];
  const chat = { id: person.chat, kind: 'personal', name: own.world.bot.name, installed: person.installed };
  const rooms = person.member ? channels.map((channel) => ({ ...channel, kind: 'channel' })) : [];
  const all = [...rooms, chat];
  const place = all.find((one) => one.id === asked.get('in')) ?? (narrow.matches ? null : all[0]);
  return { person, rooms, chat, place };
}

const link = (person, place) => `#${new URLSearchParams(place ? { as: person, in: place } : { as: person })}`;
const conversationOf = (id) => own.world.conversations.find((one) => one.id === id);

async function look() {
  try {
    const { events, last } = await get(`/sandbox/events?after=${own.seen}`);
    if (!own.world || events.length || last !== own.seen) {
      own.world = await get('/sandbox/snapshot');
      if (events.some((event) => event.kind === 'reset')) own.opened = '';
      own.seen = last;
      await draw();
    }
    own.trouble = '';
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    own.trouble = error.message;
  }
  drawTroubles();
}

async function draw() {
  const now = here();
  const { person, place } = now;
  const opening = `${person.id} ${place?.id}`;
  document.body.dataset.pane = place ? 'conversation' : 'list';
  drawSide(now);
  drawHead(now);
  if (place) {
    const turn = ++own.drawing;
    const isNew = own.opened !== opening;
    if (isNew) beginConversation(opening);
    const messages = isNew ? await openConversation(person, place) : await read(person, place);
    if (turn !== own.drawing) return;
    showConversation(now, messages, isNew);
  } else own.opened = '';
  document.body.dataset.ready = '';
}

function beginConversation(opening) {
  own.opened = opening;
  own.messages = null;
  by('messages').replaceChildren(h('p', { class: 'soft loading' }, 'Opening…'));
}

// Opening refreshes cards, for which the server asks Tether; what is there already is shown meanwhile.
async function openConversation(person, place) {
  post('/sandbox/view', { person: person.id, conversation: place.id }).catch((error) => (own.trouble = error.message));
  return read(person, place);
}

async function read(person, place) {
  const answer = await get(`/sandbox/conversations/${encodeURIComponent(place.id)}/messages?person=${person.id}`);
  return answer.messages;
}

function showConversation(now, messages, isNew) {
  const target = by('messages');
  const atEnd = isNew || isAtEnd();
  const { person, place } = now;
  const context = { person, bot: own.world.bot, endpoint: own.world.endpoint, onAnswer: look };
  by('composer').hidden = !place.installed;
  if (messages.length) {
    target.querySelector('.empty, .loading')?.remove();
    drawMessages(target, messages, context);
  } else drawEmpty(target, place.installed ? lesson(place, person, places.door) : notInstalled(now));
  if (atEnd) target.scrollTop = target.scrollHeight;
  by('newest').hidden = isAtEnd();
  announce(messages, person, isNew);
  if (document.visibilityState === 'visible') {
    markRead(conversationOf(place.id), person);
    drawSide(now);
  }
}

function announce(messages, person, isNew) {
  for (const message of messages) {
    const told = own.told.get(`${person.id} ${message.id}`) ?? (isNew ? message.toasts.length : 0);
    message.toasts.slice(told).filter(({ kind }) => kind === 'message').forEach(({ kind, text }) => toast(kind, text));
    own.told.set(`${person.id} ${message.id}`, message.toasts.length);
  }
  const newest = messages.at(-1);
  if (!isNew && own.messages && newest && newest.id > (own.messages.at(-1)?.id ?? '')) say(by('announcer'), `New message from ${newest.from.name}: ${newest.summary || newest.text}`);
  own.messages = messages;
}

function notInstalled({ person, place }) {
  const body = place.kind === 'channel' ? { channel: place.id } : { person: person.id };
  const install = h('button', { type: 'button' }, 'Install Tether here');
  install.addEventListener('click', () => act('/sandbox/install', { ...body, installed: true }));
  return { title: 'Tether is not installed here', sentences: ['It cannot post to this conversation, and its cards go elsewhere.', install] };
}

function drawSide({ person, rooms, chat, place }) {
  const row = (one, sign) => ({ ...one, sign, count: unread(conversationOf(one.id), person) });
  drawPeople(by('person'), by('portrait'), own.world.people, person, conversationOf);
  drawPlaces(by('channels'), rooms.map((one) => row(one, '#')), place?.id, (id) => link(person.id, id));
  drawPlaces(by('chats'), [row(chat, '@')], place?.id, (id) => link(person.id, id));
  const waiting = [...rooms, chat].reduce((sum, one) => sum + row(one, '').count, 0);
  document.title = `${waiting ? `(${waiting}) ` : ''}${place ? place.name : 'Chat'} · sandbox`;
}

function drawHead({ person, place }) {
  say(by('title'), place?.name ?? '');
  const [team] = own.world.teams;
  const members = team.members.length;
  say(by('subtitle'), !place ? '' : place.kind === 'channel' ? `${team.name} · ${members === 1 ? '1 member' : `${members} members`}` : `Between ${person.name} and the app`);
  by('messages').setAttribute('aria-label', place ? `Messages in ${place.name}` : 'Messages');
  by('draft').placeholder = place?.kind === 'channel' ? `Write to ${own.world.bot.name} in ${place.name}` : `Write to ${own.world.bot.name}`;
}

function drawTroubles() {
  const stopped = own.world?.deliveries.stopped;
  const sentence = own.trouble || (stopped ? 'Tether failed five times in a row, so nothing is delivered to it any more.' : '');
  if (by('troubles').dataset.said === sentence) return;
  by('troubles').dataset.said = sentence;
  by('troubles').hidden = !sentence;
  const again = h('button', { type: 'button' }, 'Deliver again');
  again.addEventListener('click', () => act('/sandbox/deliveries/resume'));
  by('troubles').replaceChildren(h('p', {}, sentence), ...(own.trouble || !stopped ? [] : [again]));
}

async function act(path, body) {
  try {
    return await post(path, body);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    toast('trouble', error.message);
    return null;
  } finally {
    await look();
  }
}

const isAtEnd = () => by('messages').scrollHeight - by('messages').scrollTop - by('messages').clientHeight < 48;

async function send() {
  const { person, place } = here();
  const text = by('draft').value.trim();
  if (!text || !place) return;
  by('draft').value = '';
  const answer = await act('/sandbox/send', { person: person.id, conversation: place.id, text });
  if (!answer) by('draft').value ||= text;
  else if (answer.status === 0) toast('trouble', `${own.world.bot.name} was not reached. Your message stays here; write again when it runs.`);
  by('messages').scrollTop = by('messages').scrollHeight;
}

by('person').addEventListener('change', () => {
  const { place } = here();
  location.hash = link(by('person').value, place?.kind === 'channel' || !place ? place?.id : own.world.people.find((one) => one.id === by('person').value).chat);
});
by('back').addEventListener('click', () => (location.hash = link(here().person.id)));
by('newest').addEventListener('click', () => (by('messages').scrollTop = by('messages').scrollHeight));
by('messages').addEventListener('scroll', () => (by('newest').hidden = isAtEnd()), { passive: true });
by('messages').addEventListener('click', (event) => {
  const anchor = event.target.closest('.text a[href]');
  if (!anchor) return;
  event.preventDefault();
  offerLink(anchor.href);
});
by('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
by('draft').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
const redraw = () => own.world && draw().then(drawTroubles).catch((error) => (own.trouble = error.message));
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  by('messages').focus();
});
addEventListener('hashchange', redraw);
addEventListener('visibilitychange', redraw);
narrow.addEventListener('change', redraw);

by('elsewhere').append('Sessions are opened on ', h('a', { href: places.door, target: '_blank', rel: 'noopener' }, 'the sandbox’s first page'), '.');
for (;;) {
  await look();
  await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
}
