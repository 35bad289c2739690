// Connecting, coming back, staying connected, and requests: the state machine with plain values.

import { describe, expect, it } from 'vitest';
import { ceiling } from '../backoff.ts';
import { CLOSE_CODES, comesBack } from '../close_codes.ts';
import { Connection } from '../connection/connection.ts';
import { PROVEN_MS } from '../connection/core.ts';
import { LoginError } from '../errors.ts';
import type { ErrorCode } from '../protocol.ts';
import {
  ask,
  closed,
  comeBack,
  done,
  frame,
  helloOf,
  id,
  kindsOf,
  live,
  liveAt,
  ME,
  NOON,
  refusal,
  requestsOf,
  retryAt,
  start,
  tokens,
  updatesOf,
  welcomeAt,
} from './scene.ts';

function loginRefused(code: ErrorCode, retry_after_ms?: number) {
  const refused = { code, message: code, ...(retry_after_ms !== undefined && { retry_after_ms }) };
  return { kind: 'login_failed', error: new LoginError({ kind: 'refused', refusal: refused, status: 401 }) } as const;
}

describe('connecting', () => {
  it('logs in, opens, says hello and is live', () => {
    const connection = new Connection(start());
    expect(connection.deadline).toBe(0);
    expect(connection.apply(0, { kind: 'tick' })).toEqual([{ kind: 'log_in' }]);
    const opening = connection.apply(1000, tokens('1'));
    const told = { kind: 'logged_in', refreshToken: 'refresh 1', profiles: [] };
    expect(opening).toEqual([{ kind: 'deliver', update: told }, { kind: 'open' }]);
    const hello = helloOf(connection.apply(2000, { kind: 'opened' }));
    expect(hello).toMatchObject({ version: 1, access_token: 'access 1', device: id(1), client: 'test' });
    expect(hello).not.toHaveProperty('cursor');
    const actions = connection.apply(3000, welcomeAt(NOON));
    expect(updatesOf(actions)).toMatchObject([{ kind: 'connected', resumes: false }]);
    expect(connection.state).toEqual({ kind: 'live', since: 3000, heardAt: 3000, silenceMs: 50_000 });
  });

  it('uses a refresh token first, and a password when that is refused', () => {
    const renewal = { kind: 'token', token: 'old' } as const;
    const connection = new Connection(start({ renewal }));
    expect(connection.apply(0, { kind: 'tick' })).toEqual([{ kind: 'refresh', renewal }]);
    expect(connection.apply(0, loginRefused('invalid_token'))).toEqual([{ kind: 'log_in' }]);
    const without = new Connection(start({ renewal, logIn: 'never' }));
    without.apply(0, { kind: 'tick' });
    without.apply(0, loginRefused('invalid_token'));
    expect(without.state).toMatchObject({ kind: 'stopped', reason: { kind: 'login_refused' } });
  });

  it('with a cookie shows no token, renews by the cookie, and forgets what the person gave', () => {
    const connection = new Connection(start({ logIn: 'once' }));
    connection.apply(0, { kind: 'tick' });
    const reply = { access_token: 'access', expires_in: 600, profiles: [] };
    const actions = connection.apply(0, { kind: 'logged_in', reply });
    expect(updatesOf(actions)).toEqual([{ kind: 'logged_in', profiles: [] }]);
    connection.apply(0, { kind: 'opened' });
    connection.apply(0, welcomeAt(NOON));
    connection.apply(9000, closed(4002));
    const now = retryAt(connection);
    expect(connection.apply(now, { kind: 'tick' })).toEqual([{ kind: 'refresh', renewal: { kind: 'cookie' } }]);
    connection.apply(now, loginRefused('invalid_token'));
    expect(connection.state.kind).toBe('stopped');
  });

  it('a login that was made just now goes straight to the socket', () => {
    const login = { access_token: 'access', refresh_token: 'refresh', expires_in: 600, profiles: [] };
    const connection = new Connection(start({ logIn: 'never', login }));
    expect(connection.apply(0, { kind: 'tick' })).toEqual([{ kind: 'open' }]);
    expect(helloOf(connection.apply(0, { kind: 'opened' })).access_token).toBe('access');
    expect(connection.renewal).toEqual({ kind: 'token', token: 'refresh' });
  });

  it('a wrong password stops, a busy server does not', () => {
    const connection = new Connection(start());
    connection.apply(0, { kind: 'tick' });
    connection.apply(1000, loginRefused('overloaded', 7000));
    expect(retryAt(connection)).toBe(8000);
    expect(connection.apply(8000, { kind: 'tick' })).toEqual([{ kind: 'log_in' }]);
    const actions = connection.apply(9000, loginRefused('wrong_credentials'));
    expect(updatesOf(actions)).toMatchObject([{ kind: 'stopped', reason: { kind: 'login_refused' } }]);
    expect(connection.deadline).toBeUndefined();
    expect(connection.apply(90_000, { kind: 'tick' })).toEqual([]);
  });

  it('no welcome in time is a failure', () => {
    const connection = new Connection(start());
    connection.apply(0, { kind: 'tick' });
    connection.apply(0, tokens('1'));
    connection.apply(1000, { kind: 'opened' });
    expect(connection.deadline).toBe(11_000);
    const actions = connection.apply(11_000, { kind: 'tick' });
    expect(updatesOf(actions)).toMatchObject([{ reason: { kind: 'handshake_timeout' } }]);
  });

  it('another person than the one whose outbox it is: stops, and says who', () => {
    const connection = new Connection(start());
    connection.apply(0, { kind: 'store_opened', person: id(99), entries: [] });
    connection.apply(0, { kind: 'tick' });
    connection.apply(0, tokens('1'));
    connection.apply(0, { kind: 'opened' });
    connection.apply(0, welcomeAt(NOON));
    expect(connection.state).toMatchObject({ kind: 'stopped', reason: { kind: 'other_person', person: ME } });
  });
});

