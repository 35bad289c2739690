// Login over HTTP, with a `fetch` of the test's own.

import { describe, expect, it } from 'vitest';
import { ServerAddress } from '../address.ts';
import type { LoginError } from '../errors.ts';
import { LoginService } from '../login.ts';

const GOOD = { access_token: 'a', refresh_token: 'r', expires_in: 900, profiles: [] };

interface Asked {
  url: string;
  init: RequestInit;
}

function serviceThat(answers: () => Response | Error, asked: Asked[] = []): LoginService {
  const fetch = async (url: string | URL | globalThis.Request, init?: RequestInit) => {
    asked.push({ url: String(url), init: init ?? {} });
    const answer = answers();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const server = new ServerAddress('https://skole.example');
  return new LoginService({ server, client: 'test/1', language: 'en', fetch: fetch as typeof globalThis.fetch });
}

const json = (status: number, body: unknown, headers = {}) => new Response(JSON.stringify(body), { status, headers });

async function failure(answer: Response | Error): Promise<LoginError> {
  const failing = serviceThat(() => answer).logIn('a', 'b');
  return failing.then(
    () => expect.fail('it failed'),
    (error) => error,
  );
}

describe('what is asked', () => {
  const bodies = async (ask: (service: LoginService) => Promise<unknown>) => {
    const asked: Asked[] = [];
    await ask(serviceThat(() => json(200, GOOD), asked));
    return asked.map(({ url, init }) => [new URL(url).pathname, JSON.parse(String(init.body))]);
  };

  it('with a password, a code or a token', async () => {
    expect(await bodies((service) => service.logIn('m', 'p'))).toEqual([
      ['/v1/login', { username: 'm', password: 'p', client: 'test/1' }],
    ]);
    expect(await bodies((service) => service.activate('m', 'c', 'p', 'session'))).toMatchObject([
      ['/v1/activate', { username: 'm', code: 'c', password: 'p', cookie: 'session' }],
    ]);
    expect(await bodies((service) => service.refresh({ kind: 'token', token: 't' }))).toEqual([
      ['/v1/refresh', { refresh_token: 't' }],
    ]);
  });

  it('with a cookie, which script never sees', async () => {
    expect(await bodies((service) => service.refresh({ kind: 'cookie' }))).toEqual([['/v1/refresh', { cookie: true }]]);
    expect(await bodies((service) => service.logOut({ kind: 'cookie' }))).toEqual([['/v1/logout', { cookie: true }]]);
    const asked: Asked[] = [];
    await serviceThat(() => json(200, GOOD), asked).logIn('m', 'p', 'device');
    expect(asked[0]?.init).toMatchObject({ credentials: 'same-origin', method: 'POST' });
    expect(JSON.parse(String(asked[0]?.init.body))).toMatchObject({ cookie: 'device' });
  });
});

describe('what is answered', () => {
  it('a refusal is typed, and knows whether to try again and when', async () => {
    const wrong = await failure(json(401, { error: { code: 'wrong_credentials', message: 'Nej' } }));
    expect(wrong).toMatchObject({ message: 'Nej', isRetryable: false, refusal: { code: 'wrong_credentials' } });
    const many = json(429, { error: { code: 'too_many', message: 'Vent' } }, { 'Retry-After': '7' });
    expect(await failure(many)).toMatchObject({ isRetryable: true, retryAfterMs: 7000 });
    const newer = json(400, { error: { code: 'from_the_future', message: '?' } });
    expect(await failure(newer)).toMatchObject({ isRetryable: false });
  });

  it('no Samtale server, no network and no sense are told apart', async () => {
    const proxy = await failure(new Response('<html>', { status: 502 }));
    expect(proxy).toMatchObject({ problem: { kind: 'status', status: 502 }, isRetryable: true });
    expect((await failure(new Response('', { status: 404 }))).isRetryable).toBe(false);
    expect(await failure(new TypeError('fetch failed'))).toMatchObject({ problem: { kind: 'unreachable' } });
    const slow = new DOMException('too slow', 'TimeoutError');
    expect(await failure(slow)).toMatchObject({ problem: { kind: 'timed_out' }, isRetryable: true });
    expect(await failure(json(200, { hello: 'world' }))).toMatchObject({ problem: { kind: 'unreadable' } });
    expect(await failure(new Response('x'.repeat(300_000)))).toMatchObject({ isRetryable: false });
  });

  it('an answer without a refresh token is one with a cookie', async () => {
    const { refresh_token, ...withCookie } = GOOD;
    const reply = await serviceThat(() => json(200, withCookie)).logIn('a', 'b', 'device');
    expect(reply.refresh_token).toBeUndefined();
    expect(refresh_token).toBe('r');
  });
});
