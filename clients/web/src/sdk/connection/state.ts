// Where a connection is.

import type { Moment } from '../clock.ts';
import type { StopReason } from '../updates.ts';

export type State =
  /** Waits for `retryAt`. A wait that the server told is not cut short by a hint. */
  | { kind: 'disconnected'; retryAt: Moment; attempt: number; told: boolean }
  /** Waits for the answer to a login or a refresh, or for the socket. */
  | { kind: 'connecting'; step: 'log_in' | 'refresh' | 'socket' }
  /** The socket is open and `hello` is sent; waits for `welcome`. */
  | { kind: 'handshaking'; since: Moment; resumes: boolean }
  /** Waits for frames, requests and time. */
  | Live
  /** Waits for nothing, for ever. */
  | { kind: 'stopped'; reason: StopReason };

export interface Live {
  kind: 'live';
  /** When `welcome` came. */
  since: Moment;
  /** When the server was last heard. */
  heardAt: Moment;
  /** How long a silence is before the client asks whether the server is there. */
  silenceMs: number;
}
