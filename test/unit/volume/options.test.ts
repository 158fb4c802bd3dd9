import { describe, expect, test } from 'vitest';
import { parsePairs, volumeKind } from '../../../src/volume/options.ts';
import { BAD_OPTIONS, OPTIONS } from './options.cases.ts';

describe('volumeKind', () => {
  test.each(OPTIONS)('%j', (options, kind) => expect(volumeKind('vol', options)).toEqual(kind));
  test.each(BAD_OPTIONS)('%j is refused', (options, message) => {
    expect(() => volumeKind('vol', options)).toThrow(message);
  });
});

describe('parsePairs', () => {
  test('the last of a key wins; a value may hold = and may be missing', () => {
    expect(parsePairs('--opt', ['a=1', 'b', 'o=x=y,z', 'a=2'])).toEqual({ a: '2', b: '', o: 'x=y,z' });
  });
  test.each(['', '=x'])('"%s" is refused', (text) => {
    expect(() => parsePairs('--label', [text])).toThrow(/^--label ".*": expected KEY=VALUE$/);
  });
});
