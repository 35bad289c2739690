import { signal } from '@preact/signals';
import {
  Client,
  type ClientOptions,
  type Credentials,
  followDevice,
  indexedDbStores,
  type LoginReply,
  LoginService,
  NO_CURSOR,
  type OpenStore,
  ServerAddress,
  type StopReason,
  type Updates,
} from '../sdk/index.ts';
import type { PersonId } from '../sdk/protocol.ts';
import { forgetSnapshot, Keeping } from '../store/keeping.ts';
import { Store } from '../store/store.ts';
import { language } from '../texts/language.ts';
import { deviceId, forgetAll, forgetLogin, lastLogin, ownerOfDevice, rememberLogin } from './device.ts';
import { deviceName } from './device_name.ts';
import { forgetStrangers } from './strangers.ts';

const CLIENT = `samtale-web/${import.meta.env.VITE_VERSION ?? '0.1'}`;
/** What changes without a cursor (a page of history, a name) is kept this long after. */
const KEEP_PAUSE_MS = 5000;
/** How long a log-out waits for a server that does not answer. */
const LEAVING_MS = 4000;

export type Session =
  /** It is not known yet whether someone is logged in, or the first `welcome` has not come. */
  | { readonly kind: 'opening' }
  | { readonly kind: 'closed'; readonly because: 'nobody' | 'logged_out' | 'ended' | 'outdated' | 'outbox' }
  | { readonly kind: 'open'; readonly store: Store; readonly isOwnDevice: boolean };

export const session = signal<Session>({ kind: 'opening' });

/** Goes on where the last run was, if it was on this device or in this tab. */
export async function resumeSession(): Promise<void> {
  const last = lastLogin();
  void forgetStrangers([last?.person, ownerOfDevice()]).catch(() => {});
  if (last) await begin({ kind: 'cookie' }, last.isOwnDevice, last.person);
  else session.value = { kind: 'closed', because: 'nobody' };
}

/** Rejects with `LoginError`, and nothing has changed then. */
export async function logIn(username: string, password: string, isOwnDevice: boolean): Promise<void> {
  const reply = await loginService().logIn(username.trim(), password, isOwnDevice ? 'device' : 'session');
  await begin({ kind: 'login', reply }, isOwnDevice);
}

/** A person's first login. Rejects with `LoginError`. */
export async function activate(username: string, code: string, password: string, isOwnDevice: boolean): Promise<void> {
  const reply: LoginReply = await loginService().activate(
    username.trim(),
    code,
    password,
    isOwnDevice ? 'device' : 'session',
  );
  await begin({ kind: 'login', reply }, isOwnDevice);
}

/** Ends the login and deletes all that is kept of the person here, whether or not the server can be told. */
export async function logOut(): Promise<void> {
  const { value: open } = session;
  if (open.kind !== 'open') return;
  const person = open.store.me.value?.person;
  if (person) forgetLogin(person);
  // If the server does not hear of it, the device is clean all the same, and the login runs out by itself.
  const told = open.store.server.logOut().catch(() => {});
  await Promise.race([told, new Promise((resolve) => setTimeout(resolve, LEAVING_MS))]);
  // Not said before it is so: whoever reads it may close the tab, and their cookie must be gone by then.
  session.value = { kind: 'closed', because: 'logged_out' };
  if (person) await forgetAll(person);
}

function loginService(): LoginService {
  return new LoginService({ server: new ServerAddress(location.origin), client: deviceName(), language: spoken() });
}

function spoken(): 'da' | 'en' {
  return language.value === 'da' ? 'da' : 'en';
}

/** With a `person` what was kept of them is shown at once; without, the first `welcome` says who it is. */
async function begin(credentials: Credentials, isOwnDevice: boolean, person?: PersonId): Promise<void> {
  let store: Store | null = null;
  const keepings = new Map<PersonId, Keeping>();
  const keepingOf = (owner: PersonId) => {
    const keeping = keepings.get(owner) ?? new Keeping(owner, () => store?.snapshot() ?? null);
    keepings.set(owner, keeping);
    return keeping;
  };
  const snapshot =
    isOwnDevice && person
      ? await keepingOf(person)
          .load()
          .catch(() => null)
      : null;
  const options: ClientOptions = {
    server: location.origin,
    credentials,
    device: deviceId(),
    client: CLIENT,
    language: spoken(),
    stores: isOwnDevice ? keptStores(keepingOf) : indexedDbStores(),
    ...(person ? { person } : {}),
  };
  const { client, updates } = Client.connect(options);
  store = new Store(client);
  if (snapshot) store.restore(snapshot);
  if (person) session.value = { kind: 'open', store, isOwnDevice };
  else session.value = { kind: 'opening' };
  void follow(client, updates, store, isOwnDevice);
  if (isOwnDevice) keepNowAndThen(store, keepingOf);
}

/** Takes updates until the client stops. Asking for the next one says that the one before is dealt with. */
async function follow(client: Client, updates: Updates, store: Store, isOwnDevice: boolean): Promise<void> {
  const unfollow = followDevice(client);
  for await (const update of updates) {
    store.apply(update, Date.now(), navigator.onLine);
    if (update.kind === 'connected') {
      rememberLogin({ person: update.welcome.person, isOwnDevice });
      if (session.value.kind === 'opening') session.value = { kind: 'open', store, isOwnDevice };
    }
    if (update.kind === 'stopped') await stopped(store, update.reason);
  }
  unfollow();
}

async function stopped(store: Store, reason: StopReason): Promise<void> {
  // Asked for by a log-out, which says so itself.
  if (reason.kind === 'asked') return;
  const person = store.me.value?.person ?? lastLogin()?.person;
  if (reason.kind === 'outbox_failed') {
    session.value = { kind: 'closed', because: 'outbox' };
    return;
  }
  const isOutdated = reason.kind === 'closed' && reason.name === 'unsupported_version';
  session.value = { kind: 'closed', because: isOutdated ? 'outdated' : 'ended' };
  if (isOutdated) return;
  if (person) forgetLogin(person);
  // Whoever ended it from afar may have lost the device: what was read goes; what is not sent waits for its writer.
  if (person) await forgetSnapshot(person);
}

/** The SDK's outbox, with our snapshot's cursor, so that cursor and data are written as one. */
function keptStores(keepingOf: (person: PersonId) => Keeping): OpenStore {
  const open = indexedDbStores();
  return async (person) => {
    const keeping = keepingOf(person);
    const opened = await open(person);
    return {
      ...opened,
      cursor: { ...NO_CURSOR, load: async () => keeping.cursor, keep: (cursor) => keeping.keep(cursor) },
      destroy: async () => {
        await keeping.destroy();
        await opened.destroy();
      },
    };
  };
}

function keepNowAndThen(store: Store, keepingOf: (person: PersonId) => Keeping): void {
  const write = () => {
    const person = store.me.value?.person;
    const isOpen = session.value.kind === 'open' && session.value.store === store;
    if (person && isOpen)
      void keepingOf(person)
        .write()
        .catch(() => {});
    return isOpen;
  };
  const timer = setInterval(() => {
    if (!write() && session.value.kind === 'closed') clearInterval(timer);
  }, KEEP_PAUSE_MS);
  addEventListener('pagehide', write);
}