describe('coming back', () => {
  it('each failure doubles the longest wait, never above half a minute, and a proven connection starts anew', () => {
    for (const random of [() => 0, () => 0.5, () => 1 - Number.EPSILON]) {
      const { connection } = liveAt(0, { random });
      connection.apply(1000, closed());
      let now = 1000;
      for (let failures = 0; failures < 12; failures += 1) {
        const wait = retryAt(connection) - now;
        expect(wait).toBeCloseTo(random() * Math.min(30_000, 500 * 2 ** failures), 6);
        expect(wait).toBeLessThanOrEqual(ceiling(failures));
        now = retryAt(connection);
        expect(connection.apply(now, { kind: 'tick' })).toEqual([{ kind: 'open' }]);
        connection.apply(now, { kind: 'open_failed', text: 'refused' });
        expect(connection.state).toMatchObject({ attempt: failures + 2 });
      }
      const back = comeBack(connection, NOON);
      connection.apply(back.now + PROVEN_MS, closed());
      expect(connection.state).toMatchObject({ attempt: 1 });
    }
  });

  it('a told wait is kept to the millisecond, whatever the device says', () => {
    const connection = live();
    connection.apply(9000, closed(4000, 'restarting after_ms=3210'));
    expect(retryAt(connection)).toBe(12_210);
    expect(connection.apply(12_000, { kind: 'hint', hint: 'online' })).toEqual([]);
    expect(connection.apply(12_209, { kind: 'tick' })).toEqual([]);
    expect(connection.apply(12_210, { kind: 'tick' })).toEqual([{ kind: 'open' }]);
  });

  it('a device that is online again, or an app that is opened, is a try at once', () => {
    for (const hint of ['online', 'visible'] as const) {
      const { connection } = liveAt(0, { random: () => 1 });
      connection.apply(9000, { kind: 'hint', hint: 'offline' });
      expect(retryAt(connection)).toBe(9500);
      expect(connection.apply(9001, { kind: 'hint', hint })).toEqual([{ kind: 'open' }]);
    }
  });

  it('an expired token is refreshed first, and an invalid one once', () => {
    const connection = live();
    connection.apply(9000, closed(4502, 'invalid_token'));
    const now = retryAt(connection);
    const refresh = { kind: 'refresh', renewal: { kind: 'token', token: 'refresh 1' } };
    expect(connection.apply(now, { kind: 'tick' })).toEqual([refresh]);
    connection.apply(now, tokens('2'));
    expect(helloOf(connection.apply(now, { kind: 'opened' })).access_token).toBe('access 2');
    connection.apply(now, closed(4502, 'invalid_token'));
    expect(connection.state).toMatchObject({ reason: { kind: 'closed', code: 4502, name: 'invalid_token' } });
    const expired = live();
    expired.apply(9000, closed(4002, 'token_expired'));
    expect(expired.apply(retryAt(expired), { kind: 'tick' })).toEqual([refresh]);
  });

  it('codes that say so stop, and all others come back', () => {
    for (const code of Object.keys(CLOSE_CODES).map(Number)) {
      const connection = live();
      expect(kindsOf(connection.apply(9000, closed(code)))).toContain('close');
      expect([code, connection.state.kind === 'stopped']).toEqual([code, !comesBack(code) && code !== 4502]);
    }
    for (const code of [undefined, 1000, 1011, 4321]) {
      const connection = live();
      connection.apply(9000, closed(code));
      expect(connection.state.kind).toBe('disconnected');
    }
    const newer = live();
    newer.apply(9000, closed(4999));
    expect(newer.state.kind).toBe('stopped');
  });

  it('the newest cursor is in the next hello, and what is resumed or not is told', () => {
    const connection = live();
    for (const number of [1, 2]) {
      const cursor = Uint8Array.of(number);
      expect(connection.apply(1000, frame({ t: 'cursor', cursor }))).toEqual([{ kind: 'keep_cursor', cursor }]);
    }
    connection.apply(9000, closed(4001));
    const now = retryAt(connection);
    connection.apply(now, { kind: 'tick' });
    expect(helloOf(connection.apply(now, { kind: 'opened' })).cursor).toEqual(Uint8Array.of(2));
    expect(updatesOf(connection.apply(now, welcomeAt(NOON)))).toMatchObject([{ kind: 'connected', resumes: true }]);
    const resumed = connection.apply(now, frame({ t: 'resumed', space: id(4), events: 3 }));
    expect(updatesOf(resumed)).toEqual([{ kind: 'resumed', space: id(4), events: 3 }]);
    const resync = connection.apply(now, frame({ t: 'resync', space: id(4) }));
    expect(updatesOf(resync)).toEqual([{ kind: 'resync', space: id(4) }]);
  });

  it('a cursor of an earlier run is in the first hello', () => {
    const connection = new Connection(start());
    connection.apply(0, { kind: 'store_opened', person: ME, entries: [], cursor: Uint8Array.of(7) });
    connection.apply(0, { kind: 'tick' });
    connection.apply(0, tokens('1'));
    expect(helloOf(connection.apply(0, { kind: 'opened' })).cursor).toEqual(Uint8Array.of(7));
  });

  it('an application that takes no updates is disconnected and resumes', () => {
    const connection = live();
    expect(updatesOf(connection.apply(1000, { kind: 'behind' }))).toMatchObject([{ reason: { kind: 'behind' } }]);
    expect(connection.state.kind).toBe('disconnected');
  });
});

