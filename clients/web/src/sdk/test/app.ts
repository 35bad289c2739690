// The smallest application: a client, and what it was told.

import WebSocket from 'ws';
import { Client, type ClientOptions } from '../client.ts';
import { newId } from '../ids.ts';
import type { Message, ProfileId, SpaceId, Welcome } from '../protocol.ts';
import type { WebSocketConstructor } from '../transport.ts';
import type { Update } from '../updates.ts';
import type { DemoLogin, DemoServer } from './server.ts';

const WAIT_MS = 60_000;

export class App {
  readonly client: Client;
  readonly told: Update[] = [];
  #waiting: (() => void)[] = [];

  constructor(options: ClientOptions) {
    const { client, updates } = Client.connect(options);
    this.client = client;
    void this.#listen(updates);
  }

  static of(server: DemoServer, login: DemoLogin, options: Partial<ClientOptions> = {}): App {
    return new App({
      server: server.url,
      credentials: { kind: 'password', username: login.username, password: login.password },
      device: newId(),
      client: 'sdk-test/1.0',
      WebSocket: WebSocket as unknown as WebSocketConstructor,
      ...options,
    });
  }

  /** Waits, no longer than a bound, until `look` finds something in what was told. */
  async until<Found>(what: string, look: (told: Update[]) => Found | undefined | false): Promise<Found> {
    const endAt = performance.now() + WAIT_MS;
    for (;;) {
      const found = look(this.told);
      if (found) return found;
      const leftMs = endAt - performance.now();
      if (leftMs <= 0) throw new Error(`waited in vain for ${what}; last told: ${JSON.stringify(this.told.slice(-5))}`);
      await this.#nextChange(leftMs);
    }
  }

  async connected(): Promise<Welcome> {
    return this.until('a connection', () => {
      const last = this.told.findLast(({ kind }) => kind === 'connected' || kind === 'disconnected');
      return last?.kind === 'connected' && last.welcome;
    });
  }

  async profile(): Promise<{ profile: ProfileId; space: SpaceId }> {
    const [first] = (await this.connected()).profiles;
    if (!first) throw new Error('nobody without a profile is in the demo');
    return first;
  }

  /** The text of each message that came as an event, once per message, in the order of the thread. */
  texts(thread: string): string[] {
    const messages = new Map<string, Message>();
    for (const update of this.told) {
      if (update.kind === 'event' && update.event.kind === 'message' && update.event.thread === thread) {
        messages.set(update.event.message, update.event);
      }
    }
    return [...messages.values()].sort((one, two) => (one.message < two.message ? -1 : 1)).map(textOf);
  }

  async #listen(updates: AsyncIterable<Update>): Promise<void> {
    for await (const update of updates) {
      this.told.push(update);
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  #nextChange(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

export function textOf({ parts }: Message): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '?')).join('');
}

export function text(of: string): { kind: 'text'; text: string }[] {
  return [{ kind: 'text', text: of }];
}
