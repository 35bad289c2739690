import { Icon } from '../design/icon.tsx';
import type { Readers } from '../store/room.ts';
import { text } from '../texts/text.ts';

/** One tick: the server has it. Two: someone has read it. In words beside, so that nothing hangs on the drawing. */
export function Ticks({ readers }: { readonly readers: Readers | null }) {
  const isRead = readers?.kind === 'all' || (readers?.kind === 'some' && readers.count > 0);
  return (
    <span class={`ticks${isRead ? ' ticks--read' : ''}`}>
      <Icon name={isRead ? 'checks' : 'check'} small />
      {sentence(readers)}
    </span>
  );
}

function sentence(readers: Readers | null): string {
  if (readers?.kind === 'all') return text('thread-read-by-all');
  if (readers?.kind === 'some' && readers.count > 0) return text('thread-read-by', { count: readers.count });
  return text('thread-sent');
}