describe('staying connected', () => {
  it('after a silence it asks, any answer counts, and none within ten seconds is the end', () => {
    const connection = live();
    expect(connection.deadline).toBe(50_000);
    connection.apply(49_000, { kind: 'heard' });
    expect(connection.apply(50_000, { kind: 'tick' })).toEqual([]);
    expect(connection.deadline).toBe(99_000);
    const [probe] = requestsOf(connection.apply(99_000, { kind: 'tick' }));
    expect(probe?.request).toEqual({ op: 'list_logins' });
    expect(connection.deadline).toBe(109_000);
    connection.apply(100_000, refusal(probe?.id ?? -1, 'overloaded'));
    expect(connection.deadline).toBe(150_000);
    connection.apply(150_000, { kind: 'tick' });
    const actions = connection.apply(160_000, { kind: 'tick' });
    expect(updatesOf(actions)).toMatchObject([{ kind: 'disconnected', reason: { kind: 'silence' } }]);
  });

  it('an app that is opened asks at once whether the server is still there, once', () => {
    const connection = live();
    expect(requestsOf(connection.apply(1000, { kind: 'hint', hint: 'visible' }))).toHaveLength(1);
    expect(connection.apply(1001, { kind: 'hint', hint: 'online' })).toEqual([]);
    expect(connection.deadline).toBe(11_000);
  });

  it('before the token ends it is renewed on a new connection, between requests', () => {
    const connection = live();
    connection.apply(560_000, { kind: 'heard' });
    const [request] = requestsOf(connection.apply(570_000, ask(1)));
    connection.apply(581_000, { kind: 'tick' });
    expect(connection.state.kind).toBe('live');
    connection.apply(582_000, done(request?.id ?? -1));
    expect(connection.deadline).toBe(580_000);
    const actions = connection.apply(582_000, { kind: 'tick' });
    expect(updatesOf(actions)).toEqual([{ kind: 'disconnected', retryInMs: 0, reason: { kind: 'token_ends' } }]);
    expect(kindsOf(connection.apply(582_000, { kind: 'tick' }))).toEqual(['refresh']);
  });
});

