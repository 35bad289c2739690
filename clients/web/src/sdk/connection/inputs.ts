// What a connection takes and what it gives: inputs and actions.

import type { LoginError, RequestProblem, SendProblem } from '../errors.ts';
import type { Entry, LostStamp, News, OutboxRecord, Outgoing } from '../outbox.ts';
import type { ClientFrame, Cursor, LoginReply, PersonId, Reply, Request, ServerFrame } from '../protocol.ts';
import type { Update } from '../updates.ts';

/** Names a caller that waits, from its input to its answer. */
export type Ticket = number;

/** What the device says of itself: `online` and `visible` are worth a try at once. */
export type Hint = 'online' | 'offline' | 'visible';

/** What a new access token is got with. */
export type Renewal = { kind: 'token'; token: string } | { kind: 'cookie' };

/** Something that happened. */
export type Input =
  | { kind: 'logged_in'; reply: LoginReply }
  | { kind: 'login_failed'; error: LoginError }
  /** The socket is open. */
  | { kind: 'opened' }
  | { kind: 'open_failed'; text: string }
  | { kind: 'frame'; frame: ServerFrame }
  /** Something that is no frame of ours, and shows that the server lives. */
  | { kind: 'heard' }
  /** The socket is closed. */
  | { kind: 'closed'; code?: number; reason: string }
  /** The application asks something. */
  | { kind: 'request'; ticket: Ticket; request: Request }
  /** The application sends something. */
  | { kind: 'send'; ticket: Ticket; outgoing: Outgoing }
  /** What is kept of the person is open; it can be shown, and not yet be sent. */
  | { kind: 'store_opened'; person: PersonId; entries: Entry[]; cursor?: Cursor }
  /** From now on it is this tab that sends, beginning with these. */
  | { kind: 'outbox_owned'; entries: Entry[] }
  /** Another tab changed the outbox. */
  | { kind: 'news'; news: News }
  /** Another tab was first with an entry that this one was about to transmit. */
  | { kind: 'stamp_lost'; lost: LostStamp }
  /** The outbox could not be written. */
  | { kind: 'outbox_failed'; text: string }
  /** The application does not take its updates. */
  | { kind: 'behind' }
  | { kind: 'hint'; hint: Hint }
  /** Time has passed; see `Connection.deadline`. */
  | { kind: 'tick' }
  /** The application has had enough. */
  | { kind: 'stop' };

export type Answer = { kind: 'reply'; reply: Reply } | { kind: 'problem'; problem: RequestProblem };

/** Something to be done, in order. */
export type Action =
  /** Log in with what the person gave; answer with `logged_in` or `login_failed`. */
  | { kind: 'log_in' }
  /** Get a new access token; answer the same. */
  | { kind: 'refresh'; renewal: Renewal }
  /** Open the socket; answer with `opened` or `open_failed`. */
  | { kind: 'open' }
  /** Send a frame, after all that is to be persisted before it is stored. */
  | { kind: 'transmit'; frame: ClientFrame }
  /** Drop the socket, or the attempt to open it. It says nothing any more. */
  | { kind: 'close' }
  /** Write to the outbox. */
  | { kind: 'persist'; record: OutboxRecord }
  /** Tell the application. */
  | { kind: 'deliver'; update: Update }
  /** Keep the cursor, once the application has dealt with everything before it. */
  | { kind: 'keep_cursor'; cursor: Cursor }
  /** Answer a request. */
  | { kind: 'answer'; ticket: Ticket; answer: Answer }
  /** Answer a send, after all that is to be persisted before it is stored. */
  | { kind: 'taken'; ticket: Ticket; problem?: SendProblem };
