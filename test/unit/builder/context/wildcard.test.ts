import { describe, expect, it } from 'vitest';
import { compileWildcard, hasWildcard, unescaped } from '../../../../src/builder/context/wildcard.ts';

describe("Go's filepath.Match", () => {
  it.each([
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'a/b', true],
    ['a*/b', 'a/c/b', false],
    ['**', 'a/b', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a[^b]c', 'a/c', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['[\\]a]', ']', true],
    ['[\\-x]', '-', true],
    ['[[]abc]', '[abc]', true],
    ['[z-a]', 'm', false],
    ['a.b', 'axb', false],
    ['(a|b)+', 'a', false],
    ['*x', 'xxx', true],
  ])('%s against %s: %s', (pattern, name, matches) => {
    expect(compileWildcard(pattern).test(name)).toBe(matches);
  });

  it.each(['[', '[a', '[]a]', '[-]', '[x-]', '[^', 'a\\'])('%s is malformed', (pattern) => {
    expect(() => compileWildcard(pattern)).toThrow(SyntaxError);
  });

  it.each([
    ['a*', true],
    ['a\\*', false],
    ['a\\\\*', true],
    ['a[b', true],
    ['plain/name', false],
  ])('%s is a pattern: %s', (text, expected) => {
    expect(hasWildcard(text)).toBe(expected);
  });

  it('a literal loses its backslashes', () => {
    expect(unescaped('a\\*b\\\\')).toBe('a*b\\');
  });
});
