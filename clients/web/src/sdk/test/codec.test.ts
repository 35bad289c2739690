// The wire is pinned: the same files that the server's own tests read.

import { decode as decodeMessagePack } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { CLOSE_CODES, comesBack, toldWait } from '../close_codes.ts';
import { decode, encode } from '../codec.ts';
import { type ClientFrame, ERROR_CODES, REPLY_KINDS, type ServerFrame } from '../protocol.ts';
import { type GoldenFile, goldenFiles, goldenText } from './golden.ts';

const label = (file: GoldenFile) => `${file.name} in ${file.encoding}`;
const fromBase64 = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'));

/** A golden frame as this SDK shows it, by a way of its own: from the JSON twin, with the cursor as bytes. */
function twin<Frame>(folder: string, name: string): Frame {
  const frame = JSON.parse(goldenText(`${folder}/${name}.json`));
  if (frame.cursor) frame.cursor = fromBase64(frame.cursor);
  return frame;
}

describe('server frames', () => {
  for (const file of goldenFiles('server')) {
    it(`${label(file)} reads as its JSON twin`, () => {
      expect(decode(file.encoding, file.content)).toEqual(twin<ServerFrame>('server', file.name));
    });
  }
});

describe('client frames', () => {
  for (const file of goldenFiles('client')) {
    it(`${label(file)} is written byte for byte`, () => {
      const written = encode(file.encoding, twin<ClientFrame>('client', file.name));
      expect(written).toEqual(file.content);
    });
  }

  it('leaves out what is undefined in both encodings', () => {
    const frame = { t: 'request', id: 1, request: { op: 'inbox', space: undefined, limit: 20 } };
    const expected = { t: 'request', id: 1, request: { op: 'inbox', limit: 20 } };
    expect(decodeMessagePack(encode('msgpack', frame as never) as Uint8Array)).toEqual(expected);
    expect(JSON.parse(encode('json', frame as never) as string)).toEqual(expected);
  });

  it('never holds what is no id where an id belongs, nor more than the server takes', () => {
    for (const encoding of ['msgpack', 'json'] as const) {
      const badId: ClientFrame = { t: 'request', id: 1, request: { op: 'typing', thread: 'no id' } };
      expect(() => encode(encoding, badId)).toThrow('"thread" holds no id');
      const large: ClientFrame = {
        t: 'request',
        id: 1,
        request: { op: 'save_draft', thread: '019fea41-ab00-7111-9111-000000000001', text: 'å'.repeat(40_000) },
      };
      expect(() => encode(encoding, large)).toThrow('above 65536');
    }
  });
});

describe('frames of a newer server', () => {
  const server = new Set(goldenFiles('server').map((file) => file.name));
  for (const file of goldenFiles('newer').filter((file) => server.has(file.name))) {
    it(`${label(file)} reads as what is known of it, whatever else it holds`, () => {
      expect(decode(file.encoding, file.content)).toMatchObject(twin<object>('server', file.name));
    });
  }
});

describe('what is no frame', () => {
  // A client is a reader here and never a judge: of two equal keys it takes the last, text that is not UTF-8 gets a mark
  // in its place, and the fields within events and replies are not checked one by one. (Many of these files are requests,
  // which a client refuses already because nobody sends it one.)
  const survived = new Set(['duplicate_field', 'version_negative']);
  for (const file of goldenFiles('refused').filter((file) => !survived.has(file.name))) {
    it(`${label(file)} is refused`, () => {
      expect(() => decode(file.encoding, file.content)).toThrow();
    });
  }
});

describe('the lists', () => {
  it('close codes are those of the shared file', () => {
    const listed = Object.entries(CLOSE_CODES).map(([code, name]) => ({
      code: Number(code),
      come_back: comesBack(Number(code)),
      name,
    }));
    expect(listed).toEqual(JSON.parse(goldenText('close_codes.json')));
  });

  it('a told wait is read from a close reason', () => {
    expect(toldWait('restarting after_ms=3500')).toBe(3500);
    expect(toldWait('restarting')).toBeUndefined();
  });

  it('every error code, operation and reply of the golden frames is known', () => {
    const frames = (folder: string) =>
      goldenFiles(folder).map((file) => twin<Record<string, never>>(folder, file.name));
    const errors = frames('server').flatMap((frame) => (frame.error ? [frame.error['code']] : []));
    expect(new Set(errors)).toEqual(new Set(Object.keys(ERROR_CODES)));
    const operations = frames('client').flatMap((frame) => (frame.request ? [frame.request['op']] : []));
    expect(new Set(operations)).toEqual(new Set(Object.keys(REPLY_KINDS)));
    const replies = frames('server').flatMap((frame) => (frame.reply ? [frame.reply['kind']] : []));
    expect(new Set(replies)).toEqual(new Set(Object.values(REPLY_KINDS)));
  });
});
