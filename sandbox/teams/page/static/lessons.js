// What an empty conversation says: what comes here, and what a person does to see it.
import { h } from './dom.js';

export function lesson(place, person, door) {
  const page = h('a', { href: door, target: '_blank', rel: 'noopener' }, 'the sandbox’s first page');
  const ask = (then) => h('p', {}, 'Open a session that needs approval on ', page, `. ${then}`);
  if (place.kind === 'personal') {
    return {
      title: 'Tether has not written to you',
      sentences: [h('p', {}, `Here Tether tells ${person.name} how a request of theirs goes.`), ask('The answer follows it here.')],
    };
  }
  const lessons = {
    security: { title: 'Nothing to worry about', sentences: [h('p', {}, 'Tether tells this channel about break-glass, and about requests that are stuck or that nobody can be asked about.')] },
    'on-call': { title: 'Nothing was passed on', sentences: [h('p', {}, 'A request that nobody answers in time comes here as well. Leave a card in approvals alone to see it.')] },
  };
  return lessons[place.name] ?? { title: 'No card yet', sentences: [ask(`Its card comes here within seconds; then decide as ${person.name}, or choose who you are on the left.`)] };
}

/** The lesson where Tether cannot post, with the button that changes it. */
export function notInstalled(install) {
  const button = h('button', { type: 'button' }, 'Install Tether here');
  button.addEventListener('click', install);
  return { title: 'Tether is not installed here', sentences: [h('p', {}, 'It cannot post to this conversation, so its cards have to go elsewhere.'), button] };
}
