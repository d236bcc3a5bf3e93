/** The request-response node of a queue: locks, schedules, peeking and deferred messages. */
import rhea from 'rhea';
import { LOCK_LOST, MESSAGE_NOT_FOUND, NOT_IMPLEMENTED, SERVER_BUSY } from './errors.mjs';
import { encodeEntry, parseMessage } from './message.mjs';

const { types } = rhea;
const PREFIX = 'com.microsoft:';
const DELETE_ON_RECEIPT = 0;
const LONG = types.Long.typecode;
const TIMESTAMP = types.Timestamp.typecode;

const operations = {
  'renew-lock': renewLock,
  'schedule-message': scheduleMessage,
  'cancel-scheduled-message': cancelScheduledMessage,
  'peek-message': peekMessage,
  'receive-by-sequence-number': receiveBySequenceNumber,
  'update-disposition': updateDisposition,
};

/** The answer to one request about a queue, as an AMQP message. */
export function answerManagementRequest(queue, { application_properties: properties, body }, switches) {
  const name = String(properties?.operation).replace(PREFIX, '');
  const operation = operations[name];
  if (!operation) return failed(501, NOT_IMPLEMENTED);
  if (switches.refuse && name === 'schedule-message') return failed(503, SERVER_BUSY);
  return operation(queue, body);
}

function renewLock(queue, body) {
  const expirations = tokens(body).map((token) => queue.renewLock(token));
  if (expirations.includes(undefined)) return failed(410, LOCK_LOST);
  return done({ expirations: types.wrap_array(expirations, TIMESTAMP) });
}

function scheduleMessage(queue, { messages }) {
  const sequenceNumbers = messages.map(({ message }) => queue.enqueue(parseMessage(message)));
  return done({ 'sequence-numbers': types.wrap_array(sequenceNumbers, LONG) });
}

function cancelScheduledMessage(queue, body) {
  const cancelled = body['sequence-numbers'].map((sequenceNumber) => queue.cancelScheduled(sequenceNumber));
  return cancelled.every(Boolean) ? done({}) : failed(404, MESSAGE_NOT_FOUND);
}

function peekMessage(queue, body) {
  const entries = queue.peek(body['from-sequence-number'], body['message-count']);
  return answer(entries.length ? 200 : 204, 'OK', { messages: entries.map((entry) => ({ message: encodeEntry(entry) })) });
}

function receiveBySequenceNumber(queue, body) {
  const sequenceNumbers = body['sequence-numbers'];
  const messages =
    body['receiver-settle-mode'] === DELETE_ON_RECEIPT
      ? queue.takeDeferred(sequenceNumbers)?.map((entry) => ({ message: encodeEntry(entry) }))
      : queue.acquireDeferred(sequenceNumbers)?.map(({ token, entry, lockedUntil }) => ({
          'lock-token': types.wrap_uuid(Buffer.from(token, 'hex')),
          message: encodeEntry(entry, lockedUntil),
        }));
  return messages ? done({ messages }) : failed(404, MESSAGE_NOT_FOUND);
}

function updateDisposition(queue, body) {
  const settle = {
    completed: (token) => queue.complete(token),
    abandoned: (token) => queue.abandon(token),
    defered: (token) => queue.defer(token), // as the protocol spells it
    suspended: (token) => queue.deadLetter(token, body['deadletter-reason'], body['deadletter-description']),
  }[body['disposition-status']];
  if (!settle) return failed(501, NOT_IMPLEMENTED);
  return tokens(body).map(settle).every(Boolean) ? done({}) : failed(410, LOCK_LOST);
}

function tokens(body) {
  return body['lock-tokens'].map((token) => token.toString('hex'));
}

function done(body) {
  return answer(200, 'OK', body);
}

function failed(status, { condition, description }) {
  return answer(status, description, {}, { errorCondition: types.wrap_symbol(condition) });
}

function answer(status, description, body, more = {}) {
  const properties = { statusCode: types.wrap_int(status), statusDescription: description, ...more };
  return { application_properties: properties, body };
}
