// Whether a read value is a server frame. The outer fields are checked, which the connection relies on; kinds that a
// newer server adds become `unknown`, as they do in the server's own golden files.

import { FrameError } from './errors.ts';
import { isId } from './ids.ts';
import type { Event, Part, ServerFrame, Signal } from './protocol.ts';

const EVENTS: ReadonlySet<string> = new Set<Event['kind']>([
  'message',
  'thread',
  'membership',
  'read',
  'thread_settings',
  'draft',
  'directory',
  'profiles',
]);
const SIGNALS: ReadonlySet<string> = new Set<Signal['kind']>(['typing', 'presence']);
const PARTS: ReadonlySet<string> = new Set<Part['kind']>(['text']);

type Fields = Record<string, unknown>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isWhole: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const isTime: Check = (value) => isWhole(value) && (value as number) < 2 ** 48;
const isRequestId: Check = (value) => isWhole(value) && (value as number) < 2 ** 32;
const isKind: Check = (value) => isFields(value) && isText(value.kind);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isRefusal: Check = (value) =>
  isFields(value) && isText(value.code) && isText(value.message) && optional(isWhole)(value.retry_after_ms);

const FRAMES: Record<ServerFrame['t'], Record<string, Check>> = {
  welcome: {
    server_time: isTime,
    person: isId,
    session: isId,
    profiles: Array.isArray,
    expires_at: isTime,
    ping_interval_ms: isWhole,
  },
  reply: { id: isRequestId, reply: isKind },
  error: { id: optional(isRequestId), error: isRefusal },
  event: { space: isId, id: isId, event: isKind },
  signal: { signal: isKind },
  cursor: { cursor: (value) => value instanceof Uint8Array },
  resumed: { space: isId, events: isWhole },
  resync: { space: isId },
};

/** The frame that a read value is. Throws when it is none. */
export function serverFrame(value: unknown): ServerFrame {
  if (!isFields(value)) throw new FrameError('a frame is an object');
  const checks = isText(value.t) && Object.hasOwn(FRAMES, value.t as string) && FRAMES[value.t as ServerFrame['t']];
  if (!checks) throw new FrameError('a frame of an unknown kind');
  for (const [name, check] of Object.entries(checks)) {
    if (!check(value[name])) throw new FrameError(`"${name}" of a ${value.t} frame is missing or of another type`);
  }
  return withKnownKinds(value) as unknown as ServerFrame;
}

function withKnownKinds(frame: Fields): Fields {
  if (frame.t === 'event') return { ...frame, event: withKnownParts(known(frame.event as Fields, EVENTS)) };
  if (frame.t === 'signal') return { ...frame, signal: known(frame.signal as Fields, SIGNALS) };
  if (frame.t !== 'reply') return frame;
  const reply = withKnownParts(frame.reply as Fields);
  if (!Array.isArray(reply.messages)) return { ...frame, reply };
  return { ...frame, reply: { ...reply, messages: reply.messages.map(withKnownParts) } };
}

function withKnownParts(holder: Fields): Fields {
  if (!isFields(holder) || !Array.isArray(holder.parts)) return holder;
  return { ...holder, parts: holder.parts.map((part) => known(part, PARTS)) };
}

function known(value: Fields, kinds: ReadonlySet<string>): Fields {
  return isFields(value) && kinds.has(value.kind as string) ? value : { kind: 'unknown' };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
