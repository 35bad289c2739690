import type { Person, ProfileId, SpaceId } from '../sdk/protocol.ts';
import { Pause } from './pause.ts';
import type { Store } from './store.ts';

/** The most ids in one request. */
const IDS = 200;
const GATHER_MS = 40;
/** Everyone in a space hears of a change at once; they ask again spread over this long. */
const SPREAD_MS = 20_000;

interface Wanting {
  /** Those of each space that will be asked for next. */
  readonly next: Map<SpaceId, Set<ProfileId>>;
  /** All that were asked for: who is withheld is not asked for again and again. */
  readonly asked: Map<ProfileId, SpaceId>;
  readonly pause: Pause;
}

const wantings = new WeakMap<Store, Wanting>();

/** Has the names behind these profiles come, in one request with all others wanted at about the same time. */
export function wantPeople(store: Store, space: SpaceId, profiles: readonly ProfileId[]): void {
  const wanting = wantingOf(store);
  for (const profile of profiles) {
    if (wanting.asked.has(profile) || store.people.value.has(profile)) continue;
    wanting.asked.set(profile, space);
    const next = wanting.next.get(space) ?? new Set();
    wanting.next.set(space, next.add(profile));
    wanting.pause.start();
  }
}

/** People that came with another reply. */
export function rememberPeople(store: Store, people: readonly Person[]): void {
  const known = new Map(store.people.value);
  for (const person of people) known.set(person.profile, person);
  store.people.value = known;
}

/** People, groups or relations changed: the names that are known are asked for again. */
export function refreshPeople(store: Store): void {
  const wanting = wantingOf(store);
  setTimeout(() => {
    for (const [profile, space] of wanting.asked)
      wanting.next.set(space, (wanting.next.get(space) ?? new Set()).add(profile));
    wanting.pause.start();
  }, Math.random() * SPREAD_MS);
}

function wantingOf(store: Store): Wanting {
  const known = wantings.get(store);
  if (known) return known;
  const wanting: Wanting = {
    next: new Map(),
    asked: new Map(),
    pause: new Pause(GATHER_MS, () => ask(store, wanting)),
  };
  wantings.set(store, wanting);
  return wanting;
}

function ask(store: Store, wanting: Wanting): void {
  for (const [space, profiles] of wanting.next) {
    const all = [...profiles];
    for (let from = 0; from < all.length; from += IDS) void askFor(store, wanting, space, all.slice(from, from + IDS));
  }
  wanting.next.clear();
}

async function askFor(store: Store, wanting: Wanting, space: SpaceId, profiles: ProfileId[]): Promise<void> {
  try {
    const { people } = await store.server.request({ op: 'names', space, profiles });
    rememberPeople(store, people);
  } catch {
    // Whoever needs them next asks again.
    for (const profile of profiles) wanting.asked.delete(profile);
  }
}
