import { describe, expect, it } from 'vitest';
import { createMatcher, parseIgnoreFile } from '../../../../src/builder/context/ignore.ts';
import { IGNORE_CASES, MALFORMED } from './ignore.cases.ts';

describe('.dockerignore', () => {
  it.each(IGNORE_CASES)('$name', ({ file, ignored, kept }) => {
    const matcher = createMatcher(parseIgnoreFile(file.join('\n'), '.dockerignore'));
    expect(ignored.filter((path) => !matcher.ignores(path))).toEqual([]);
    expect(kept.filter((path) => matcher.ignores(path))).toEqual([]);
  });

  it.each(MALFORMED)('$line', ({ line, message }) => {
    expect(() => parseIgnoreFile(`# first\n${line}\n`, '.dockerignore')).toThrow(message);
  });

  it.each([
    { file: ['d', '!d/a'], directory: 'd', descend: true },
    { file: ['d', '!d/a'], directory: 'e', descend: false },
    { file: ['d', '!d/a/b'], directory: 'd/a', descend: true },
    { file: ['d', '!d/a/b'], directory: 'd/c', descend: false },
    { file: ['d', '!**/b'], directory: 'd/c', descend: true },
    { file: ['d', '!*/b'], directory: 'd', descend: true },
    { file: ['d'], directory: 'd', descend: false },
  ])('below "$directory" of $file something may come back: $descend', ({ file, directory, descend }) => {
    expect(createMatcher(parseIgnoreFile(file.join('\n'), '.dockerignore')).mayReinclude(directory)).toBe(
      descend,
    );
  });
});
