/** The queues of one namespace by address, each with its dead-letter queue, and where dead letters go. */
import { Feed } from './feed.mjs';
import { withDeadLetterReason } from './message.mjs';
import { Queue } from './queue.mjs';

const DEAD_LETTER_SUFFIX = '/$DeadLetterQueue';

/** Queues made from settings in the words of Service Bus. */
export class Namespace {
  #feeds = new Map();
  #names;

  constructor(queues, now) {
    this.#names = queues.map(({ name }) => name);
    for (const settings of queues) this.#create(settings, now);
    for (const { name, forwardDeadLetteredMessagesTo: target } of queues) {
      if (target && !this.feed(target)) throw new Error(`${name} forwards dead letters to ${target}, which is not a queue`);
    }
  }

  /** The feed of the queue or dead-letter queue at this address; undefined when there is none. */
  feed(address) {
    return this.#feeds.get(address.toLowerCase());
  }

  /** How many messages each queue holds, by state. */
  counts() {
    const count = (name) => {
      const { active, scheduled, locked } = this.feed(name).queue.counts;
      return [name, { active, scheduled, deadLettered: this.feed(name + DEAD_LETTER_SUFFIX).queue.size, locked }];
    };
    return Object.fromEntries(this.#names.map(count));
  }

  #create(settings, now) {
    const { name, forwardDeadLetteredMessagesTo } = settings;
    const deadLetterName = name + DEAD_LETTER_SUFFIX;
    const keep = (entry, reason, description) => {
      const message = withDeadLetterReason(entry.message, reason, description);
      this.feed(deadLetterName).queue.enqueue(message, { deliveryCount: entry.deliveryCount });
    };
    const forward = (entry, reason, description) => {
      const message = withDeadLetterReason(entry.message, reason, description);
      const carried = { deadLetterSource: name, enqueueSequenceNumber: entry.sequenceNumber };
      this.feed(forwardDeadLetteredMessagesTo).queue.enqueue(message, carried);
    };
    this.#open(settings, now, forwardDeadLetteredMessagesTo ? forward : keep);
    this.#open({ ...settings, name: deadLetterName, maxDeliveryCount: Infinity }, now, keep);
  }

  #open(settings, now, deadLetter) {
    this.#feeds.set(settings.name.toLowerCase(), new Feed(new Queue(settings, now, deadLetter)));
  }
}
