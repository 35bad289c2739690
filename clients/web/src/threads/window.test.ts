import { describe, expect, it } from 'vitest';
import { offsetsOf, placeAt, rangeOf, rowAt, topOf, totalOf } from './window.ts';

const keys = Array.from({ length: 10_000 }, (_, row) => `row ${row}`);
const LIKELY = 50;

describe('the window over a long list', () => {
  it('takes measured heights, and the likely one for the rest', () => {
    const offsets = offsetsOf(['a', 'b', 'c'], new Map([['b', 10]]), LIKELY);
    expect([...offsets]).toEqual([0, 50, 60, 110]);
  });

  it('finds the row at every height', () => {
    const offsets = offsetsOf(['a', 'b', 'c'], new Map([['b', 10]]), LIKELY);
    expect([-5, 0, 49, 50, 59, 60, 500].map((top) => rowAt(offsets, top))).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });

  it('draws a screenful and a little more of ten thousand', () => {
    const offsets = offsetsOf(keys, new Map(), LIKELY);
    const { from, to } = rangeOf(offsets, 250_000, 800, 700);
    expect(from).toBe(4986);
    expect(to - from).toBeLessThan(50);
  });

  it('draws nothing of nothing', () => {
    expect(rangeOf(offsetsOf([], new Map(), LIKELY), 0, 800, 700)).toEqual({ from: 0, to: 0 });
  });

  it('keeps the row under the eyes when older rows come above', () => {
    const before = offsetsOf(keys.slice(100), new Map(), LIKELY);
    const place = placeAt(keys.slice(100), before, { top: 1020, height: 800, slack: 48 });
    const after = offsetsOf(keys, new Map(), LIKELY);
    expect(topOf(place, keys, after, 800)).toBe(1020 + 100 * LIKELY);
  });

  it('keeps the row under the eyes when a row above turns out higher', () => {
    const heights = new Map<string, number>();
    const place = placeAt(keys, offsetsOf(keys, heights, LIKELY), { top: 5010, height: 800, slack: 48 });
    heights.set('row 3', 175);
    expect(topOf(place, keys, offsetsOf(keys, heights, LIKELY), 800)).toBe(5010 + 125);
  });

  it('stays at the end when it is there, and only then', () => {
    const offsets = offsetsOf(keys.slice(0, 100), new Map(), LIKELY);
    const atEnd = placeAt(keys.slice(0, 100), offsets, { top: 4200 - 20, height: 800, slack: 48 });
    const above = placeAt(keys.slice(0, 100), offsets, { top: 3000, height: 800, slack: 48 });
    const more = offsetsOf(keys.slice(0, 101), new Map(), LIKELY);
    expect(topOf(atEnd, keys.slice(0, 101), more, 800)).toBe(totalOf(more) - 800);
    expect(topOf(above, keys.slice(0, 101), more, 800)).toBe(3000);
  });

  it('holds on to a row that keeps its neighbours, not to a heading', () => {
    const rows = ['top', 'day', 'b', 'c', ...keys];
    const place = placeAt(
      rows,
      offsetsOf(rows, new Map(), LIKELY),
      { top: 0, height: 800, slack: 48 },
      (row) => row >= 2,
    );
    const grown = ['top', 'day', 'a', 'b', 'c', ...keys];
    expect(topOf(place, grown, offsetsOf(grown, new Map(), LIKELY), 800)).toBe(LIKELY);
  });

  it('says so when the row that it held to is gone', () => {
    const place = { kind: 'reading', anchor: { key: 'gone', within: 0 } } as const;
    expect(topOf(place, keys, offsetsOf(keys, new Map(), LIKELY), 800)).toBeNull();
  });
});
