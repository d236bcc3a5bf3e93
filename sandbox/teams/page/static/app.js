// The page: looks about once a second for what is new, and shows the conversation that its address names.
import { Trouble, get, post } from './api.js';
import { onSend, showDraft } from './composer.js';
import { h, say } from './dom.js';
import { lesson, notInstalled } from './lessons.js';
import { beginMessages, showMessages, toEnd } from './messages.js';
import { markRead, unread } from './reading.js';
import { drawPeople, drawPlaces } from './side.js';
import { toast } from './toasts.js';
import { linkTo, onMove, whereIn } from './where.js';

const LOOK_EVERY_MS = 1000;
const by = (id) => document.getElementById(id);
const own = { world: null, seen: 0, opened: '', trouble: '', turn: 0, door: '' };

const here = () => whereIn(own.world);
const conversationOf = (id) => own.world.conversations.find((one) => one.id === id);

async function look() {
  await trying(async () => {
    own.door ||= (await get('/page/places.json')).door;
    const { events, last } = await get(`/sandbox/events?after=${own.seen}`);
    if (own.world && !events.length && last === own.seen) return;
    own.world = await get('/sandbox/snapshot');
    if (events.some((event) => event.kind === 'reset')) own.opened = '';
    await draw();
    own.seen = last;
  });
}

async function trying(work) {
  own.trouble = await work().then(
    () => '',
    (error) => {
      if (error instanceof Trouble) return error.message;
      throw error;
    },
  );
  drawTroubles();
}

async function draw() {
  const now = here();
  const { person, place } = now;
  const turn = ++own.turn;
  document.body.dataset.pane = place ? 'conversation' : 'list';
  drawSide(now);
  drawHead(now);
  if (place) {
    open(person, place);
    const { messages } = await get(`/sandbox/conversations/${encodeURIComponent(place.id)}/messages?person=${person.id}`);
    if (turn !== own.turn) return;
    show(now, messages);
  } else own.opened = '';
  document.body.dataset.ready = '';
}

// Opening a conversation refreshes its cards, for which the server asks Tether; what is there is shown meanwhile.
function open(person, place) {
  const opening = `${person.id} ${place.id}`;
  if (opening === own.opened) return;
  own.opened = opening;
  beginMessages();
  post('/sandbox/view', { person: person.id, conversation: place.id }).catch((error) => toast('trouble', error.message));
}

function show(now, messages) {
  const { person, place } = now;
  const context = { person, bot: own.world.bot, endpoint: own.world.endpoint, onAnswer: look };
  const install = () => act('/sandbox/install', { ...(place.kind === 'channel' ? { channel: place.id } : { person: person.id }), installed: true });
  by('composer').hidden = !place.installed;
  showMessages(messages, context, () => (place.installed ? lesson(place, person, own.door) : notInstalled(install)));
  if (document.visibilityState !== 'visible') return;
  markRead(conversationOf(place.id), person);
  drawSide(now);
}

function drawSide({ person, rooms, chat, place }) {
  const row = (one, sign) => ({ ...one, sign, count: unread(conversationOf(one.id), person) });
  const rows = [rooms.map((one) => row(one, '#')), [row(chat, '@')]];
  const link = (id) => linkTo(person.id, id);
  drawPeople(by('person'), by('portrait'), own.world.people, person, conversationOf);
  drawPlaces(by('channels'), rows[0], place?.id, link);
  drawPlaces(by('chats'), rows[1], place?.id, link);
  const waiting = rows.flat().reduce((sum, one) => sum + one.count, 0);
  document.title = `${waiting ? `(${waiting}) ` : ''}${place?.name ?? 'Chat'} · sandbox`;
  if (own.door && !by('elsewhere').childElementCount) by('elsewhere').append('Sessions are opened on ', h('a', { href: own.door, target: '_blank', rel: 'noopener' }, 'the sandbox’s first page'), '.');
}

function drawHead({ person, place }) {
  const { bot, teams } = own.world;
  const [team] = teams;
  const members = team.members.length === 1 ? '1 member' : `${team.members.length} members`;
  const isChannel = place?.kind === 'channel';
  say(by('title'), place?.name ?? '');
  say(by('subtitle'), isChannel ? `${team.name} · ${members}` : `Between ${person.name} and the app`);
  by('messages').setAttribute('aria-label', `Messages in ${place?.name}`);
  showDraft(`${person.id} ${place?.id}`, isChannel ? `Write to ${bot.name} in ${place.name}` : `Write to ${bot.name}`);
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

/** What the server answered, or null after a toast that says why it did not. */
async function act(path, body) {
  const answer = await post(path, body).catch((error) => {
    toast('trouble', error.message);
    return null;
  });
  await look();
  return answer;
}

onSend(async (text) => {
  const { person, place } = here();
  const answer = await act('/sandbox/send', { person: person.id, conversation: place.id, text });
  if (answer?.status === 0) toast('trouble', `${own.world.bot.name} was not reached. Your message stays here; write again when it runs.`);
  toEnd();
  return answer;
});
by('person').addEventListener('change', () => {
  const { place } = here();
  const person = own.world.people.find((one) => one.id === by('person').value);
  location.hash = linkTo(person.id, place?.kind === 'personal' ? person.chat : place?.id);
});
by('back').addEventListener('click', () => (location.hash = linkTo(here().person.id)));
onMove(() => own.world && trying(draw));

for (;;) {
  await look();
  await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
}
