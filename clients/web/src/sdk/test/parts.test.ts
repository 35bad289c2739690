// The small parts: addresses, the server's time, ids, and the order of updates and cursors.

import { describe, expect, it } from 'vitest';
import { ServerAddress } from '../address.ts';
import { ServerClock } from '../clock.ts';
import { Updates } from '../driver/deliveries.ts';
import { idBytes, idText, isId, newId, timeOfMessage } from '../ids.ts';
import { NOON } from './scene.ts';

describe('an address', () => {
  it('is read, and leads to the socket', () => {
    expect(new ServerAddress('http://127.0.0.1:8080').socket).toBe('ws://127.0.0.1:8080/v1/ws');
    expect(new ServerAddress(' https://skole.example/ ').socket).toBe('wss://skole.example/v1/ws');
    expect(new ServerAddress('https://[::1]:9').page('/v1/login')).toBe('https://[::1]:9/v1/login');
  });

  it('is nothing else', () => {
    for (const text of [
      'skole.example',
      'ftp://a',
      'http://',
      'http://a:b',
      'http://a/x',
      'http://u:p@a',
      'http://a?x',
    ]) {
      expect(() => new ServerAddress(text)).toThrow('address');
    }
  });
});

describe('the server’s time', () => {
  it('has half the round trip added, and goes on', () => {
    const clock = new ServerClock();
    expect(clock.now(0)).toBeUndefined();
    clock.learn(100, 140, NOON);
    expect(clock.now(140)).toBe(NOON + 20);
    expect(clock.now(1140.7)).toBe(NOON + 1020);
  });

  it('of the smallest error stays while nothing contradicts it', () => {
    const clock = new ServerClock();
    clock.learn(0, 2, NOON);
    clock.learn(1000, 1600, NOON + 1400);
    expect(clock.now(1600)).toBe(NOON + 1599);
    // Ten minutes of sleep that the monotonic clock did not count.
    clock.learn(2000, 2100, NOON + 602_000);
    expect(clock.now(2100)).toBe(NOON + 602_050);
  });

  it('is replaced when it is distrusted', () => {
    const clock = new ServerClock();
    clock.learn(0, 2, NOON);
    clock.distrust();
    expect(clock.now(2)).toBe(NOON + 1);
    clock.learn(10, 110, NOON);
    expect(clock.now(110)).toBe(NOON + 50);
  });
});

it('ids are random UUIDs of version 4, and the same as bytes', () => {
  const [one, other] = [newId(), newId()];
  expect(one).not.toBe(other);
  expect(one).toMatch(/^.{14}4.{4}[89ab]/);
  expect(idText(idBytes(one))).toBe(one);
  expect(isId('019FEA41-ab00-7222-a222-000000000001')).toBe(false);
  expect(timeOfMessage('019fea41-ab00-7222-a222-000000000001')).toBe(1_786_341_600_000);
});

describe('updates', () => {
  const behind = { kind: 'update', update: { kind: 'signal', signal: { kind: 'unknown' } } } as const;
  const cursor = (number: number) => ({ kind: 'cursor', cursor: Uint8Array.of(number) }) as const;

  function updatesThatKeep(kept: number[]): Updates {
    return new Updates(async (newest) => void kept.push(newest[0] ?? -1));
  }

  it('a cursor is kept only once the application asks for more than came before it', async () => {
    const kept: number[] = [];
    const updates = updatesThatKeep(kept);
    updates.push(behind);
    updates.push(cursor(1));
    expect((await updates.next()).value).toEqual(behind.update);
    expect(kept).toEqual([]);
    const next = updates.next();
    updates.push(cursor(2));
    updates.push(behind);
    await next;
    expect(kept).toEqual([1, 2]);
  });

  it('end with the last one, or when the application leaves the loop, and then keep no cursor', async () => {
    const kept: number[] = [];
    const updates = updatesThatKeep(kept);
    updates.push(behind);
    for await (const _ of updates) break;
    updates.push(cursor(1));
    expect(await updates.next()).toEqual({ done: true, value: undefined });
    expect(kept).toEqual([]);
    const others = updatesThatKeep(kept);
    others.push({ kind: 'update', update: { kind: 'stopped', reason: { kind: 'asked' } } });
    const kinds: string[] = [];
    for await (const update of others) kinds.push(update.kind);
    expect(kinds).toEqual(['stopped']);
  });
});
