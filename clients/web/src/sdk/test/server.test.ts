// Against the real server: two people converse, and it dies in the middle of it.

import 'fake-indexeddb/auto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerAddress } from '../address.ts';
import type { RequestError } from '../errors.ts';
import { LoginService } from '../login.ts';
import { databaseName, indexedDbStores } from '../outbox/indexed_db.ts';
import { memoryStores } from '../outbox/memory.ts';
import type { ClientId, ThreadId } from '../protocol.ts';
import type { Update } from '../updates.ts';
import { App, text, textOf } from './app.ts';
import { locksOfOneBrowser } from './locks.ts';
import { DemoServer, noServer } from './server.ts';

describe.skipIf(noServer)(`with a real server${noServer ? ` (skipped: ${noServer})` : ''}`, { timeout: 60_000 }, () => {
  let server: DemoServer;
  let teacher: App;
  let guardian: App;

  beforeAll(async () => {
    server = await DemoServer.start();
    teacher = App.of(server, server.login('teacher'));
    guardian = App.of(server, server.login('guardian'), { encoding: 'json' });
    await Promise.all([teacher.connected(), guardian.connected()]);
  }, 30_000);

  afterAll(async () => {
    await Promise.all([teacher?.client.stop(), guardian?.client.stop()]);
    await server?.remove();
  });

  async function thread(subject: string): Promise<ThreadId> {
    const { space } = await teacher.profile();
    const { profile } = await guardian.profile();
    const clientId = await teacher.client.startThread({
      space,
      to: [{ kind: 'profile', profile }],
      subject,
      parts: text('0'),
    });
    const started = await teacher.until('the thread', (told) =>
      told.find((update) => update.kind === 'sent' && update.sent.client_id === clientId),
    );
    if (started.kind !== 'sent') throw new Error('it is the update that was looked for');
    return started.sent.thread;
  }

  async function stored(id: ThreadId): Promise<string[]> {
    const page = await guardian.client.request({ op: 'history', thread: id, limit: 100 });
    return page.messages.map(textOf);
  }

  it('requests are answered with the reply that belongs to them, or with a typed refusal', async () => {
    const { profile } = await teacher.profile();
    const logins = await teacher.client.request({ op: 'list_logins' });
    expect(logins.logins.filter((login) => login.current)).toHaveLength(1);
    const unknown = teacher.client.request({ op: 'open_thread', thread: profile });
    const refused = await unknown.catch((error: RequestError) => error.refusal?.code);
    expect(refused).toBe('not_found');
    await expect(teacher.client.request({ op: 'open_thread', thread: 'nonsense' })).rejects.toThrow('holds no id');
  });

  it('two converse, one in MessagePack and one in JSON, and each message comes live', async () => {
    const id = await thread('To taler');
    await guardian.until('the first message', () => guardian.texts(id).length === 1);
    await guardian.client.send(id, text('1'));
    await teacher.until('the answer', () => teacher.texts(id).includes('1'));
    await teacher.client.send(id, text('2'));
    await guardian.until('the second answer', () => guardian.texts(id).includes('2'));
    expect(await stored(id)).toEqual(['0', '1', '2']);
  });

  it('the server is killed and restarted mid-conversation: nothing is lost, nothing comes twice, no resync', async () => {
    const id = await thread('Strømsvigt');
    const expected = ['0'];
    const say = async (app: App, count: number) => {
      for (let more = 0; more < count; more += 1) {
        expected.push(String(expected.length));
        await app.client.send(id, text(String(expected.length - 1)));
      }
    };
    await say(teacher, 5);
    await server.kill();
    await say(teacher, 5);
    expect(teacher.client.outbox.length).toBeGreaterThan(0);
    await server.start();
    await say(teacher, 5);
    await guardian.until('all messages', () => guardian.texts(id).length >= expected.length);
    await teacher.until('an empty outbox', () => teacher.client.outbox.length === 0);
    expect(guardian.texts(id)).toEqual(expected);
    expect(await stored(id)).toEqual(expected);
    expect(guardian.told.filter(({ kind }) => kind === 'resync')).toEqual([]);
    expect(guardian.told.some(({ kind }) => kind === 'resumed')).toBe(true);
  });

  it('what a dead program left in the outbox is sent by the next one', async () => {
    const id = await thread('Lukket fane');
    const stores = memoryStores();
    const login = server.login('teacher');
    const before = App.of(server, login, { stores });
    const { person } = await before.connected();
    await server.kill();
    await before.until('the end of the connection', (told) => told.some(({ kind }) => kind === 'disconnected'));
    await before.client.send(id, text('skrevet uden net'));
    await before.client.stop();
    await server.start();
    const after = App.of(server, login, { stores, person });
    await after.until('it to be sent', (told) => told.some(({ kind }) => kind === 'sent'));
    expect(await stored(id)).toEqual(['0', 'skrevet uden net']);
    await after.client.stop();
  });

  it('a second tab sends through the first, and by itself when that is closed', async () => {
    const id = await thread('To faner');
    const login = server.login('teacher');
    const locks = locksOfOneBrowser();
    const first = App.of(server, login, { stores: indexedDbStores({ locks }) });
    const { person } = await first.connected();
    const second = App.of(server, login, { stores: indexedDbStores({ locks }), person });
    await second.connected();
    const clientId = await second.client.send(id, text('1'));
    for (const app of [first, second]) await app.until('it to be sent', wasSent(clientId));
    expect(second.client.outbox).toEqual([]);
    await first.client.stop();
    const another = await second.client.send(id, text('2'));
    await second.until('it to be sent', wasSent(another));
    expect(await stored(id)).toEqual(['0', '1', '2']);
    await second.client.logOut();
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(databaseName(person));
  });

  it('tabs without locks all send what one of them has written, and it is stored once', async () => {
    const id = await thread('Uden låse');
    const login = server.login('teacher');
    const stores = indexedDbStores({ locks: null });
    const before = App.of(server, login, { stores });
    const { person } = await before.connected();
    await server.kill();
    await before.until('the end of the connection', (told) => told.some(({ kind }) => kind === 'disconnected'));
    for (const number of [1, 2, 3]) await before.client.send(id, text(String(number)));
    await before.client.stop();
    await server.start();
    const tabs = [1, 2, 3].map(() => App.of(server, login, { stores, person }));
    for (const tab of tabs) await tab.until('an empty outbox', () => isDone(tab) && tab.client.outbox.length === 0);
    expect(await stored(id)).toEqual(['0', '1', '2', '3']);
    for (const tab of tabs) await tab.client.stop();
  });

  it('nothing of one person is sent by another', async () => {
    const { person } = await guardian.connected();
    const other = App.of(server, server.login('teacher'), { person });
    const stopped = await other.until('the end', (told) => told.find(({ kind }) => kind === 'stopped'));
    expect(stopped).toMatchObject({ reason: { kind: 'other_person' } });
  });

  it('a login is made, refreshed and ended, and its client stops', async () => {
    const service = new LoginService({ server: new ServerAddress(server.url), client: 'sdk-test/1.0', language: 'en' });
    const { username, password } = server.login('child');
    await expect(service.logIn(username, 'wrong')).rejects.toMatchObject({ refusal: { code: 'wrong_credentials' } });
    const first = await service.logIn(username, password);
    const reply = await service.refresh({ kind: 'token', token: first.refresh_token ?? '' });
    const app = App.of(server, server.login('child'), { credentials: { kind: 'login', reply } });
    await app.connected();
    await app.client.logOut();
    expect(app.client.state.kind).toBe('stopped');
    const renewal = { kind: 'token', token: reply.refresh_token ?? '' } as const;
    await expect(service.refresh(renewal)).rejects.toMatchObject({ refusal: { code: 'invalid_token' } });
  });
});

const wasSent = (clientId: ClientId) => (told: Update[]) =>
  told.some((update) => update.kind === 'sent' && update.sent.client_id === clientId);

const isDone = (app: App) => app.told.some(({ kind }) => kind === 'sent');
