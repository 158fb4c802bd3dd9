import { describe, expect, it } from 'vitest';
import { Mistake } from '../../../../src/builder/dockerfile/errors.ts';
import { expandWord } from '../../../../src/builder/dockerfile/expand.ts';
import { BACKTICK, BAD, ENV, GOOD, HEREDOCS, WORDS } from './expand.cases.ts';
import type { Row } from './expand.cases.ts';

const names = (text: string | undefined) => (text === undefined ? [] : text.split(','));

describe('expandWord', () => {
  it.each(GOOD)('%s', (...row) => {
    const [word, text, used, missing] = row as unknown as Row;
    const expansion = expandWord(word, ENV);
    expect(expansion.text).toBe(text);
    expect([...expansion.used].sort()).toEqual(names(used));
    expect([...expansion.missing]).toEqual(names(missing));
  });

  it.each(BAD)('refuses %s', (word, message) => {
    expect(() => expandWord(word, ENV)).toThrow(Mistake);
    expect(() => expandWord(word, ENV)).toThrow(message);
    expect(() => expandWord(word, ENV)).toThrow('failed to process');
  });

  it.each(WORDS)('words of %s', (word, words) => {
    expect(expandWord(word, ENV).words).toEqual(words);
  });

  it.each(HEREDOCS)('heredoc %j', (body, text) => {
    expect(expandWord(body, ENV, { heredoc: true }).text).toBe(text);
  });

  it.each(BACKTICK)('escape=`: %s', (word, text) => {
    expect(expandWord(word, ENV, { escape: '`' }).text).toBe(text);
  });

  it('does not grow without bounds', () => {
    const env = new Map([['A', 'x'.repeat(100_000)]]);
    expect(() => expandWord('$A'.repeat(100), env)).toThrow('the result is too long');
  });

  it('refuses patterns that would take long', () => {
    const env = new Map([['A', 'a'.repeat(100_000)]]);
    expect(() => expandWord(`\${A//${'a*'.repeat(1000)}b/}`, env)).toThrow('too long');
  });

  it('has all rows', () => expect([GOOD.length, BAD.length]).toEqual([79, 22]));
});
