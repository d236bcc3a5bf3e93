// What the page asks of the stand-in, and what it says to a person when that fails.

/** A failure in words, with what to do about it. */
export class Trouble extends Error {}

const AWAY = 'The chat server does not answer. Is `make run` still running? Nothing is lost: try again when it is back.';

async function ask(path, options) {
  const answer = await fetch(path, options).catch(() => {
    throw new Trouble(AWAY);
  });
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => null);
  if (answer.ok && body) return body;
  throw new Trouble(body?.error?.message ?? `The chat server answered with status ${answer.status}.`);
}

export function get(path) {
  return ask(path);
}

export function post(path, body = {}) {
  return ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

/** What went wrong with a click and the next step, from the bot's answer; null when the bot decided something. */
export function troubleWith({ status, body, shown }, endpoint) {
  if (status === 0 && body === 'deliveries are stopped') return 'Deliveries to Tether are stopped, so nobody was asked. Press “Deliver again” above, then try again.';
  if (status === 0) return `Tether did not answer at ${endpoint}. Check that it runs and what its log says. Your click may have counted: look again before you repeat it.`;
  if (status === 401 || status === 403) return `Tether refused the click (${status}): it did not trust the sender. Check that Tether and this sandbox name the same bot and the same keys.`;
  if (status !== 200) return `Tether failed (${status}). Its log says why; the buttons stay, so try again.`;
  if (shown.error) return `${shown.error.message || 'Something went wrong.'} (${shown.error.code || 'no code'}) Nothing changed here: try again, or ask the people who run Tether.`;
  if (shown.signIn) return `Tether asks you to sign in: ${shown.signIn.text || 'no reason given'}. The sandbox could not sign you in by itself: check that its sign-in server runs.`;
  return null;
}
