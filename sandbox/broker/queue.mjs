/** One queue: which of its messages are active, locked, scheduled or deferred. No AMQP, no timers; the clock is passed in. */
import { randomBytes } from 'node:crypto';

export const ACTIVE = 0;
export const DEFERRED = 1;
export const SCHEDULED = 2;

/** A queue as Service Bus keeps it. Settling answers false when the lock was lost. */
export class Queue {
  #now;
  #deadLetter;
  #lastSequenceNumber = 0;
  #entries = new Map(); // by sequence number, so always in order
  #active = [];
  #scheduled = [];
  #locks = new Map(); // by token; every lock lasts equally long, so the first is the first to expire
  #lockMilliseconds;
  #maxDeliveryCount;

  /** `deadLetter(entry, reason, description)` takes what leaves this queue unprocessed. */
  constructor({ name, lockSeconds = 60, maxDeliveryCount = 10 }, now, deadLetter) {
    this.name = name;
    this.changed = () => {};
    this.#now = now;
    this.#deadLetter = deadLetter;
    this.#lockMilliseconds = lockSeconds * 1000;
    this.#maxDeliveryCount = maxDeliveryCount;
  }

  get counts() {
    return { active: this.#active.length, scheduled: this.#scheduled.length, locked: this.#locks.size };
  }

  get size() {
    return this.#entries.size;
  }

  get hasActive() {
    return this.#active.length > 0;
  }

  /** The sequence number given to the message, which waits if it is scheduled for later. */
  enqueue(message, carried = {}) {
    const entry = { deliveryCount: 0, ...carried, message, lock: undefined };
    if (message.scheduledFor > this.#now()) this.#schedule(entry);
    else this.#activate(entry);
    this.changed();
    return entry.sequenceNumber;
  }

  /** Whether the scheduled message was still there to be cancelled. */
  cancelScheduled(sequenceNumber) {
    const at = this.#scheduled.findIndex((entry) => entry.sequenceNumber === sequenceNumber);
    if (at < 0) return false;
    this.#scheduled.splice(at, 1);
    return this.#entries.delete(sequenceNumber);
  }

  /** The oldest active message, locked for `owner`, whose `forget()` is called once the lock is over. */
  acquire(owner) {
    return this.#lock(this.#active.shift(), owner);
  }

  /** The oldest active message, gone from the queue. */
  take() {
    return this.#remove(this.#active.shift());
  }

  /** The deferred messages with these sequence numbers, locked, or undefined if one of them is not there. */
  acquireDeferred(sequenceNumbers) {
    const entries = this.#deferred(sequenceNumbers);
    const locks = entries?.map((entry) => this.#lock(entry));
    this.changed();
    return locks;
  }

  /** The deferred messages with these sequence numbers, gone from the queue, or undefined if one is not there. */
  takeDeferred(sequenceNumbers) {
    return this.#deferred(sequenceNumbers)?.map((entry) => this.#remove(entry));
  }

  complete(token) {
    return this.#settle(token, (entry) => this.#remove(entry));
  }

  /** The message is available again, one delivery older, or dead-lettered when that was its last. */
  abandon(token) {
    return this.#settle(token, (entry) => this.#failDelivery(entry));
  }

  /** The message is available again, as if it had never been delivered. */
  release(token) {
    return this.#settle(token, (entry) => this.#makeAvailable(entry));
  }

  defer(token) {
    return this.#settle(token, (entry) => {
      entry.deliveryCount += 1;
      entry.state = DEFERRED;
    });
  }

  deadLetter(token, reason, description) {
    return this.#settle(token, (entry) => this.#deadLetter(this.#remove(entry), reason, description));
  }

  /** When the renewed lock now expires, or undefined if it was lost. */
  renewLock(token) {
    this.advance();
    const lock = this.#locks.get(token);
    if (!lock) return undefined;
    this.#locks.delete(token);
    lock.lockedUntil = this.#now() + this.#lockMilliseconds;
    this.#locks.set(token, lock);
    return lock.lockedUntil;
  }

  /** Up to `count` messages in any state, in order, from a sequence number on. */
  peek(fromSequenceNumber, count) {
    const found = [];
    for (const entry of this.#entries.values()) {
      if (found.length === count) break;
      if (entry.sequenceNumber >= fromSequenceNumber) found.push(entry);
    }
    return found;
  }

  /** Ends the locks and activates the scheduled messages whose time has come. */
  advance() {
    const now = this.#now();
    for (const [token, lock] of this.#locks) {
      if (lock.lockedUntil > now) break;
      this.#failDelivery(this.#unlock(token));
    }
    while (this.#scheduled[0]?.message.scheduledFor <= now) {
      const entry = this.#scheduled.shift();
      this.#entries.delete(entry.sequenceNumber);
      this.#activate(entry);
    }
  }

  /** When `advance` next has something to do; Infinity when nothing is waiting. */
  nextDueAt() {
    const [first] = this.#locks.values();
    return Math.min(first?.lockedUntil ?? Infinity, this.#scheduled[0]?.message.scheduledFor ?? Infinity);
  }

  #add(entry, state) {
    this.#lastSequenceNumber += 1;
    Object.assign(entry, { sequenceNumber: this.#lastSequenceNumber, enqueuedAt: this.#now(), state });
    this.#entries.set(entry.sequenceNumber, entry);
  }

  // A scheduled message gets a new sequence number when it becomes active, as the service documents.
  #activate(entry) {
    this.#add(entry, ACTIVE);
    this.#active.push(entry);
  }

  #schedule(entry) {
    this.#add(entry, SCHEDULED);
    insertInOrder(this.#scheduled, entry, (scheduled) => scheduled.message.scheduledFor);
  }

  #remove(entry) {
    this.#entries.delete(entry.sequenceNumber);
    return entry;
  }

  #lock(entry, owner) {
    const token = randomBytes(16).toString('hex');
    const lock = { token, entry, owner, lockedUntil: this.#now() + this.#lockMilliseconds };
    entry.lock = lock;
    this.#locks.set(token, lock);
    return lock;
  }

  #unlock(token) {
    const { entry, owner } = this.#locks.get(token);
    this.#locks.delete(token);
    entry.lock = undefined;
    owner?.forget();
    return entry;
  }

  #settle(token, apply) {
    this.advance();
    const held = this.#locks.has(token);
    if (held) apply(this.#unlock(token));
    this.changed();
    return held;
  }

  #failDelivery(entry) {
    entry.deliveryCount += 1;
    if (entry.deliveryCount < this.#maxDeliveryCount) this.#makeAvailable(entry);
    else {
      const attempts = `${entry.deliveryCount} delivery attempts`;
      this.#deadLetter(this.#remove(entry), 'MaxDeliveryCountExceeded', `Message could not be consumed after ${attempts}.`);
    }
  }

  #makeAvailable(entry) {
    if (entry.state === ACTIVE) insertInOrder(this.#active, entry, (active) => active.sequenceNumber);
  }

  #deferred(sequenceNumbers) {
    const entries = sequenceNumbers.map((sequenceNumber) => this.#entries.get(sequenceNumber));
    return entries.every((entry) => entry?.state === DEFERRED && !entry.lock) ? entries : undefined;
  }
}

function insertInOrder(list, item, rank) {
  let at = list.length;
  while (at > 0 && rank(list[at - 1]) > rank(item)) at -= 1;
  list.splice(at, 0, item);
}
