import { describe, expect, test } from 'vitest';
import { parseTimeFlag } from '../../../src/core/time-flag.ts';
import { DURATIONS, LOCAL, REFUSED, TIMES } from './time-flag.cases.ts';

const NOW = 1_800_000_000_123_456_789n;
const parse = (text: string): bigint => parseTimeFlag(text, '--since', NOW);

describe('parseTimeFlag', () => {
  test.each(DURATIONS)('%s before now', (text, ns) => expect(parse(text)).toBe(NOW - ns));
  test.each(TIMES)('%s', (text, ns) => expect(parse(text)).toBe(ns));
  test.each(LOCAL)('%s in local time', (text, whole) =>
    expect(parse(text)).toBe(BigInt(new Date(whole).getTime()) * 1_000_000n),
  );
  test.each(REFUSED)('%s is none', (text) =>
    expect(() => parse(text)).toThrow(`--since ${JSON.stringify(text)}: expected a duration`),
  );
});
