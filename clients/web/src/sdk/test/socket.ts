// A server within the program: a WebSocket whose other end is the test.

import type { ClientFrame, ServerFrame } from '../protocol.ts';
import type { WebSocketConstructor, WebSocketLike } from '../transport.ts';
import { ME, NOON } from './scene.ts';

export class FakeServer {
  /** The frames that came, of all connections. */
  readonly heard: ClientFrame[] = [];
  /** Answers a frame beside what is answered by itself: `welcome` to `hello`. */
  answer: (frame: ClientFrame) => ServerFrame | undefined = () => undefined;
  #socket: FakeSocket | undefined;

  get WebSocket(): WebSocketConstructor {
    const server = this;
    return class extends FakeSocket {
      constructor(_url: string, [protocol = '']: string[]) {
        super(protocol, server);
        server.#socket = this;
      }
    };
  }

  /** The `fetch` that logs everybody in. */
  readonly fetch: typeof globalThis.fetch = async () => {
    const reply = { access_token: 'access', refresh_token: 'refresh', expires_in: 600, profiles: [] };
    return new Response(JSON.stringify(reply));
  };

  say(frame: ServerFrame): void {
    this.#socket?.onmessage?.({ data: JSON.stringify(frame) } as never);
  }

  take(frame: ClientFrame): void {
    this.heard.push(frame);
    if (frame.t === 'hello') {
      const session = { session: ME, profiles: [], expires_at: NOON + 600_000, ping_interval_ms: 25_000 };
      this.say({ t: 'welcome', server_time: NOON, person: ME, ...session });
    }
    const answer = this.answer(frame);
    if (answer) this.say(answer);
  }
}

class FakeSocket implements WebSocketLike {
  binaryType = '';
  readonly protocol: string;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly #server: FakeServer;

  constructor(protocol: string, server: FakeServer) {
    this.protocol = protocol;
    this.#server = server;
    queueMicrotask(() => this.onopen?.({} as never));
  }

  send(data: string | Uint8Array): void {
    const frame = JSON.parse(String(data)) as ClientFrame;
    queueMicrotask(() => this.#server.take(frame));
  }

  close(): void {}
}
