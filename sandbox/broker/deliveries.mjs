/**
 * What the broker sends on one AMQP session, and how receivers settle it.
 *
 * Transfers and dispositions are written as frames: rhea's own bookkeeping keeps a delivery until both sides have
 * settled it, in a ring of 2,048, so one message that nobody settles would end the session.
 */
import rhea from 'rhea';
import frames from 'rhea/lib/frames.js';
import { LOCK_LOST } from './errors.mjs';
import { MAX_MESSAGE_BYTES } from './message.mjs';

const { message: outcomes } = rhea;
const FRAME_OVERHEAD = 512;

/** The deliveries of one session; made when the session opens. */
export class Deliveries {
  #session;
  #unsettled = new Map();

  constructor(session) {
    this.#session = session;
    const onDisposition = session.on_disposition.bind(session);
    session.on_disposition = (frame) => {
      if (frame.performative.role) this.#onSettled(frame.performative);
      else onDisposition(frame);
    };
  }

  /** Whether a message of any size may be sent on this link now. */
  canSend(link) {
    const transfers = Math.ceil((2 * MAX_MESSAGE_BYTES) / this.#maxPayload);
    return link.is_open() && link.has_credit() && this.#session.outgoing.transfer_window() >= transfers;
  }

  /** Sends bytes that the receiver need not settle. */
  sendSettled(link, bytes) {
    this.#transfer(link, bytes, Buffer.alloc(0), true);
  }

  /** Locks the queue's next message and sends it; the receiver's outcome decides what becomes of it. */
  sendLocked(link, queue, encode) {
    const id = this.#session.outgoing.next_delivery_id;
    const lock = queue.acquire({ forget: () => this.#unsettled.delete(id) });
    this.#unsettled.set(id, { link, queue, token: lock.token });
    this.#transfer(link, encode(lock.entry, lock.lockedUntil), deliveryTag(lock.token), false);
  }

  /** Makes available again what was sent on this link and never settled, one delivery older. */
  abandonUnsettled(link) {
    for (const delivery of [...this.#unsettled.values()]) {
      if (delivery.link === link) delivery.queue.abandon(delivery.token);
    }
  }

  get #maxPayload() {
    return Math.min(this.#session.connection.max_frame_size ?? Infinity, MAX_MESSAGE_BYTES) - FRAME_OVERHEAD;
  }

  #transfer(link, bytes, tag, settled) {
    const { outgoing } = this.#session;
    const delivery = { handle: link.local.handle, delivery_id: outgoing.next_delivery_id, delivery_tag: tag, settled };
    for (let start = 0; start < bytes.length; start += this.#maxPayload) {
      const end = Math.min(start + this.#maxPayload, bytes.length);
      const transfer = frames.transfer({ ...delivery, message_format: 0, more: end < bytes.length });
      this.#session.output(transfer, bytes.subarray(start, end));
      outgoing.next_transfer_id += 1;
    }
    outgoing.next_delivery_id += 1;
    outgoing.next_pending_delivery += 1;
    link.delivery_count += 1;
    link.credit -= 1;
  }

  #onSettled({ first, last, settled, state }) {
    for (let id = first; id <= (last ?? first); id += 1) {
      const delivery = this.#unsettled.get(id);
      const applied = delivery !== undefined && settle(delivery, state);
      // Each answer is a frame of its own, echoing the outcome: the SDK compares it with what it asked for.
      if (!settled) this.#answer(id, applied ? echo(state) : outcomes.rejected({ error: LOCK_LOST }).described());
    }
  }

  #answer(id, state) {
    this.#session.output(frames.disposition({ role: false, first: id, last: id, settled: true, state }));
  }
}

// The tag is the token's uuid with its first three fields in little-endian order.
function deliveryTag(token) {
  const bytes = Buffer.from(token, 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function settle({ queue, token }, state) {
  if (outcomes.is_accepted(state)) return queue.complete(token);
  if (outcomes.is_rejected(state)) {
    const { info } = outcomes.unwrap_outcome(state).error ?? {};
    return queue.deadLetter(token, info?.DeadLetterReason, info?.DeadLetterErrorDescription);
  }
  if (outcomes.is_modified(state)) {
    return outcomes.unwrap_outcome(state).undeliverable_here ? queue.defer(token) : queue.abandon(token);
  }
  return queue.release(token);
}

// A rejection is echoed without its error, which would read as a refusal to dead-letter.
function echo(state) {
  return outcomes.is_rejected(state) ? outcomes.rejected({}).described() : state;
}
