const BROWSERS: readonly (readonly [string, RegExp])[] = [
  ['Edge', /Edg/],
  ['Opera', /OPR\//],
  ['Samsung Internet', /SamsungBrowser/],
  ['Firefox', /Firefox|FxiOS/],
  ['Chrome', /Chrome|CriOS/],
  ['Safari', /Safari/],
];
const DEVICES: readonly (readonly [string, RegExp])[] = [
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Android', /Android/],
  ['Chromebook', /CrOS/],
  ['Windows', /Windows/],
  ['Mac', /Macintosh/],
  ['Linux', /Linux/],
];

/** What stands in the list of logins, so that a person knows which is which: "Chrome · Android". The first that fits. */
export function deviceName(agent: string = navigator.userAgent): string {
  const named = [BROWSERS, DEVICES].flatMap((known) => known.find(([, sign]) => sign.test(agent))?.[0] ?? []);
  return named.join(' · ') || 'Samtale';
}
