// The way to the server: nothing, an attempt, or an open socket.

import type { ServerAddress } from '../address.ts';
import type { Encoding } from '../codec.ts';
import type { Input, Renewal } from '../connection/inputs.ts';
import { LoginError } from '../errors.ts';
import type { LoginService } from '../login.ts';
import type { ClientFrame, LoginReply } from '../protocol.ts';
import { Transport, type WebSocketConstructor } from '../transport.ts';

/** What is needed to reach the server. */
export interface Reach {
  server: ServerAddress;
  encoding: Encoding;
  WebSocket: WebSocketConstructor;
  service: LoginService;
  /** Logs in with what the person gave, where there is something. */
  logIn: (() => Promise<LoginReply>) | undefined;
}

export class Link {
  readonly #reach: Reach;
  readonly #tell: (input: Input, attempt: number) => void;
  #transport: Transport | undefined;
  #attempt = 0;

  constructor(reach: Reach, tell: (input: Input, attempt: number) => void) {
    this.#reach = reach;
    this.#tell = tell;
  }

  /** Whether what this attempt led to still counts. */
  isCurrent(attempt: number): boolean {
    return attempt === this.#attempt;
  }

  logIn(): void {
    const { logIn } = this.#reach;
    if (logIn) this.#login(logIn);
  }

  refresh(renewal: Renewal): void {
    this.#login(() => this.#reach.service.refresh(renewal));
  }

  open(): void {
    this.close();
    const attempt = this.#attempt;
    const { server, encoding, WebSocket } = this.#reach;
    try {
      this.#transport = new Transport(server, encoding, WebSocket, (incoming) => this.#tell(incoming, attempt));
    } catch (error) {
      // Such as a page over TLS that may not open a socket without.
      this.#tell({ kind: 'open_failed', text: String(error) }, attempt);
    }
  }

  send(frame: ClientFrame): void {
    this.#transport?.send(frame);
  }

  /** Drops an attempt; says goodbye on an open socket. */
  close(): void {
    this.#attempt += 1;
    this.#transport?.close();
    this.#transport = undefined;
  }

  #login(exchange: () => Promise<LoginReply>): void {
    const attempt = this.#attempt;
    exchange().then(
      (reply) => this.#tell({ kind: 'logged_in', reply }, attempt),
      (error) => this.#tell({ kind: 'login_failed', error: asLoginError(error) }, attempt),
    );
  }
}

function asLoginError(error: unknown): LoginError {
  return error instanceof LoginError ? error : new LoginError({ kind: 'unreachable', text: String(error) });
}
