import { signal } from '@preact/signals';

const said = signal('');
const waiting: string[] = [];
const PAUSE_MS = 1500;
/** More than this at once is noise: only the newest is said. */
const WAITING = 3;
let speaking = false;

/** Has something read aloud when there is a pause, one thing at a time. */
export function announce(sentence: string): void {
  waiting.push(sentence);
  if (waiting.length > WAITING) waiting.splice(0, waiting.length - 1);
  if (!speaking) sayNext();
}

function sayNext(): void {
  const next = waiting.shift();
  speaking = next !== undefined;
  if (next === undefined) return;
  // The same sentence twice is only read twice if it changes.
  said.value = said.value === next ? `${next}\u00a0` : next;
  setTimeout(sayNext, PAUSE_MS);
}

export function Announcer() {
  return (
    <div class="unseen" role="status" aria-live="polite">
      {said.value}
    </div>
  );
}
