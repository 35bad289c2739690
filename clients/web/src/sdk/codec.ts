// Frames to bytes and back, in MessagePack and in JSON.
//
// Ids are text in this SDK and sixteen bytes in MessagePack. Reading, every `bin` of sixteen bytes is an id, except the
// cursor, the only other bytes of the protocol. Writing, `ID_FIELDS` names the fields of client frames that hold ids.

import { Decoder, Encoder } from '@msgpack/msgpack';
import { FrameError } from './errors.ts';
import { idBytes, idText, isId } from './ids.ts';
import { CLIENT_FRAME_BYTES, CURSOR_BYTES, NESTING_DEPTH, SERVER_FRAME_BYTES } from './limits.ts';
import type { ClientFrame, Cursor, ServerFrame } from './protocol.ts';
import { serverFrame } from './shape.ts';

export type Encoding = 'msgpack' | 'json';

export function subprotocol(encoding: Encoding): string {
  return `samtale.v1.${encoding}`;
}

export function encode(encoding: Encoding, frame: ClientFrame): Uint8Array<ArrayBuffer> | string {
  const written = encoding === 'json' ? toJson(frame) : encoder.encode(withBytes(frame, ''));
  const bytes = typeof written === 'string' ? new TextEncoder().encode(written).length : written.length;
  if (bytes > CLIENT_FRAME_BYTES) throw new FrameError(`the frame has ${bytes} bytes, above ${CLIENT_FRAME_BYTES}`);
  return written;
}

/** Throws when it is no frame, or one that only a newer client knows. */
export function decode(encoding: Encoding, frame: Uint8Array | string): ServerFrame {
  if (frame.length > SERVER_FRAME_BYTES) throw new FrameError(`the frame is above ${SERVER_FRAME_BYTES} bytes`);
  return serverFrame(read(encoding, frame));
}

function read(encoding: Encoding, frame: Uint8Array | string): unknown {
  const isText = typeof frame === 'string';
  if (isText !== (encoding === 'json')) throw new FrameError('a frame of the other encoding');
  try {
    return normal(isText ? JSON.parse(frame) : decoder.decode(frame), '', 1);
  } catch (cause) {
    throw cause instanceof FrameError ? cause : new FrameError('a frame that can not be read', { cause });
  }
}

// Writing.

const ID_FIELDS: ReadonlySet<string> = new Set(
  `device space as_profile client_id thread message messages profile profiles group regarding reply_to before after
  session`.split(/\s+/),
);

const encoder = new Encoder({ ignoreUndefined: true });

function withBytes(value: unknown, field: string): unknown {
  if (typeof value === 'string') return ID_FIELDS.has(field) ? idBytes(checkedId(value, field)) : value;
  if (Array.isArray(value)) return value.map((item) => withBytes(item, field));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withBytes(item, name)]));
}

function toJson(frame: ClientFrame): string {
  return JSON.stringify(frame, function (this: Record<string, unknown>, name, item) {
    // A typed array has become an object of its numbers here only if it is not taken from where it stands.
    const value = name === '' ? item : this[name];
    if (value instanceof Uint8Array) return base64(value);
    return typeof value === 'string' && ID_FIELDS.has(name) ? checkedId(value, name) : item;
  });
}

function checkedId(value: string, field: string): string {
  if (!isId(value)) throw new FrameError(`"${field}" holds no id`);
  return value;
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

// Reading.

const decoder = new Decoder({
  // Lengths are claims until the bytes are there: nothing is made for what cannot be in the frame.
  maxStrLength: SERVER_FRAME_BYTES,
  maxBinLength: SERVER_FRAME_BYTES,
  maxArrayLength: SERVER_FRAME_BYTES,
  maxMapLength: SERVER_FRAME_BYTES,
  mapKeyConverter: (key) => {
    if (typeof key !== 'string') throw new FrameError('a key that is no text');
    return key;
  },
  extensionCodec: {
    tryToEncode: () => null,
    decode: () => {
      throw new FrameError('an extension type');
    },
  },
});

/** A read value as this SDK shows it: ids as text, a cursor as bytes, and null as what it means, left out. */
function normal(value: unknown, field: string, depth: number): unknown {
  if (typeof value === 'number') return checkedNumber(value);
  if (field === 'cursor' && depth === 2) return cursor(value);
  if (value instanceof Uint8Array) return value.length === 16 ? idText(value) : value.slice();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > NESTING_DEPTH) throw new FrameError(`nested deeper than ${NESTING_DEPTH}`);
  if (Array.isArray(value)) return value.map((item) => normal(item, field, depth + 1));
  const fields = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(fields.map(([name, item]) => [name, normal(item, name, depth + 1)]));
}

function checkedNumber(value: number): number {
  // Above 2^53 a double has lost digits already, so what it holds is not what was sent.
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new FrameError('an integer above 53 bits');
  return value;
}

function cursor(value: unknown): Cursor {
  const bytes = typeof value === 'string' ? Uint8Array.from(atob(value), (digit) => digit.charCodeAt(0)) : value;
  if (!(bytes instanceof Uint8Array) || bytes.length > CURSOR_BYTES) throw new FrameError('"cursor" holds no cursor');
  return bytes.slice();
}
