// The client as an application sees it.

import { ServerAddress } from './address.ts';
import type { Random } from './backoff.ts';
import { type Encoding, encode } from './codec.ts';
import type { Start } from './connection/core.ts';
import type { Hint } from './connection/inputs.ts';
import type { OutboxItem } from './connection/sends.ts';
import type { State } from './connection/state.ts';
import type { Updates } from './driver/deliveries.ts';
import { Driver } from './driver.ts';
import { FrameError, LoginError, RequestError, SendError } from './errors.ts';
import { newId } from './ids.ts';
import { type Cookie, LoginService } from './login.ts';
import { memoryStores } from './outbox/memory.ts';
import { type OpenStore, type Outgoing, requestOf } from './outbox.ts';
import type {
  ClientId,
  DeviceId,
  Language,
  LoginReply,
  MessageId,
  Part,
  PersonId,
  ReplyTo,
  Request,
  StartThread,
  ThreadId,
} from './protocol.ts';
import type { WebSocketConstructor } from './transport.ts';

/** How long a request may take, waiting for a connection included, unless the application says otherwise. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often a log-out is tried whose answer was lost. */
const LOG_OUT_TRIES = 3;

/** What someone logs in with. With a `cookie` the refresh token stays out of reach of script, and no password is kept. */
export type Credentials =
  /** Without a cookie both are kept in memory, so that the client can log in again. */
  | { kind: 'password'; username: string; password: string; cookie?: Cookie }
  /** The first login, with the code from the sheet. */
  | { kind: 'activation'; username: string; code: string; password: string; cookie?: Cookie }
  /** The refresh token of an earlier run. It works once; the update `logged_in` brings the next. */
  | { kind: 'refreshToken'; token: string }
  /** The cookie of an earlier run. */
  | { kind: 'cookie' }
  /** A login that `LoginService` has just made. */
  | { kind: 'login'; reply: LoginReply };

export interface ClientOptions {
  /** Where the server is: `https://host`, in a browser the page's origin. */
  server: string;
  credentials: Credentials;
  /** The installation: chosen once with `newId()` and kept. */
  device: DeviceId;
  /** What the program calls itself, such as `my-client/1.0`. */
  client: string;
  /** The language of sentences for people; Danish unless said. */
  language?: Language;
  encoding?: Encoding;
  /** Who it was before, if that is known: their outbox is shown, and their cursor used, before the first connection. */
  person?: PersonId;
  /** What is kept of a person: `indexedDbStores()` in a browser; in memory unless said. */
  stores?: OpenStore;
  /** How long a request may take, waiting for a connection included. */
  requestTimeoutMs?: number;
  WebSocket?: WebSocketConstructor;
  fetch?: typeof globalThis.fetch;
  random?: Random;
}

/** A client. It connects by itself, and comes back by itself until it is told not to: `updates` says how it goes. */
export class Client {
  readonly #driver: Driver;
  readonly #service: LoginService;

  private constructor(driver: Driver, service: LoginService) {
    this.#driver = driver;
    this.#service = service;
  }

  static connect(options: ClientOptions): { client: Client; updates: Updates } {
    const server = new ServerAddress(options.server);
    const { client, language = 'da', fetch } = options;
    const service = new LoginService({ server, client, language, ...(fetch && { fetch }) });
    const driver = new Driver({
      start: startOf(options),
      reach: {
        server,
        encoding: options.encoding ?? 'msgpack',
        WebSocket: options.WebSocket ?? globalThis.WebSocket,
        service,
        logIn: logInOf(options.credentials, service),
      },
      openStore: options.stores ?? memoryStores(),
      person: options.person,
    });
    return { client: new Client(driver, service), updates: driver.updates };
  }

  get state(): Readonly<State> {
    return this.#driver.state;
  }

