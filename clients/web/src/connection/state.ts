import type { SpaceId, Update } from '../sdk/index.ts';

/** Where the connection is, as a person cares about it. */
export type Connection =
  | { readonly kind: 'connecting' }
  /** The device says that it has no network. */
  | { readonly kind: 'offline' }
  /** It was lost or could not be had; the next try is at that time of the page's clock. */
  | { readonly kind: 'waiting'; readonly until: number }
  /** Connected, and what was missed is on its way for these spaces. */
  | { readonly kind: 'catching_up'; readonly spaces: ReadonlySet<SpaceId> }
  | { readonly kind: 'live' };

/** `isOnline` is what the device says of its network while a try fails. */
export function connectionAfter(connection: Connection, update: Update, now: number, isOnline = true): Connection {
  switch (update.kind) {
    case 'connected': {
      const spaces = new Set(update.welcome.profiles.map((profile) => profile.space));
      return update.resumes && spaces.size > 0 ? { kind: 'catching_up', spaces } : { kind: 'live' };
    }
    case 'resumed':
    case 'resync':
      return caughtUp(connection, update.space);
    case 'disconnected':
      if (update.reason.kind === 'offline' || !isOnline) return { kind: 'offline' };
      // A connection that is made anew on purpose is back before anyone could read of it.
      if (update.reason.kind === 'token_ends') return { kind: 'connecting' };
      return { kind: 'waiting', until: now + update.retryInMs };
    default:
      return connection;
  }
}

function caughtUp(connection: Connection, space: SpaceId): Connection {
  if (connection.kind !== 'catching_up') return connection;
  const spaces = new Set(connection.spaces);
  spaces.delete(space);
  return spaces.size > 0 ? { kind: 'catching_up', spaces } : { kind: 'live' };
}
