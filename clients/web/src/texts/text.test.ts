// @vitest-environment happy-dom
import { beforeAll, describe, expect, it } from 'vitest';
import { clock, dayHeading, short } from './dates.ts';
import { pseudo } from './pseudo.ts';
import { byName, listing, speak, text } from './text.ts';

const NOW = new Date(2026, 7, 14, 15, 30).getTime();
const at = (day: number, hour = 9) => new Date(2026, 7, day, hour, 5).getTime();

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
    expect(dayHeading(new Date(2024, 7, 3).getTime(), NOW)).toContain('2024');
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