describe('requests', () => {
  it('eight are under way, the rest wait for a slot, and beyond sixty-four they are told to come later', () => {
    const connection = live();
    const ids = Array.from({ length: 8 }, (_, ticket) => requestsOf(connection.apply(1000, ask(ticket)))[0]?.id);
    expect(requestsOf(connection.apply(1000, ask(8)))).toEqual([]);
    const actions = connection.apply(2000, done(ids[3] ?? -1));
    expect(actions[0]).toMatchObject({ kind: 'answer', ticket: 3, answer: { kind: 'reply' } });
    expect(requestsOf(actions)).toHaveLength(1);
    for (let ticket = 100; ticket < 164; ticket += 1) expect(connection.apply(2000, ask(ticket))).toEqual([]);
    expect(connection.apply(2000, ask(164))).toMatchObject([{ ticket: 164, answer: { problem: { kind: 'busy' } } }]);
  });

  it('one waits for a connection, and no longer than it may', () => {
    const connection = new Connection(start());
    connection.apply(0, { kind: 'tick' });
    connection.apply(0, ask(1));
    connection.apply(20_000, ask(2));
    expect(connection.deadline).toBe(30_000);
    const timedOut = connection.apply(30_000, { kind: 'tick' });
    expect(timedOut).toMatchObject([{ ticket: 1, answer: { problem: { kind: 'timed_out' } } }]);
    connection.apply(31_000, tokens('1'));
    connection.apply(31_000, { kind: 'opened' });
    expect(requestsOf(connection.apply(31_000, welcomeAt(NOON)))).toHaveLength(1);
  });

  it('what is under way when the connection ends is answered with that, and what waits when it stops', () => {
    const connection = live();
    connection.apply(1000, ask(1));
    const ended = connection.apply(2000, closed());
    expect(ended[1]).toMatchObject({ ticket: 1, answer: { problem: { kind: 'disconnected' } } });
    connection.apply(2000, ask(2));
    const stopped = connection.apply(3000, { kind: 'stop' });
    expect(stopped[1]).toMatchObject({ ticket: 2, answer: { problem: { kind: 'stopped' } } });
    expect(updatesOf(stopped)).toEqual([{ kind: 'stopped', reason: { kind: 'asked' } }]);
    expect(connection.apply(4000, ask(3))).toMatchObject([{ ticket: 3, answer: { problem: { kind: 'stopped' } } }]);
  });

  it('a refusal reaches the caller, and so does a reply of another kind', () => {
    const connection = live();
    const [first] = requestsOf(connection.apply(1000, ask(1)));
    const refused = connection.apply(1000, refusal(first?.id ?? -1, 'not_found'));
    expect(refused).toMatchObject([{ ticket: 1, answer: { problem: { refusal: { code: 'not_found' } } } }]);
    const [second] = requestsOf(connection.apply(1000, ask(2)));
    const other = frame({ t: 'reply', id: second?.id ?? -1, reply: { kind: 'read' } });
    expect(connection.apply(1000, other)).toMatchObject([{ answer: { problem: { kind: 'unexpected_reply' } } }]);
  });
});
