/** AMQP links: which address leads where, and what comes in on them. */
import rhea from 'rhea';
import frames from 'rhea/lib/frames.js';
import { answerTokenRequest } from './cbs.mjs';
import { Consumer } from './consumer.mjs';
import { Deliveries } from './deliveries.mjs';
import { LINK_MESSAGE_TOO_LARGE, SERVER_BUSY, notFound } from './errors.mjs';
import { answerManagementRequest } from './management.mjs';
import { MAX_MESSAGE_BYTES, parseTransfer } from './message.mjs';

const { message: outcomes } = rhea;
const TOKENS = '$cbs';
const MANAGEMENT = /\/\$management$/i;
const NAMESPACE = /^amqps?:\/\/[^/]+\//;
const UNDECODED_FORMAT = 1;

/** Serves a namespace to every connection of an AMQP container; `switches.refuse` turns new messages away. */
export class Links {
  #namespace;
  #switches;
  #deliveries = new WeakMap(); // by session
  #consumers = new Map(); // by link

  constructor(container, namespace, switches) {
    this.#namespace = namespace;
    this.#switches = switches;
    container.on('session_open', ({ session }) => this.#onSessionOpen(session));
    container.on('sender_open', ({ sender }) => this.#onReceiverAttached(sender));
    container.on('receiver_open', ({ receiver }) => this.#onSenderAttached(receiver));
    container.on('sender_flow', ({ sender }) => this.#consumers.get(sender)?.feed.run());
    container.on('sender_draining', ({ sender }) => sender.set_drained(true));
    const detach = (link) => this.#detach(link);
    container.on('sender_close', ({ sender }) => detach(sender));
    container.on('session_close', ({ session }) => session.each_sender(detach));
    container.on('connection_close', ({ connection }) => connection.each_sender(detach));
    container.on('disconnected', ({ connection }) => connection.each_sender((link) => this.#forget(link)));
  }

  #onSessionOpen(session) {
    this.#deliveries.set(session, new Deliveries(session));
    const onFlow = session.on_flow.bind(session);
    session.on_flow = (frame) => {
      onFlow(frame);
      const isForEveryLink = frame.performative.handle === null || frame.performative.handle === undefined;
      if (isForEveryLink) session.each_sender((link) => this.#consumers.get(link)?.feed.wake());
    };
    const onTransfer = session.on_transfer.bind(session);
    session.on_transfer = (frame) => {
      const { performative } = frame;
      // rhea decodes format 0 and drops the bytes; a queue's messages are kept as they came.
      const keepsBytes = session.remote.handles[performative.handle]?.keepsBytes;
      if (keepsBytes && !performative.message_format) performative.message_format = UNDECODED_FORMAT;
      onTransfer(frame);
    };
  }

  /** A client receives on this link: a queue's messages, or the answers of a request-response node. */
  #onReceiverAttached(link) {
    const address = path(link.source);
    const feed = this.#namespace.feed(address.replace(MANAGEMENT, ''));
    if (!feed && address !== TOKENS) return refuse(link, 'source', address);
    if (feed && !MANAGEMENT.test(address)) {
      const consumer = new Consumer(link, this.#deliveries.get(link.session), feed);
      this.#consumers.set(link, consumer);
      feed.add(consumer);
    }
    return accept(link);
  }

  /** A client sends on this link: messages to a queue, or requests to a request-response node. */
  #onSenderAttached(link) {
    const address = path(link.target);
    const feed = this.#namespace.feed(address.replace(MANAGEMENT, ''));
    if (address === TOKENS) this.#onRequests(link, answerTokenRequest);
    else if (!feed) return refuse(link, 'target', address);
    else if (MANAGEMENT.test(address)) {
      this.#onRequests(link, (request) => answerManagementRequest(feed.queue, request, this.#switches));
    } else this.#onMessages(link, feed.queue);
    return accept(link);
  }

  #onMessages(link, queue) {
    link.keepsBytes = true;
    link.on('message', ({ message: bytes, format, delivery }) => {
      const error = this.#refusal(bytes);
      if (!error) parseTransfer(bytes, format).forEach((message) => queue.enqueue(message));
      answer(delivery, error ? outcomes.rejected({ error }) : outcomes.accepted());
    });
  }

  #refusal(bytes) {
    if (this.#switches.refuse) return SERVER_BUSY;
    return bytes.length > MAX_MESSAGE_BYTES ? LINK_MESSAGE_TOO_LARGE : undefined;
  }

  #onRequests(link, respond) {
    const { session } = link;
    const deliveries = this.#deliveries.get(session);
    link.on('message', ({ message: request, delivery }) => {
      answer(delivery, outcomes.accepted());
      const response = { correlation_id: request.message_id, ...respond(request) };
      const replyTo = session.find_sender(({ source }) => source?.address === link.target.address);
      if (replyTo && deliveries.canSend(replyTo)) deliveries.sendSettled(replyTo, outcomes.encode(response));
      // The Python SDK grants 10,000 answers when it opens the node and never more.
      else console.error(`no credit to answer a request to ${link.target.address}`);
    });
  }

  /** What was sent on a detached link and not settled is available again at once. */
  #detach(link) {
    if (this.#forget(link)) this.#deliveries.get(link.session).abandonUnsettled(link);
  }

  /** What was sent on a broken connection stays locked until its locks expire. */
  #forget(link) {
    const consumer = this.#consumers.get(link);
    consumer?.feed.remove(consumer);
    return this.#consumers.delete(link);
  }
}

function path(terminus) {
  return (terminus?.address ?? '').replace(NAMESPACE, '');
}

// The SDK takes a link for open unless source, target and settle modes come back exactly as it asked.
function accept(link) {
  const { source, target, snd_settle_mode, rcv_settle_mode } = link.remote.attach;
  Object.assign(link.local.attach, {
    source: source?.described(),
    target: target?.described(),
    snd_settle_mode,
    rcv_settle_mode,
    max_message_size: MAX_MESSAGE_BYTES,
  });
}

// A refused link is attached without its terminus and then detached with the error.
function refuse(link, terminus, address) {
  accept(link);
  link.local.attach[terminus] = null;
  link.close(notFound(address));
}

// Written as a frame of its own, because rhea merges adjacent dispositions even when their outcomes differ.
function answer(delivery, outcome) {
  const { session } = delivery.link;
  const { id } = delivery;
  session.output(frames.disposition({ role: true, first: id, last: id, settled: true, state: outcome.described() }));
  delivery.settled = true;
  session.connection._register();
}
