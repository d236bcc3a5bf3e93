/** Hands one queue's messages to the receivers that have credit, and wakes when a lock or a schedule is due. */

const LONGEST_TIMER = 2 ** 31 - 1;

/** The receivers of one queue, served in turn. */
export class Feed {
  #consumers = [];
  #turn = 0;
  #pending = false;
  #timer;
  #armedFor = Infinity;

  constructor(queue) {
    this.queue = queue;
    queue.changed = () => this.wake();
  }

  add(consumer) {
    this.#consumers.push(consumer);
  }

  remove(consumer) {
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
  }

  /** Feeds the receivers soon, once for everything that changes until then. */
  wake() {
    if (this.#pending) return;
    this.#pending = true;
    setImmediate(() => this.run());
  }

  /** Feeds the receivers now. */
  run() {
    this.#pending = false;
    this.queue.advance();
    this.#deliver();
    this.#arm();
  }

  #deliver() {
    let unready = 0;
    while (this.queue.hasActive && unready < this.#consumers.length) {
      this.#turn = (this.#turn + 1) % this.#consumers.length;
      const consumer = this.#consumers[this.#turn];
      if (consumer.isReady()) {
        consumer.deliver(this.queue);
        unready = 0;
      } else unready += 1;
    }
  }

  #arm() {
    const dueAt = this.queue.nextDueAt();
    if (dueAt === this.#armedFor) return;
    clearTimeout(this.#timer);
    this.#armedFor = dueAt;
    if (dueAt === Infinity) return;
    const wait = Math.min(Math.max(dueAt - Date.now(), 0), LONGEST_TIMER);
    this.#timer = setTimeout(() => {
      this.#armedFor = Infinity;
      this.wake();
    }, wait);
  }
}
