/**
 * Which rows of a long list are on the screen, and where it is scrolled to. Plain numbers in, plain numbers out: the
 * list that draws is in `log.tsx`.
 */

/** Where each row begins, and last where the list ends: one more than there are rows. */
export type Offsets = Float64Array;

/** A row and how far below its beginning the top of the screen is: it holds whatever happens above and below. */
export interface Anchor {
  readonly key: string;
  readonly within: number;
}

/** Where the reader is. */
export type Place =
  /** At the newest, and follows what arrives. */
  | { readonly kind: 'end' }
  /** Somewhere above, and stays there. */
  | { readonly kind: 'reading'; readonly anchor: Anchor };

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Rows that were measured have their height, the others the one that is likely. */
export function offsetsOf(keys: readonly string[], heights: ReadonlyMap<string, number>, likely: number): Offsets {
  const offsets = new Float64Array(keys.length + 1);
  let at = 0;
  for (let index = 0; index < keys.length; index += 1) {
    offsets[index] = at;
    at += heights.get(keys[index] as string) ?? likely;
  }
  offsets[keys.length] = at;
  return offsets;
}

export function totalOf(offsets: Offsets): number {
  return offsets[offsets.length - 1] ?? 0;
}

/** The row at that height: the last that begins at or above it. */
export function rowAt(offsets: Offsets, top: number): number {
  let low = 0;
  let high = Math.max(0, offsets.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((offsets[middle] as number) <= top) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The rows to draw: those on the screen and `beyond` pixels more on both sides. */
export function rangeOf(offsets: Offsets, top: number, height: number, beyond: number): Range {
  const rows = offsets.length - 1;
  if (rows === 0) return { from: 0, to: 0 };
  return { from: rowAt(offsets, top - beyond), to: rowAt(offsets, top + height + beyond) + 1 };
}

/**
 * What holds when the list is scrolled to `top`. Nearer to the end than `slack`, that is the end. Only a row that `holds`
 * keeps its neighbours: a heading stays first in its section while older rows come in under it.
 */
export function placeAt(
  keys: readonly string[],
  offsets: Offsets,
  { top, height, slack }: { readonly top: number; readonly height: number; readonly slack: number },
  holds: (row: number) => boolean = () => true,
): Place {
  if (keys.length === 0 || totalOf(offsets) - height - top <= slack) return { kind: 'end' };
  const first = rowAt(offsets, top);
  let row = first;
  while (row < keys.length && !holds(row)) row += 1;
  if (row === keys.length) row = first;
  return { kind: 'reading', anchor: { key: keys[row] as string, within: top - (offsets[row] as number) } };
}

/** Where to scroll so that the place holds; null when its row is not there any more. */
export function topOf(place: Place, keys: readonly string[], offsets: Offsets, height: number): number | null {
  const furthest = Math.max(0, totalOf(offsets) - height);
  if (place.kind === 'end') return furthest;
  const row = keys.indexOf(place.anchor.key);
  if (row === -1) return null;
  return Math.min(furthest, Math.max(0, (offsets[row] as number) + place.anchor.within));
}
