// Who looks at what: the page's address says it, so that tabs can be different people and Back works.

const narrow = matchMedia('(max-width: 760px)');

/** The person, what they can open, and what is open: {person, rooms, chat, place}; on a phone nothing may be. */
export function whereIn({ people, channels, bot }) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const person = people.find((one) => one.id === asked.get('as')) ?? people[0];
  const chat = { id: person.chat, kind: 'personal', name: bot.name, installed: person.installed };
  const rooms = person.member ? channels.map((channel) => ({ ...channel, kind: 'channel' })) : [];
  const all = [...rooms, chat];
  const place = all.find((one) => one.id === asked.get('in')) ?? (narrow.matches ? null : all[0]);
  return { person, rooms, chat, place };
}

export function linkTo(person, place) {
  return `#${new URLSearchParams(place ? { as: person, in: place } : { as: person })}`;
}

export function onMove(redraw) {
  addEventListener('hashchange', redraw);
  addEventListener('visibilitychange', redraw);
  narrow.addEventListener('change', redraw);
}
