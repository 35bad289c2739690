import { describe, expect, it } from 'vitest';
import { id } from '../store/sample.ts';
import type { Choice } from './choice.ts';
import { EMPTY, type Letter, missingIn } from './letter.ts';

const profile = id('cccc', 2);
const anne: Choice = {
  key: profile,
  label: 'Anne Holm',
  beside: '',
  isGroup: false,
  recipients: [{ kind: 'profile', profile }],
  child: null,
};
const whole: Letter = { ...EMPTY, to: [anne], subject: 'Tur', words: 'Hej' };

describe('a letter', () => {
  it('can be sent with recipients, a subject and words, and says which of them it lacks', () => {
    expect(missingIn(whole)).toBeNull();
    expect(missingIn({ ...whole, to: [] })).toBe('to');
    expect(missingIn({ ...whole, subject: ' ' })).toBe('subject');
    expect(missingIn({ ...whole, words: '' })).toBe('words');
  });

  it('does not go while a recipient is typed but not chosen, whoever else is', () => {
    expect(missingIn({ ...whole, search: 'Lin' })).toBe('choice');
    expect(missingIn({ ...whole, to: [], search: 'Lin' })).toBe('choice');
    expect(missingIn({ ...whole, search: ' ' })).toBeNull();
  });
});
