/** How long a scenario waits for a state. Two slow cores under other load need most of it; nothing waits for its end. */
export const PATIENCE_MS = 60_000;
const LOOK_AGAIN_MS = 50;

/** Waits until `look` finds something, and fails with what it was about and what was there last. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  patienceMs = PATIENCE_MS,
): Promise<Found> {
  const endAt = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endAt) throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** Waits until what is there is what it should be; the failure shows both. */
export async function untilEqual<Value>(
  what: string,
  wanted: Value,
  take: () => Promise<Value> | Value,
): Promise<void> {
  let last: Value | undefined;
  try {
    await until(what, async () => {
      last = await take();
      return JSON.stringify(last) === JSON.stringify(wanted);
    });
  } catch {
    throw new Error(`${what}: wanted ${JSON.stringify(wanted)}, and there was ${JSON.stringify(last)}`);
  }
}
