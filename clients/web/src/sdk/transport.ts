// The WebSocket: frames out, frames in. It knows nothing of state or of waiting to come back.

import type { ServerAddress } from './address.ts';
import { decode, type Encoding, encode, subprotocol } from './codec.ts';
import type { ClientFrame, ServerFrame } from './protocol.ts';

/** The time for the connection and the upgrade. */
export const OPEN_TIMEOUT_MS = 10_000;

/** The browser's `WebSocket`, or one like it: Node 20 has none of its own, and the package `ws` serves. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** What of a WebSocket is used. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export type Incoming =
  | { kind: 'opened' }
  | { kind: 'open_failed'; text: string }
  | { kind: 'frame'; frame: ServerFrame }
  /** Something that is no frame of ours, most likely a kind that a newer server sends. */
  | { kind: 'heard' }
  | { kind: 'closed'; code?: number; reason: string };

/** Codes that a browser makes up when the server said none. */
const NO_CODE: ReadonlySet<number> = new Set([1005, 1006]);

export class Transport {
  readonly #socket: WebSocketLike;
  readonly #encoding: Encoding;
  readonly #tell: (incoming: Incoming) => void;
  readonly #timeout: ReturnType<typeof setTimeout>;
  #phase: 'opening' | 'open' | 'over' = 'opening';

  /** Opens the socket at `/v1/ws` and tells what comes, until it is closed. */
  constructor(
    server: ServerAddress,
    encoding: Encoding,
    WebSocket: WebSocketConstructor,
    tell: (incoming: Incoming) => void,
  ) {
    this.#encoding = encoding;
    this.#tell = tell;
    this.#socket = new WebSocket(server.socket, [subprotocol(encoding)]);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.#onOpen();
    this.#socket.onmessage = ({ data }: MessageEvent) => this.#onMessage(data);
    this.#socket.onclose = ({ code, reason }: CloseEvent) => this.#onClose(code, reason);
    // What went wrong is in the close that follows; a browser tells script no more than that.
    this.#socket.onerror = () => {};
    this.#timeout = setTimeout(() => this.#fail('the server did not answer in time'), OPEN_TIMEOUT_MS);
  }

  send(frame: ClientFrame): void {
    if (this.#phase === 'open') this.#socket.send(encode(this.#encoding, frame));
  }

  /** Says goodbye, and nothing after it. */
  close(): void {
    this.#phase = 'over';
    clearTimeout(this.#timeout);
    this.#socket.close(1000);
  }

  #onOpen(): void {
    if (this.#phase !== 'opening') return;
    const expected = subprotocol(this.#encoding);
    if (this.#socket.protocol !== expected) return this.#fail(`the server does not speak ${expected}`);
    clearTimeout(this.#timeout);
    this.#phase = 'open';
    this.#tell({ kind: 'opened' });
  }

  #onMessage(data: unknown): void {
    if (this.#phase !== 'open') return;
    try {
      const frame = data instanceof ArrayBuffer ? new Uint8Array(data) : String(data);
      this.#tell({ kind: 'frame', frame: decode(this.#encoding, frame) });
    } catch {
      this.#tell({ kind: 'heard' });
    }
  }

  #onClose(code: number, reason: string): void {
    clearTimeout(this.#timeout);
    const before = this.#phase;
    this.#phase = 'over';
    if (before === 'opening') this.#tell({ kind: 'open_failed', text: 'no connection to the server' });
    if (before === 'open') this.#tell({ kind: 'closed', ...(NO_CODE.has(code) ? {} : { code }), reason });
  }

  #fail(text: string): void {
    this.close();
    this.#tell({ kind: 'open_failed', text });
  }
}
