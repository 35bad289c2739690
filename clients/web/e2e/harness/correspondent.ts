import WebSocket from 'ws';
import { newId } from '../../src/sdk/index.ts';
import type { ProfileId, SpaceId, ThreadId } from '../../src/sdk/protocol.ts';
import { App, text, textOf } from '../../src/sdk/test/app.ts';
import type { WebSocketConstructor } from '../../src/sdk/transport.ts';
import type { Role, School } from './school.ts';
import { until } from './until.ts';

/** So many wait to be stored before the next are written: all of them wait in memory. */
const AT_ONCE = 200;

/** Somebody at another client than the page: the SDK in Node. For setting a scene, and for what need not be seen. */
export class Correspondent {
  readonly app: App;

  private constructor(app: App) {
    this.app = app;
  }

  static async arrive(school: School, role: Role): Promise<Correspondent> {
    const { username, password } = school.login(role);
    const app = new App({
      server: school.url,
      credentials: { kind: 'password', username, password },
      device: newId(),
      client: 'e2e/1.0',
      WebSocket: WebSocket as unknown as WebSocketConstructor,
    });
    await app.connected();
    return new Correspondent(app);
  }

  profile(): Promise<{ profile: ProfileId; space: SpaceId }> {
    return this.app.profile();
  }

  async startThread(to: Correspondent, subject: string, words: string): Promise<ThreadId> {
    const { space } = await this.profile();
    const { profile } = await to.profile();
    const parts = text(words);
    const clientId = await this.app.client.startThread({ space, to: [{ kind: 'profile', profile }], subject, parts });
    return this.app.until('the thread', (told) => {
      for (const update of told) {
        if (update.kind === 'sent' && update.sent.client_id === clientId) return update.sent.thread;
      }
      return undefined;
    });
  }

  async say(thread: ThreadId, words: string): Promise<void> {
    // After an outage: at once, not when its own pause is over.
    this.app.client.hint('online');
    const clientId = await this.app.client.send(thread, text(words));
    await this.app.until('it to be stored', (told) =>
      told.some((update) => update.kind === 'sent' && update.sent.client_id === clientId),
    );
  }

  /** Says a lot, as fast as the server stores it. */
  async sayMany(thread: ThreadId, words: readonly string[]): Promise<void> {
    for (const [place, one] of words.entries()) {
      await this.app.client.send(thread, text(one));
      if ((place + 1) % AT_ONCE === 0) await this.#allStored();
    }
    await this.#allStored();
  }

  /** Reads all of a thread, until the server counts all of it as read: what is younger than 10 s it counts one by one. */
  async readAll(thread: ThreadId): Promise<void> {
    const { messages } = await this.app.client.request({ op: 'history', thread, limit: 1 });
    const newest = messages.map(({ message }) => message);
    await until('everything to be read', async () => {
      const read = await this.app.client.request({ op: 'mark_read', thread, messages: newest });
      return read.up_to === newest[0];
    });
  }

  async #allStored(): Promise<void> {
    await this.app.until('an empty outbox', () => this.app.client.outbox.length === 0);
  }

  /** The newest messages of a thread, as the server has them. */
  async stored(thread: ThreadId): Promise<string[]> {
    const page = await this.app.client.request({ op: 'history', thread, limit: 100 });
    return page.messages.map(textOf);
  }

  stop(): Promise<void> {
    return this.app.client.stop();
  }
}
