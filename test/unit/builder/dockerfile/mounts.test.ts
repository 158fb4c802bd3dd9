import { describe, expect, it } from 'vitest';
import { Mistake } from '../../../../src/builder/dockerfile/errors.ts';
import { parseMountFlag, resolveMount } from '../../../../src/builder/dockerfile/mounts.ts';
import { BAD, GOOD } from './mounts.cases.ts';

const RANGE = { line: 1, column: 1, endLine: 1 };
const mountOf = (text: string) =>
  resolveMount(parseMountFlag(text, RANGE), (value) => value.replaceAll('$V', 'x'));

describe('RUN --mount', () => {
  it.each(GOOD)('%s', (text, mount) => {
    expect(mountOf(text)).toEqual(mount);
  });

  it.each(BAD)('refuses %s', (text, message) => {
    expect(() => mountOf(text)).toThrow(Mistake);
    expect(() => mountOf(text)).toThrow(message);
  });

  it('tells a mistake without variables when the file is read', () => {
    expect(() => parseMountFlag('type=cache,target=/x,sharing=no', RANGE)).toThrow('unsupported sharing');
    expect(() => parseMountFlag('type=cache,target=/$V,sharing=no', RANGE)).not.toThrow();
  });

  it('has all rows', () => expect([GOOD.length, BAD.length]).toEqual([28, 26]));
});
