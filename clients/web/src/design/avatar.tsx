import './avatar.css';
import { Icon } from './icon.tsx';

const TONES = 6;

interface AvatarProps {
  readonly id: string;
  readonly name: string;
  readonly online?: boolean;
  readonly group?: boolean;
}

/** Initials on a tone that the id decides. Decoration: the name stands beside it. */
export function Avatar({ id, name, online = false, group = false }: AvatarProps) {
  return (
    <span class={`avatar avatar--${tone(id)}${group ? ' avatar--group' : ''}`} aria-hidden="true">
      {group ? <Icon name="group" small /> : initials(name)}
      {online ? <span class="avatar__online" /> : null}
    </span>
  );
}

function tone(id: string): number {
  return Number.parseInt(id.slice(-4), 16) % TONES || 0;
}

/** The first letters of the first and the last name, as whole characters. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const [first = '', ...rest] = words;
  return [first, rest.at(-1) ?? '']
    .map((word) => [...word][0] ?? '')
    .join('')
    .toLocaleUpperCase();
}
