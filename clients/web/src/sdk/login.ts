// Login over HTTP: `POST /v1/login`, `/v1/activate`, `/v1/refresh` and `/v1/logout`.
//
// In a browser the refresh token lives in an HttpOnly cookie, which script never sees: the client asks for one that ends
// with the browser's session or one that the device keeps, and refreshes and logs out with it.

import type { ServerAddress } from './address.ts';
import type { Renewal } from './connection/inputs.ts';
import { LoginError } from './errors.ts';
import type { Language, LoginReply, Refusal } from './protocol.ts';

/** The time for one whole exchange. A rush of logins may queue for a while: each costs the server a slow hash. */
export const LOGIN_TIMEOUT_MS = 30_000;
/** The most characters that an answer may hold: some dozens of profiles with their names. */
const ANSWER_LENGTH = 256 * 1024;
/** Of all tabs of the browser one refreshes at a time, since a refresh token works once. */
const REFRESH_LOCK = 'samtale-refresh';

/** How long the cookie lasts: until the browser is closed, or as long as the login ("this is my own device"). */
export type Cookie = 'session' | 'device';

export interface LoginServiceOptions {
  server: ServerAddress;
  /** What the program calls itself. */
  client: string;
  /** The language of refusals. */
  language?: Language;
  fetch?: typeof globalThis.fetch;
  locks?: LockManager;
}

export class LoginService {
  readonly #options: LoginServiceOptions;

  constructor(options: LoginServiceOptions) {
    this.#options = options;
  }

  async logIn(username: string, password: string, cookie?: Cookie): Promise<LoginReply> {
    return this.#login('/v1/login', { username, password, client: this.#options.client, cookie });
  }

  /** Logs in for the first time, with the code from the sheet, and sets the password. */
  async activate(username: string, code: string, password: string, cookie?: Cookie): Promise<LoginReply> {
    return this.#login('/v1/activate', { username, code, password, cookie });
  }

  /** Gets a new access token, and the next refresh token or cookie: each works once. */
  async refresh(renewal: Renewal): Promise<LoginReply> {
    const refresh = () => this.#login('/v1/refresh', bodyOf(renewal));
    const locks = this.#options.locks ?? globalThis.navigator?.locks;
    return renewal.kind === 'cookie' && locks ? locks.request(REFRESH_LOCK, refresh) : refresh();
  }

  /** Ends the login. Its sockets are closed. */
  async logOut(renewal: Renewal): Promise<void> {
    await this.#post('/v1/logout', bodyOf(renewal));
  }

  async #login(path: string, body: object): Promise<LoginReply> {
    const reply = parsed(await this.#post(path, body));
    if (!isLoginReply(reply)) throw new LoginError({ kind: 'unreadable' });
    return reply;
  }

  /** The body of a good answer. */
  async #post(path: string, body: object): Promise<string> {
    const { server, language = 'da', fetch = globalThis.fetch } = this.#options;
    let response: Response;
    let answer: string;
    try {
      response = await fetch(server.page(path), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Accept-Language': language },
        body: JSON.stringify(body),
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'error',
        signal: AbortSignal.timeout(LOGIN_TIMEOUT_MS),
      });
      answer = await response.text();
    } catch (error) {
      throw broken(error);
    }
    if (answer.length > ANSWER_LENGTH) throw new LoginError({ kind: 'unreadable' });
    if (!response.ok) throw refused(response, answer);
    return answer;
  }
}

function bodyOf(renewal: Renewal): object {
  return renewal.kind === 'cookie' ? { cookie: true } : { refresh_token: renewal.token };
}

function broken(error: unknown): LoginError {
  if (error instanceof DOMException && error.name === 'TimeoutError') return new LoginError({ kind: 'timed_out' });
  return new LoginError({ kind: 'unreachable', text: error instanceof Error ? error.message : String(error) });
}

function refused(response: Response, answer: string): LoginError {
  const body = parsed(answer) as { error?: Refusal } | undefined;
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
  const { status } = response;
  const refusal = body?.error;
  if (typeof refusal?.code !== 'string') return new LoginError({ kind: 'status', status }, retryAfterMs);
  return new LoginError({ kind: 'refused', refusal, status }, refusal.retry_after_ms ?? retryAfterMs);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isLoginReply(value: unknown): value is LoginReply {
  const reply = value as Partial<LoginReply> | null | undefined;
  return typeof reply?.access_token === 'string' && Number.isFinite(reply.expires_in) && Array.isArray(reply.profiles);
}
