/** A text as the build makes it of a Fluent file. Only types stand here that the build shares, and how one is said. */
export type Phrase = string | readonly Piece[];
export type Phrases = Readonly<Record<string, Phrase>>;

export type Piece =
  | string
  | { readonly fill: string }
  /** One of several, by a number: exactly that number, or else of that kind (one, other). */
  | { readonly by: string; readonly cases: Phrases; readonly otherwise: string };

/** What is filled into a text: numbers are written as the language writes them. */
export type Args = Readonly<Record<string, string | number>>;

/** How a language says things. */
export interface Voice {
  readonly number: (value: number) => string;
  /** The kind of a number: one, other. */
  readonly plural: (value: number) => string;
  /** What is written in the file, and what is filled in. */
  readonly written: (text: string) => string;
  readonly filled: (text: string) => string;
}

export function said(phrase: Phrase, args: Args, voice: Voice): string {
  if (typeof phrase === 'string') return voice.written(phrase);
  return phrase.map((piece) => saidPiece(piece, args, voice)).join('');
}

function saidPiece(piece: Piece, args: Args, voice: Voice): string {
  if (typeof piece === 'string') return voice.written(piece);
  if ('fill' in piece) {
    // A sentence with a hole is better than no page.
    const value = args[piece.fill] ?? `{$${piece.fill}}`;
    return voice.filled(typeof value === 'number' ? voice.number(value) : value);
  }
  const value = Number(args[piece.by]);
  const chosen = piece.cases[value] ?? piece.cases[voice.plural(value)] ?? piece.cases[piece.otherwise] ?? '';
  return said(chosen, args, voice);
}
