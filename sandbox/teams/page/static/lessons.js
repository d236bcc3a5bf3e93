// What an empty conversation says: what comes here, and what a person does to see it.
import { h } from './dom.js';

export function lesson(place, person, door) {
  const page = h('a', { href: door, target: '_blank', rel: 'noopener' }, 'the sandbox’s first page');
  if (place.kind === 'personal') {
    return {
      title: 'Tether has not written to you',
      sentences: [`Here Tether tells ${person.name} how a request of theirs went. Ask for a session that needs approval, and the answer follows it here.`],
    };
  }
  const lessons = {
    approvals: ['A request that waits for approval shows up here as a card.', h('span', {}, 'No card yet: open a session that needs approval on ', page, `. The card comes within seconds, and then you decide as ${person.name}, or as somebody else on the left.`)],
    security: ['Tether tells this channel about requests that are stuck, that nobody can be asked about, and about break-glass.', 'Nothing of the kind has happened.'],
    'on-call': ['Requests that nobody answered in time are passed on to this channel.', 'Leave a card in approvals unanswered to see one.'],
  };
  return { title: 'No card yet', sentences: lessons[place.name] ?? lessons.approvals };
}
