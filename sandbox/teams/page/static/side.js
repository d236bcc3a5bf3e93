// The left: who you are, the team's channels and your chat, with what you have not read.
import { h, initials, list, say, set } from './dom.js';
import { unread } from './reading.js';

const MOST_PEOPLE = 200;

export function drawPeople(select, portrait, people, person, conversationOf) {
  const shown = people.slice(0, MOST_PEOPLE);
  if (!shown.includes(person)) shown.unshift(person);
  list(select, shown, {
    key: (one) => one.id,
    make: (one) => h('option', { value: one.id }),
    update: (option, one) => say(option, waiting(one, unread(conversationOf(one.chat), one))),
  });
  if (select.value !== person.id) select.value = person.id;
  say(portrait, initials(person.name));
}

function waiting(person, count) {
  return count ? `${person.name} · ${count} new` : person.name;
}

/** Draw channels or chats: rows of {id, name, sign, count}. */
export function drawPlaces(target, rows, open, link) {
  list(target, rows, {
    key: (row) => row.id,
    make: () => h('li', {}, h('a', { class: 'place' }, h('span', { class: 'sign', 'aria-hidden': 'true' }), h('span', { class: 'name' }), h('span', { class: 'count' }))),
    update: (item, row) => {
      const [anchor] = item.children;
      const [sign, name, count] = anchor.children;
      set(anchor, { href: link(row.id), 'aria-current': row.id === open && 'page', 'data-unread': row.count > 0 });
      say(sign, row.sign);
      say(name, row.name);
      say(count, row.count ? String(row.count) : '');
      set(count, { 'aria-label': row.count ? `${row.count} unread` : null });
    },
  });
}
