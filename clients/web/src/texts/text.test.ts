// @vitest-environment happy-dom
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clock, dateAndTime, dayHeading, dayOf, full, short } from './dates.ts';
import { pseudo } from './pseudo.ts';
import { byName, listing, speak, text } from './text.ts';

/** At the school, in summer. */
const at = (day: number, hour = 9, minute = 5) => Date.UTC(2026, 7, day, hour - 2, minute);
const NOW = at(14, 15, 30);

describe('in Danish', () => {
  beforeAll(() => speak('da'));

  it('numbers have their own sentences', () => {
    expect(text('inbox-unread', { count: 1 })).toBe('Én ulæst');
    expect(text('inbox-unread', { count: 12 })).toBe('12 ulæste');
  });

  it('days are called what one calls them', () => {
    expect(dayHeading(at(14), NOW)).toBe('I dag');
    expect(dayHeading(at(13), NOW)).toBe('I går');
    expect(dayHeading(at(10), NOW)).toBe('Mandag');
    expect(dayHeading(at(3), NOW)).toMatch(/^Mandag (den )?3. august$/);
    expect(dayHeading(Date.UTC(2024, 7, 3), NOW)).toContain('2024');
  });

  it('times are as short as they can be', () => {
    expect(clock(at(14))).toBe('09.05');
    expect(short(at(14), NOW)).toBe('09.05');
    expect(short(at(13), NOW)).toBe('I går');
    expect(short(at(3), NOW)).toBe('3. aug.');
  });

  it('å comes last', () => {
    const names = ['Åse', 'Zoe', 'Ærø', 'Anna', 'Øjvind'].map((name) => ({ name }));
    expect(names.sort(byName).map(({ name }) => name)).toEqual(['Anna', 'Zoe', 'Ærø', 'Øjvind', 'Åse']);
  });

  it('a list ends in "og"', () => {
    expect(listing(['Anna', 'Bo', 'Carla'])).toBe('Anna, Bo og Carla');
  });
});

describe('wherever the device is', () => {
  afterEach(() => vi.unstubAllEnvs());

  for (const zone of ['America/New_York', 'Pacific/Auckland', 'Europe/Copenhagen']) {
    it(`times are the school's: ${zone}`, async () => {
      vi.stubEnv('TZ', zone);
      await speak('da');
      expect(clock(Date.UTC(2026, 0, 14, 23, 30))).toBe('00.30');
      expect(clock(at(14, 23, 59))).toBe('23.59');
      expect(dayHeading(at(14, 0, 1), NOW)).toBe('I dag');
      expect(dayHeading(at(13, 23, 59), NOW)).toBe('I går');
      expect(dateAndTime(at(3, 18))).toContain('18.05');
      expect(full(Date.UTC(2025, 11, 31, 23, 30))).toContain('2026');
      // On the last Sunday of March the clock goes from 2 to 3.
      expect(clock(Date.UTC(2026, 2, 29, 0, 59))).toBe('01.59');
      expect(clock(Date.UTC(2026, 2, 29, 1, 0))).toBe('03.00');
      expect(dayOf(Date.UTC(2026, 2, 29, 22, 0))).toBe(dayOf(Date.UTC(2026, 2, 28, 23, 0)) + 1);
    });
  }
});

describe('in English', () => {
  beforeAll(() => speak('en'));

  it('says the same', () => {
    expect(text('inbox-title')).toBe('Inbox');
    expect(clock(at(14))).toBe('09:05');
    expect(document.documentElement.lang).toBe('en');
  });
});

describe('the made-up language', () => {
  it('mirrors words and leaves the rest', () => {
    expect(pseudo('Log 12!')).toContain('12!');
    expect(pseudo('Log')).not.toContain('Log');
  });

  it('turns the page around', async () => {
    await speak('qps-plocm');
    expect(document.documentElement.dir).toBe('rtl');
    expect(text('inbox-search-none', { search: 'Bo' })).toContain('Bo');
    await speak('da');
    expect(document.documentElement.dir).toBe('ltr');
  });
});
