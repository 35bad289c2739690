import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import './log.css';
import { offsetsOf, type Place, placeAt, rangeOf, topOf, totalOf } from './window.ts';

/** What a row is likely to be high: a short message with its author. */
const LIKELY_PX = 76;
/** Drawn beyond the screen, so that a flick of the thumb does not show paper. */
const BEYOND_PX = 700;
/** Nearer to the end than this is at the end. */
const END_SLACK_PX = 48;
/** Measures that differ less are the same: fractions of a pixel come and go with zoom. */
const SAME_PX = 0.5;

export interface Keyed {
  readonly key: string;
}

interface LogProps<Item extends Keyed> {
  readonly label: string;
  readonly rows: readonly Item[];
  /** Where to begin: a row to have near the top, or the end. */
  readonly beginAt: string | null;
  readonly draw: (row: Item) => ComponentChildren;
  /** Whether a row keeps its neighbours when others come: one to hold on to. */
  readonly holds: (row: Item) => boolean;
  /** The rows on the screen, whenever they may have changed, how many are above them, and where the reader is. */
  readonly onShow: (rows: readonly Item[], above: number, place: Place) => void;
  /** Set to a function that scrolls to the end. */
  readonly toEnd: RefObject<(() => void) | null>;
}

/**
 * A long list of rows of any height, of which only those near the screen are drawn. It stays where the reader is:
 * whatever arrives, loads or changes its height, the row under the eyes stays under the eyes; at the end, the end does.
 */
export function Log<Item extends Keyed>({ label, rows, beginAt, draw, holds, onShow, toEnd }: LogProps<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const heights = useRef(new Map<string, number>());
  const place = useRef<Place>(
    beginAt === null ? { kind: 'end' } : { kind: 'reading', anchor: { key: beginAt, within: -72 } },
  );
  /** Where it was scrolled to when `place` was last brought in line with it. */
  const settled = useRef(0);
  const [view, setView] = useState({ top: 0, height: 0, measured: 0 });
  const keys = useMemo(() => rows.map((row) => row.key), [rows]);
  const offsets = useMemo(() => offsetsOf(keys, heights.current, LIKELY_PX), [keys, view.measured]);
  const top = topOf(place.current, keys, offsets, view.height) ?? view.top;
  const { from, to } = rangeOf(offsets, top, view.height, BEYOND_PX);

  useLayoutEffect(() => {
    const shown = box.current;
    if (!shown) return;
    const isNewHeight = shown.clientHeight !== view.height;
    const isNewMeasure = measure(shown, heights.current);
    if (isNewHeight || isNewMeasure) {
      setView((now) => ({ ...now, height: shown.clientHeight, measured: now.measured + (isNewMeasure ? 1 : 0) }));
      return;
    }
    // What the reader scrolled since then is on its way as an event: it is kept, or whatever arrives would throw them back.
    const scrolled = shown.scrollTop - Math.min(settled.current, shown.scrollHeight - shown.clientHeight);
    const wanted = Math.abs(scrolled) < 1 ? top : top + scrolled;
    settled.current = top;
    if (Math.abs(shown.scrollTop - wanted) >= 1) shown.scrollTop = wanted;
    // Whoever sees the end is at the end, also when they did not scroll there.
    const here = placeAt(keys, offsets, { top, height: view.height, slack: END_SLACK_PX });
    if (here.kind === 'end') place.current = here;
    const onScreen = rangeOf(offsets, top, view.height, 0);
    onShow(rows.slice(onScreen.from, onScreen.to), onScreen.from, place.current);
  });

  useEffect(() => {
    const shown = box.current;
    if (!shown) return;
    let width = shown.clientWidth;
    const sizes = new ResizeObserver(() => {
      // Another width breaks every line elsewhere: what was measured says nothing any more.
      if (shown.clientWidth !== width) heights.current.clear();
      width = shown.clientWidth;
      setView((now) => ({ ...now, height: shown.clientHeight, measured: now.measured + 1 }));
    });
    sizes.observe(shown);
    return () => sizes.disconnect();
  }, []);

  const onScroll = () => {
    const shown = box.current;
    if (!shown || Math.abs(shown.scrollTop - top) < 1) return;
    const at = { top: shown.scrollTop, height: view.height, slack: END_SLACK_PX };
    place.current = placeAt(keys, offsets, at, (row) => holds(rows[row] as Item));
    settled.current = at.top;
    setView((now) => ({ ...now, top: shown.scrollTop }));
  };
  toEnd.current = () => {
    place.current = { kind: 'end' };
    setView((now) => ({ ...now, measured: now.measured + 1 }));
  };

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div class="log" role="log" aria-live="off" aria-label={label} tabIndex={0} ref={box} onScroll={onScroll}>
      <div style={{ blockSize: `${offsets[from] ?? 0}px` }} />
      {rows.slice(from, to).map((row) => (
        <div class="log__row" key={row.key} data-row={row.key}>
          {draw(row)}
        </div>
      ))}
      <div style={{ blockSize: `${totalOf(offsets) - (offsets[to] ?? 0)}px` }} />
    </div>
  );
}

/** Takes the heights of the rows that are drawn. Answers whether one was not known, or is another now. */
function measure(box: HTMLElement, heights: Map<string, number>): boolean {
  let isNew = false;
  for (const row of box.querySelectorAll<HTMLElement>(':scope > .log__row')) {
    const { height } = row.getBoundingClientRect();
    const key = row.dataset.row as string;
    if (Math.abs((heights.get(key) ?? -1) - height) < SAME_PX) continue;
    heights.set(key, height);
    isNew = true;
  }
  return isNew;
}
