// Ids: hyphenated text for programs, sixteen bytes in MessagePack.

import type { Id, MessageId, Timestamp } from './protocol.ts';

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function isId(value: unknown): value is Id {
  return typeof value === 'string' && FORM.test(value);
}

/** The sixteen bytes of an id. */
export function idBytes(id: Id): Uint8Array {
  const digits = id.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16));
}

/** The id that these sixteen bytes are. */
export function idText(bytes: Uint8Array): Id {
  let text = '';
  for (const [index, byte] of bytes.entries()) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += HEX[byte];
  }
  return text;
}

/**
 * A new random id, a UUID of version 4. Not `crypto.randomUUID`: browsers have that only over TLS, and a school's first
 * try on its own network has none.
 */
export function newId(): Id {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return idText(bytes);
}

/** When a message was sent: the first 48 bits of its id. */
export function timeOfMessage(message: MessageId): Timestamp {
  return Number.parseInt(message.slice(0, 8) + message.slice(9, 13), 16);
}
