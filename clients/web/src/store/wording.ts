import type { Part } from '../sdk/protocol.ts';

const PREVIEW_CHARACTERS = 140;

/** What the parts say, without those that this version does not know. */
export function wordsOf(parts: readonly Part[]): string {
  return parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n\n');
}

/** The beginning of it on one line, for lists and announcements. */
export function previewOf(parts: readonly Part[]): string {
  const line = wordsOf(parts).replace(/\s+/gu, ' ').trim();
  const characters = [...line];
  if (characters.length <= PREVIEW_CHARACTERS) return line;
  return `${characters.slice(0, PREVIEW_CHARACTERS).join('').trimEnd()}…`;
}
