// The client's loop, between a server within the program and stores that fail or wait.

import { describe, expect, it, vi } from 'vitest';
import { Client, type ClientOptions } from '../client.ts';
import { followDevice } from '../device.ts';
import { UPDATES_WAITING } from '../driver/deliveries.ts';
import type { SendError } from '../errors.ts';
import { memoryStores } from '../outbox/memory.ts';
import type { OpenStore, PersonStore } from '../outbox.ts';
import { App, text } from './app.ts';
import { id, ME, messageAt, outgoing } from './scene.ts';
import { FakeServer } from './socket.ts';

function appOf(server: FakeServer, options: Partial<ClientOptions> = {}): App {
  return new App({ ...optionsFor(server), ...options });
}

function optionsFor(server: FakeServer): ClientOptions {
  return {
    server: 'http://127.0.0.1:1',
    credentials: { kind: 'refreshToken', token: 'earlier' },
    device: id(1),
    client: 'test',
    encoding: 'json',
    WebSocket: server.WebSocket,
    fetch: server.fetch,
  };
}

function storingServer(): FakeServer {
  const server = new FakeServer();
  server.answer = (frame) => {
    if (frame.t !== 'request' || frame.request.op !== 'send_message') return undefined;
    const { thread, client_id, sent_at } = frame.request;
    return { t: 'reply', id: frame.id, reply: { kind: 'sent', thread, client_id, message: messageAt(sent_at) } };
  };
  return server;
}

/** Stores whose outbox does something else with a write. */
function storesThat(write: (store: PersonStore) => PersonStore['outbox']['write']): OpenStore {
  const stores = memoryStores();
  return async (person) => {
    const store = await stores(person);
    return { ...store, outbox: { load: () => store.outbox.load(), write: write(store) } };
  };
}

describe('the order of things', () => {
  it('what is sent before anyone is logged in waits for the outbox of whoever it will be', async () => {
    const server = storingServer();
    const app = appOf(server);
    const clientId = await app.client.send(id(5), text('hej'));
    await app.until('it to be sent', (told) => told.some(({ kind }) => kind === 'sent'));
    expect(app.told.map(({ kind }) => kind)).toEqual(['logged_in', 'connected', 'sent']);
    expect(server.heard.at(-1)).toMatchObject({ request: { client_id: clientId } });
    await app.client.stop();
  });

  it('nothing is transmitted before it is stored', async () => {
    const server = storingServer();
    const log: string[] = [];
    const { answer } = server;
    server.answer = (frame) => {
      if (frame.t === 'request') log.push('transmitted');
      return answer(frame);
    };
    const stores = storesThat((store) => async (records) => {
      const lost = await store.outbox.write(records);
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(...records.map(({ kind }) => kind));
      return lost;
    });
    const app = appOf(server, { stores, person: ME });
    await app.connected();
    await app.client.send(id(5), text('hej'));
    await app.until('it to be sent', (told) => told.some(({ kind }) => kind === 'sent'));
    expect(log).toEqual(['queued', 'stamped', 'transmitted', 'done']);
    await app.client.stop();
  });

  it('the outbox is told to change when it does', async () => {
    const app = appOf(storingServer());
    const states: string[][] = [];
    const end = app.client.whenOutboxChanges(() => states.push(app.client.outbox.map(({ state }) => state)));
    await app.client.stop();
    expect(states).toEqual([]);
    end();
    const stores = memoryStores();
    const store = await stores(ME);
    await store.outbox.write([{ kind: 'queued', outgoing: outgoing(5, 1) }]);
    const next = appOf(storingServer(), { stores, person: ME });
    next.client.whenOutboxChanges(() => states.push(next.client.outbox.map(({ state }) => state)));
    await next.until('it to be sent', (told) => told.some(({ kind }) => kind === 'sent'));
    await next.client.stop();
    expect(states.at(0)).toEqual(['queued']);
    expect(states.at(-1)).toEqual([]);
  });
});

describe('what fails', () => {
  it('an outbox that cannot be written refuses the send, transmits nothing, and stops the client', async () => {
    const server = storingServer();
    const stores = storesThat(() => async () => {
      throw new Error('disk full');
    });
    const app = appOf(server, { stores });
    await app.connected();
    const refused = await app.client.send(id(5), text('hej')).catch((error: SendError) => error.problem.kind);
    expect(refused).toBe('outbox_failed');
    await app.until('the end', (told) => told.at(-1)?.kind === 'stopped');
    expect(server.heard.map(({ t }) => t)).toEqual(['hello']);
    await expect(app.client.send(id(5), text('hej'))).rejects.toThrow('stopped');
    await expect(app.client.request({ op: 'list_logins' })).rejects.toThrow('stopped');
  });

  it('a store that cannot be opened stops the client', async () => {
    const stores: OpenStore = async () => {
      throw new Error('no IndexedDB');
    };
    const app = appOf(storingServer(), { stores, person: ME });
    const stopped = await app.until('the end', (told) => told.find(({ kind }) => kind === 'stopped'));
    expect(stopped).toMatchObject({ reason: { kind: 'outbox_failed', text: 'Error: no IndexedDB' } });
  });

  it('an application that takes no updates is cut off, and misses none of what came before', async () => {
    const server = storingServer();
    const { client, updates } = Client.connect(optionsFor(server));
    const until = async (kind: string) => {
      for (let update = await updates.next(); update.value?.kind !== kind; update = await updates.next());
    };
    await until('connected');
    const presence = { kind: 'presence', space: id(4), profile: id(6), online: true } as const;
    for (let count = 0; count <= UPDATES_WAITING; count += 1) server.say({ t: 'signal', signal: presence });
    await vi.waitUntil(() => client.state.kind === 'disconnected', 2000);
    for (let count = 0; count <= UPDATES_WAITING; count += 1) {
      expect((await updates.next()).value).toEqual({ kind: 'signal', signal: presence });
    }
    expect((await updates.next()).value).toMatchObject({ kind: 'disconnected', reason: { kind: 'behind' } });
    await client.stop();
  });

  it('a frame that only a newer client knows is passed over', async () => {
    const server = storingServer();
    const app = appOf(server);
    await app.connected();
    server.say({ t: 'hologram' } as never);
    server.say({ t: 'resync', space: id(4) });
    await app.until('the next frame', (told) => told.at(-1)?.kind === 'resync');
    await app.client.stop();
  });
});

it('the page tells when the device is offline and back', async () => {
  const app = appOf(storingServer(), { random: () => 1 });
  await app.connected();
  const page = Object.assign(new EventTarget(), { document: new EventTarget() });
  const end = followDevice(app.client, page as unknown as Window);
  page.dispatchEvent(new Event('offline'));
  await app.until('the end of the connection', (told) => told.at(-1)?.kind === 'disconnected');
  expect(app.told.at(-1)).toMatchObject({ reason: { kind: 'offline' } });
  const before = performance.now();
  page.dispatchEvent(new Event('online'));
  await app.connected();
  // Not after the half second that the random wait would have been.
  expect(performance.now() - before).toBeLessThan(400);
  end();
  page.dispatchEvent(new Event('offline'));
  expect(app.client.state.kind).toBe('live');
  await app.client.stop();
});
