import { type ErrorCode, LoginError, type Refusal, RequestError, SendError } from '../sdk/index.ts';
import { type Key, text } from './text.ts';

const KEYS: Readonly<Partial<Record<ErrorCode, Key>>> = {
  bad_request: 'error-bad-request',
  too_large: 'error-too-large',
  not_found: 'error-not-found',
  not_permitted: 'error-not-permitted',
  client_id_reused: 'error-client-id-reused',
  recalled: 'error-recalled',
  conflict: 'error-conflict',
  too_many: 'error-too-many',
  overloaded: 'error-overloaded',
  storage_full: 'error-storage-full',
  storage_unavailable: 'error-storage-unavailable',
  keys_unavailable: 'error-keys-unavailable',
  wrong_credentials: 'error-wrong-credentials',
  disabled: 'error-disabled',
  invalid_token: 'error-invalid-token',
  invalid_activation_code: 'error-invalid-activation-code',
  weak_password: 'error-weak-password',
  internal: 'error-internal',
};

/** What went wrong and what one can do, in the person's language. */
export function faultText(error: unknown): string {
  if (error instanceof SendError)
    return text(error.problem.kind === 'outbox_failed' ? 'error-outbox' : 'error-unknown');
  if (!(error instanceof RequestError || error instanceof LoginError)) return text('error-unknown');
  if (error.refusal) return refusalText(error.refusal);
  switch (error.problem.kind) {
    case 'unreachable':
    case 'disconnected':
      return text('error-offline');
    case 'timed_out':
      return text(navigator.onLine ? 'error-timed-out' : 'error-offline');
    case 'status':
      return text(error.isRetryable ? 'error-internal' : 'error-unknown');
    default:
      return text('error-unknown');
  }
}

/** A code of a newer server has no text here; what the server says to the person then has to do. */
export function refusalText(refusal: Refusal): string {
  const key = KEYS[refusal.code];
  if (key) return text(key);
  return refusal.message || text('error-unknown');
}
