import { useEffect, useState } from 'preact/hooks';
import { Button } from '../design/button.tsx';
import { waitingCount } from '../store/sends.ts';
import type { Store } from '../store/store.ts';
import { text } from '../texts/text.ts';
import './line.css';
import { newVersion, takeNewVersion } from './new_version.ts';
import type { Connection } from './state.ts';

/** Shorter than this is nothing to tell: a line that flashes by is a worry for nothing. */
const WORTH_TELLING_MS = 1200;

/** The one honest line: nothing while all is well; otherwise what is the matter, and what happens to what one writes. */
export function ConnectionLine({ store }: { readonly store: Store }) {
  const connection = store.connection.value;
  const isTold = useLasting(connection.kind !== 'live', connection.kind === 'offline' ? 0 : WORTH_TELLING_MS);
  const waiting = waitingCount(store.sends.value);
  const now = useSeconds(isTold && connection.kind === 'waiting');
  if (!isTold) return newVersion.value ? <NewVersion /> : null;
  return (
    <div class={`line line--${connection.kind}`}>
      <div role="status">
        {/* The countdown is for the eye only: read aloud every second it would drown everything else. */}
        <span aria-hidden={connection.kind === 'waiting'}>{sentence(connection, now)}</span>
        {connection.kind === 'waiting' ? <span class="unseen">{text('connection-connecting')}</span> : null}{' '}
        {waiting > 0 ? text('connection-waiting', { count: waiting }) : null}
      </div>
      {connection.kind === 'waiting' ? (
        <Button kind="quiet" onPress={() => store.server.hint('online')}>
          {text('connection-try-now')}
        </Button>
      ) : null}
    </div>
  );
}

function NewVersion() {
  return (
    <div class="line">
      <div role="status">{text('connection-new-version')}</div>
      <Button kind="quiet" onPress={takeNewVersion}>
        {text('connection-take-new-version')}
      </Button>
    </div>
  );
}

function sentence(connection: Connection, now: number): string {
  switch (connection.kind) {
    case 'offline':
      return text('connection-offline');
    case 'waiting':
      return text('connection-reconnecting', { seconds: Math.max(0, Math.ceil((connection.until - now) / 1000)) });
    case 'catching_up':
      return text('connection-catching-up');
    default:
      return text('connection-connecting');
  }
}

/** True once it has been true for so long. */
function useLasting(condition: boolean, milliseconds: number): boolean {
  const [lasts, setLasts] = useState(condition && milliseconds === 0);
  useEffect(() => {
    if (!condition) return setLasts(false);
    const timer = setTimeout(() => setLasts(true), milliseconds);
    return () => clearTimeout(timer);
  }, [condition, milliseconds]);
  return condition && lasts;
}

function useSeconds(isRunning: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isRunning) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}
