// What a client tells its application, in the order in which it happened.

import type { CloseCodeName } from './close_codes.ts';
import type { Outgoing } from './outbox.ts';
import type {
  ClientId,
  Event,
  EventId,
  OwnProfile,
  PersonId,
  Refusal,
  Sent,
  Signal,
  SpaceId,
  Welcome,
} from './protocol.ts';

export type Update =
  /** Logged in or refreshed. A refresh token is worth a password and replaces the one before; a cookie shows none. */
  | { kind: 'logged_in'; refreshToken?: string; profiles: OwnProfile[] }
  /** The connection is live. `resumes`: a cursor went along, so each space follows as `resumed` or `resync`. */
  | { kind: 'connected'; welcome: Welcome; resumes: boolean }
  /** The connection is away; the client comes back by itself. */
  | { kind: 'disconnected'; retryInMs: number; reason: DisconnectReason }
  /** A fact of a space. It is state: applied twice or late it changes nothing. */
  | { kind: 'event'; space: SpaceId; id: EventId; event: Event }
  /** Something that passes. */
  | { kind: 'signal'; signal: Signal }
  /** What happened in the space while the client was away is not known any more: ask again for what is shown. */
  | { kind: 'resync'; space: SpaceId }
  /** All that happened in the space while the client was away has been told. */
  | { kind: 'resumed'; space: SpaceId; events: number }
  /** A queued message is stored on the server. Never said before the server said it. */
  | { kind: 'sent'; sent: Sent }
  /** A queued message was refused for good and is out of the outbox; what it said is here. */
  | { kind: 'send_failed'; clientId: ClientId; outgoing: Outgoing; refusal: Refusal }
  /** The client has stopped and will not come back. The last update. */
  | { kind: 'stopped'; reason: StopReason };

/** Why a connection ended, or did not come to be. */
export type DisconnectReason =
  /** The server closed it, or it broke. */
  | { kind: 'closed'; code?: number; text: string }
  /** It could not be opened. */
  | { kind: 'unreachable'; text: string }
  /** Logging in or refreshing failed in a way that may pass. */
  | { kind: 'login_failed'; text: string; refusal?: Refusal }
  /** No `welcome` in time. */
  | { kind: 'handshake_timeout' }
  /** Nothing was heard for too long, and nothing answered. */
  | { kind: 'silence' }
  /** A send was not answered for half a minute. */
  | { kind: 'no_answer' }
  /** The device says that it is offline. */
  | { kind: 'offline' }
  /** The access token ends soon: a new one, and a new connection. */
  | { kind: 'token_ends' }
  /** The server twice found our clock ahead of its own: its time is learned anew. */
  | { kind: 'clock_ahead' }
  /** The application has not taken its updates for too long: what it missed is resumed. */
  | { kind: 'behind' };

/** Why a client stopped for good. */
export type StopReason =
  /** The application asked for it. */
  | { kind: 'asked' }
  /** The server does not take us back as we are: a close code of 4500 and above. */
  | { kind: 'closed'; code: number; name?: CloseCodeName; text: string }
  /** The login is not valid: log in again. */
  | { kind: 'login_refused'; refusal?: Refusal; text: string }
  /** Somebody else is logged in than the person whose outbox this is. Nothing of theirs was sent. */
  | { kind: 'other_person'; person: PersonId }
  /** The outbox could not be written: no promise about a message could be kept. */
  | { kind: 'outbox_failed'; text: string };
