const MIRRORED: Readonly<Record<string, string>> = {
  a: 'ɐ',
  b: 'q',
  c: 'ɔ',
  d: 'p',
  e: 'ǝ',
  f: 'ɟ',
  g: 'ƃ',
  h: 'ɥ',
  i: 'ᴉ',
  j: 'ɾ',
  k: 'ʞ',
  l: 'l',
  m: 'ɯ',
  n: 'u',
  o: 'o',
  p: 'd',
  q: 'b',
  r: 'ɹ',
  s: 's',
  t: 'ʇ',
  u: 'n',
  v: 'ʌ',
  w: 'ʍ',
  x: 'x',
  y: 'ʎ',
  z: 'z',
};
const RIGHT_TO_LEFT_OVERRIDE = '\u202e';
const END_OF_OVERRIDE = '\u202c';

/**
 * A text of the made-up right-to-left language: each word reversed and upside down, so that what is not translated
 * stands out. What is filled in is left as it is.
 */
export function pseudo(text: string): string {
  return text.replace(/\p{L}+/gu, (word) => {
    const letters = [...word].map((letter) => MIRRORED[letter.toLowerCase()] ?? letter).join('');
    return `${RIGHT_TO_LEFT_OVERRIDE}${letters}${END_OF_OVERRIDE}`;
  });
}
