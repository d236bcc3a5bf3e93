/** One link on which a client receives a queue's messages. */
import { encodeEntry } from './message.mjs';

const SETTLED = 1;

/** A receiver as its queue's feed sees it: ready or not, and how a message reaches it. */
export class Consumer {
  #link;
  #deliveries;
  #deletesOnReceipt;

  constructor(link, deliveries, feed) {
    this.feed = feed;
    this.#link = link;
    this.#deliveries = deliveries;
    this.#deletesOnReceipt = link.snd_settle_mode === SETTLED;
  }

  isReady() {
    return this.#deliveries.canSend(this.#link);
  }

  /** Sends the queue's next message, locked until settled unless the receiver deletes on receipt. */
  deliver(queue) {
    if (this.#deletesOnReceipt) this.#deliveries.sendSettled(this.#link, encodeEntry(queue.take()));
    else this.#deliveries.sendLocked(this.#link, queue, encodeEntry);
  }
}
