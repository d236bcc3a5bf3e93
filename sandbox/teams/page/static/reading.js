// What each person has read, kept in this browser: message ids grow with time, so one number per place is enough.

const named = (person) => `read:${person}`;

function load(person) {
  try {
    return JSON.parse(localStorage.getItem(named(person))) ?? {};
  } catch {
    return {};
  }
}

/** How many messages of others in a conversation a person has not read. */
export function unread(conversation, person) {
  const read = Number(load(person.id)[conversation?.id] ?? 0);
  return (conversation?.messages ?? []).filter((message) => !message.deleted && Number(message.id) > read && message.from.id !== person.mri).length;
}

export function markRead(conversation, person) {
  const newest = Math.max(0, ...(conversation?.messages ?? []).map((message) => Number(message.id)));
  const read = load(person.id);
  if (newest > (read[conversation?.id] ?? 0)) localStorage.setItem(named(person.id), JSON.stringify({ ...read, [conversation.id]: newest }));
}