  /**
   * Asks the server and waits for its reply. Waits for a connection too, as long as the request may take. Rejects with
   * `RequestError`; after `disconnected` or `timed_out` it is not known whether it was done.
   */
  async request<R extends Request>(request: R): Promise<ReplyTo<R['op']>> {
    const wrong = wrongRequest(request);
    if (wrong) throw new RequestError({ kind: 'invalid', text: wrong });
    // The connection answers with this kind of reply or with a problem.
    return (await this.#driver.request(request)) as ReplyTo<R['op']>;
  }

  /**
   * Queues a message for a thread, and resolves once the outbox has it: from then on it arrives, once, whatever dies.
   * The update `sent` says when the server has it. Rejects with `SendError`.
   */
  async send(thread: ThreadId, parts: Part[], replyTo?: MessageId): Promise<ClientId> {
    const answers = replyTo === undefined ? {} : { reply_to: replyTo };
    return this.queue({ op: 'send_message', client_id: newId(), thread, parts, ...answers });
  }

  /** Queues a new thread with its first message. The update `sent` names the thread. */
  async startThread(thread: Omit<StartThread, 'op' | 'client_id' | 'sent_at'>): Promise<ClientId> {
    return this.queue({ op: 'start_thread', client_id: newId(), ...thread });
  }

  /** Queues an answer to the author of a message alone. The update `sent` names the thread. */
  async replyToSender(thread: ThreadId, message: MessageId, parts: Part[]): Promise<ClientId> {
    return this.queue({ op: 'reply_to_sender', client_id: newId(), thread, message, parts });
  }

  /** Queues whatever the outbox can hold. The same again with the same client id, while it waits, changes nothing. */
  async queue(outgoing: Outgoing): Promise<ClientId> {
    const wrong = wrongRequest(requestOf(outgoing, { sent_at: 0 }));
    if (wrong) throw new SendError({ kind: 'invalid', text: wrong });
    await this.#driver.queue(outgoing);
    return outgoing.client_id;
  }

  /** What waits to be sent, in order, that of other tabs included. */
  get outbox(): OutboxItem[] {
    return this.#driver.outbox;
  }

  /** Calls back whenever `outbox` has changed, until the returned function is called. */
  whenOutboxChanges(listener: () => void): () => void {
    return this.#driver.whenOutboxChanges(listener);
  }

  /** What the device says of itself; `followDevice` does it in a browser. */
  hint(hint: Hint): void {
    this.#driver.hint(hint);
  }

  /** Ends the client. What waits in the outbox stays there. The update `stopped` follows. */
  stop(): Promise<void> {
    return this.#driver.stop();
  }

  /**
   * Stops, deletes what this SDK keeps of the person on the device (unless told to keep it), and ends the login. Rejects
   * with `LoginError` when the server could not be told: the device is clean then, and the login is not ended.
   */
  async logOut({ keep = false } = {}): Promise<void> {
    const { renewal } = this.#driver;
    await this.stop();
    if (!keep) await this.#driver.forget();
    for (let tries = 1; renewal; tries += 1) {
      try {
        return await this.#service.logOut(renewal);
      } catch (error) {
        if (!(error instanceof LoginError && error.isRetryable) || tries === LOG_OUT_TRIES) throw error;
      }
    }
  }
}

function startOf(options: ClientOptions): Start {
  const { credentials, device, client, language = 'da', requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  return {
    ...waysIn(credentials),
    device,
    client,
    language,
    requestTimeoutMs,
    random: options.random ?? Math.random,
  };
}

function waysIn(credentials: Credentials): Pick<Start, 'logIn' | 'renewal' | 'login'> {
  switch (credentials.kind) {
    case 'password':
      return { logIn: credentials.cookie ? 'once' : 'again' };
    case 'activation':
      return { logIn: 'once' };
    case 'refreshToken':
      return { logIn: 'never', renewal: { kind: 'token', token: credentials.token } };
    case 'cookie':
      return { logIn: 'never', renewal: { kind: 'cookie' } };
    case 'login':
      return { logIn: 'never', login: credentials.reply };
  }
}

function logInOf(credentials: Credentials, service: LoginService): (() => Promise<LoginReply>) | undefined {
  if (credentials.kind === 'password') {
    const { username, password, cookie } = credentials;
    return () => service.logIn(username, password, cookie);
  }
  if (credentials.kind === 'activation') {
    const { username, code, password, cookie } = credentials;
    return () => service.activate(username, code, password, cookie);
  }
  return undefined;
}

/** Why it can not go out, so that its caller hears it at once; undefined when it can. */
function wrongRequest(request: Request): string | undefined {
  try {
    encode('msgpack', { t: 'request', id: 0, request });
    return undefined;
  } catch (error) {
    if (error instanceof FrameError) return error.message;
    throw error;
  }
}
