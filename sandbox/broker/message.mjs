/** AMQP bytes to a stored message and back; sections the broker does not touch stay byte for byte as they were sent. */
import rhea from 'rhea';

const { types } = rhea;
const EMPTY = Buffer.alloc(0);
const BATCH_FORMAT = 0x80013700;
const HEADER = 0x70;
const DELIVERY_ANNOTATIONS = 0x71;
const MESSAGE_ANNOTATIONS = 0x72;
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;

/** The largest message a sender may send, as in the standard tier. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

/** The messages of one transfer: one, or as many as its batch holds. */
export function parseTransfer(bytes, format) {
  return format === BATCH_FORMAT ? batched(bytes).map(parseMessage) : [parseMessage(bytes)];
}

/** One message, taken apart as far as the broker has to change it. */
export function parseMessage(bytes) {
  const message = {
    header: [],
    annotations: [],
    properties: EMPTY,
    applicationProperties: EMPTY,
    body: EMPTY,
    scheduledFor: 0,
  };
  const reader = new types.Reader(bytes);
  while (reader.remaining()) {
    const start = reader.position;
    const code = sectionCode(bytes, start);
    if (code >= DATA) {
      message.body = Buffer.from(bytes.subarray(start));
      break;
    }
    const section = reader.read();
    const original = () => Buffer.from(bytes.subarray(start, reader.position));
    if (code === HEADER) message.header = section.value;
    else if (code === MESSAGE_ANNOTATIONS) readAnnotations(message, section.value);
    else if (code === PROPERTIES) message.properties = original();
    else if (code === APPLICATION_PROPERTIES) message.applicationProperties = original();
    else if (code !== DELIVERY_ANNOTATIONS) throw new Error(`unknown message section ${code}`);
  }
  return message;
}

/** A queue entry as a receiver gets it, with the annotations Service Bus adds. */
export function encodeEntry(entry, lockedUntil) {
  const { header, annotations, properties, applicationProperties, body } = entry.message;
  const [durable, priority, timeToLive] = header;
  const delivered = [
    durable ?? types.False(),
    priority ?? types.wrap_ubyte(4),
    timeToLive ?? types.Null(),
    types.wrap_boolean(entry.deliveryCount === 0),
    types.wrap_uint(entry.deliveryCount), // present even at 0, or the SDK reads null
  ];
  return Buffer.concat([
    encodeSection(HEADER, types.List32(delivered)),
    encodeSection(MESSAGE_ANNOTATIONS, types.Map32([...annotations, ...brokerAnnotations(entry, lockedUntil)])),
    properties,
    applicationProperties,
    body,
  ]);
}

/** The message with why it was dead-lettered among its application properties. */
export function withDeadLetterReason(message, reason, description) {
  const added = { DeadLetterReason: reason, DeadLetterErrorDescription: description };
  const properties = message.applicationProperties.length
    ? new types.Reader(message.applicationProperties).read().value
    : [];
  const kept = pairs(properties).filter(([key]) => !(key.value in added));
  for (const [key, value] of Object.entries(added)) {
    if (value) kept.push([types.wrap_string(key), types.wrap_string(value)]);
  }
  return { ...message, applicationProperties: encodeSection(APPLICATION_PROPERTIES, types.Map32(kept.flat())) };
}

function batched(bytes) {
  const reader = new types.Reader(bytes);
  const messages = [];
  while (reader.remaining()) {
    const code = sectionCode(bytes, reader.position);
    const section = reader.read();
    if (code === DATA) messages.push(section.value);
  }
  return messages;
}

function sectionCode(bytes, start) {
  const isSmall = bytes[start + 1] === 0x53;
  return isSmall ? bytes[start + 2] : Number(bytes.readBigUInt64BE(start + 2));
}

function readAnnotations(message, typed) {
  message.annotations = typed;
  for (const [key, { value }] of pairs(typed)) {
    if (key.value === 'x-opt-scheduled-enqueue-time') message.scheduledFor = Number(value);
  }
}

function brokerAnnotations(entry, lockedUntil) {
  const annotations = {
    'x-opt-sequence-number': types.wrap_long(entry.sequenceNumber),
    'x-opt-enqueued-time': types.wrap_timestamp(entry.enqueuedAt),
    'x-opt-message-state': types.wrap_int(entry.state),
  };
  if (lockedUntil) annotations['x-opt-locked-until'] = types.wrap_timestamp(lockedUntil);
  if (entry.deadLetterSource) {
    annotations['x-opt-deadletter-source'] = types.wrap_string(entry.deadLetterSource);
    annotations['x-opt-enqueue-sequence-number'] = types.wrap_long(entry.enqueueSequenceNumber);
  }
  return Object.entries(annotations).flatMap(([key, value]) => [types.wrap_symbol(key), value]);
}

function encodeSection(code, content) {
  const writer = new types.Writer();
  writer.write(types.described(types.wrap_ulong(code), content));
  return writer.toBuffer();
}

function pairs(list) {
  return Array.from({ length: list.length / 2 }, (_, at) => [list[2 * at], list[2 * at + 1]]);
}
