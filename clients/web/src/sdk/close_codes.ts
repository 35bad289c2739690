// The close codes: a closed list, shared with the server through `protocol/golden/close_codes.json`.

export const CLOSE_CODES = {
  4000: 'restarting',
  4001: 'slow_reader',
  4002: 'token_expired',
  4003: 'no_pong',
  4004: 'too_many',
  4005: 'server_error',
  4006: 'rights_changed',
  4500: 'bad_frame',
  4501: 'unsupported_version',
  4502: 'invalid_token',
  4503: 'revoked',
  4504: 'frame_too_large',
  4505: 'out_of_turn',
  4506: 'handshake_timeout',
} as const;

export type CloseCode = keyof typeof CLOSE_CODES;
export type CloseCodeName = (typeof CLOSE_CODES)[CloseCode];

/** The name of a code; undefined for one that is not in the list. */
export function closeCodeName(code: number | undefined): CloseCodeName | undefined {
  return code === undefined ? undefined : CLOSE_CODES[code as CloseCode];
}

/** The range decides, so that codes which a newer server adds mean what they should. */
export function comesBack(code: number | undefined): boolean {
  return code === undefined || code < 4500 || code > 4999;
}

/** The wait in a close reason such as `restarting after_ms=3500`. */
export function toldWait(reason: string): number | undefined {
  const told = /(?:^| )after_ms=(\d{1,15})(?: |$)/.exec(reason)?.[1];
  return told === undefined ? undefined : Number(told);
}
