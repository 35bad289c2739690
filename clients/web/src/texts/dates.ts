import { locale } from './language.ts';
import { text } from './text.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const WEEK_DAYS = 6;
/** Where the school is. "Kl. 9" is nine o'clock there, also for a parent who is away. */
const TIME_ZONE = 'Europe/Copenhagen';

/** Making a format is a hundred times dearer than using it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatted(time: number, options: Intl.DateTimeFormatOptions): string {
  const key = `${locale()} ${JSON.stringify(options)}`;
  const format =
    formats.get(key) ?? new Intl.DateTimeFormat(locale(), { ...options, timeZone: TIME_ZONE, hourCycle: 'h23' });
  formats.set(key, format);
  return format.format(time);
}

/** A number that is the same for two times exactly when they are on one day at the school. */
export function dayOf(time: number): number {
  return Math.floor((time + aheadOfUtc(time)) / DAY_MS);
}

const OFFSETS = new Intl.DateTimeFormat('en', { timeZone: TIME_ZONE, timeZoneName: 'longOffset' });
const aheadByHour = new Map<number, number>();

/** How many milliseconds the school's clocks are ahead; they are changed at full hours only. */
function aheadOfUtc(time: number): number {
  const hour = Math.floor(time / HOUR_MS);
  const known = aheadByHour.get(hour);
  if (known !== undefined) return known;
  const [, hours = 0] = /GMT([+-]\d+)/.exec(OFFSETS.format(hour * HOUR_MS)) ?? [];
  const ahead = Number(hours) * HOUR_MS;
  aheadByHour.set(hour, ahead);
  return ahead;
}

/** "14.05" */
export function clock(time: number): string {
  return formatted(time, { hour: '2-digit', minute: '2-digit' });
}

/** Over the messages of a day: "I dag", "I går", "mandag", "mandag den 3. august", with the year when it is another. */
export function dayHeading(time: number, now: number): string {
  const ago = dayOf(now) - dayOf(time);
  if (ago === 0) return text('dates-today');
  if (ago === 1) return text('dates-yesterday');
  if (ago > 1 && ago <= WEEK_DAYS) return capital(formatted(time, { weekday: 'long' }));
  const year = sameYear(time, now) ? {} : { year: 'numeric' as const };
  return capital(formatted(time, { weekday: 'long', day: 'numeric', month: 'long', ...year }));
}

/** In a list, as short as it can be told apart: "14.05", "I går", "man.", "3. aug.", "03.08.2024". */
export function short(time: number, now: number): string {
  const ago = dayOf(now) - dayOf(time);
  if (ago === 0) return clock(time);
  if (ago === 1) return text('dates-yesterday');
  if (ago > 1 && ago <= WEEK_DAYS) return formatted(time, { weekday: 'short' });
  if (sameYear(time, now)) return formatted(time, { day: 'numeric', month: 'short' });
  return formatted(time, { day: '2-digit', month: '2-digit', year: 'numeric' });
}

/** Whole, for those who point at a time or have it read aloud: "mandag den 3. august 2026 kl. 14.05". */
export function full(time: number): string {
  return formatted(time, { dateStyle: 'full', timeStyle: 'short' });
}

/** "3. aug. 2026" */
export function dateOnly(time: number): string {
  return formatted(time, { dateStyle: 'medium' });
}

/** "3. aug. 2026, 14.05" */
export function dateAndTime(time: number): string {
  return formatted(time, { dateStyle: 'medium', timeStyle: 'short' });
}

function sameYear(one: number, other: number): boolean {
  const yearOf = (time: number) => new Date(time + aheadOfUtc(time)).getUTCFullYear();
  return yearOf(one) === yearOf(other);
}

function capital(name: string): string {
  return name.charAt(0).toLocaleUpperCase(locale()) + name.slice(1);
}
