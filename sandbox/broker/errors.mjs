/** The AMQP error conditions the broker answers with. Each has all three fields: the SDK waits for ever without `info`. */

export const LOCK_LOST = {
  condition: 'com.microsoft:message-lock-lost',
  description: 'The lock supplied is invalid. Either the lock expired, or the message has already been removed.',
  info: {},
};

export const SERVER_BUSY = {
  condition: 'com.microsoft:server-busy',
  description: 'The request was terminated because the entity is being throttled.',
  info: {},
};

export const LINK_MESSAGE_TOO_LARGE = {
  condition: 'amqp:link:message-size-exceeded',
  description: 'The received message is larger than the limit of this link.',
  info: {},
};

export const MESSAGE_NOT_FOUND = {
  condition: 'com.microsoft:message-not-found',
  description: 'A message with this sequence number was not found.',
  info: {},
};

export const NOT_IMPLEMENTED = {
  condition: 'amqp:not-implemented',
  description: 'This broker does not offer the operation.',
  info: {},
};

/** The error for an address that leads to no queue. */
export function notFound(address) {
  const description = `The messaging entity '${address}' could not be found.`;
  return { condition: 'amqp:not-found', description, info: {} };
}
