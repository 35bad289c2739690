// How long to wait before coming back: full jitter, so that a thousand clients of a fallen node do not return as one.

/** The most that the first wait can be; doubled with each failure. */
export const FIRST_CEILING_MS = 500;
/** The most that any wait can be. */
export const CEILING_MS = 30_000;

/** A number from 0 to below 1, each as likely: `Math.random`, or a seeded one in tests. */
export type Random = () => number;

/** The longest that the wait after `failures` failures can be. */
export function ceiling(failures: number): number {
  return Math.min(CEILING_MS, FIRST_CEILING_MS * 2 ** failures);
}

/** A wait between nothing and the ceiling, each as likely. */
export function jitteredWait(failures: number, random: Random): number {
  return random() * ceiling(failures);
}
