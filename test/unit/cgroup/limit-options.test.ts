import { describe, expect, it } from 'vitest';
import {
  limitNotes,
  parseLimits,
  parseSet,
  size,
  type LimitHost,
  type LimitOptions,
} from '../../../src/cgroup/limit-options.ts';
import { BAD, GOOD } from './limit-options.cases.ts';

const HOST: LimitHost = {
  cpus: () => 4,
  allowedCpus: () => '0-3',
  allowedMems: () => '0',
  blockDevice: (path) => (path === '/dev/sda' ? '8:0' : undefined),
};

const LISTS = [
  'blkio-weight-device',
  'device-read-bps',
  'device-write-bps',
  'device-read-iops',
  'device-write-iops',
];

function options(given: Partial<LimitOptions>): LimitOptions {
  return { ...Object.fromEntries(LISTS.map((name) => [name, []])), ...given } as LimitOptions;
}

describe('parseLimits', () => {
  it.each(GOOD)('%o', (given, limits) => {
    expect(parseLimits(options(given), HOST)).toEqual(limits);
  });

  it.each(BAD)('refuses %o', (given, message) => {
    expect(() => parseLimits(options(given), HOST)).toThrow(
      expect.objectContaining({ code: 'USAGE', message }) as Error,
    );
  });
});

describe('limitNotes', () => {
  it.each([
    [{ 'kernel-memory': '64m' }, [/^--kernel-memory: not honoured: /]],
    [{ 'oom-kill-disable': true }, [/^--oom-kill-disable: without --memory /]],
    [{ 'oom-kill-disable': true, memory: '64m' }, []],
    [{ memory: '64m' }, []],
  ])('%o', (given: Partial<LimitOptions>, patterns) => {
    const notes = limitNotes(options(given), parseLimits(options(given), HOST));
    expect(notes).toHaveLength(patterns.length);
    for (const [i, pattern] of patterns.entries()) expect(notes[i]).toMatch(pattern);
  });
});

it.each([
  ['0', [0]],
  ['0-2,5', [0, 1, 2, 5]],
  ['1, 3', [1, 3]],
  ['2-2', [2]],
  ['', undefined],
  ['-1', undefined],
  ['0-99999', undefined],
  ['0;1', undefined],
])('parseSet %j', (text, numbers) => {
  expect(parseSet(text)).toEqual(numbers === undefined ? undefined : new Set(numbers));
});

it.each([
  [64 * 2 ** 20, '64 MiB'],
  [2 ** 30, '1 GiB'],
  [1536 * 2 ** 20, '1536 MiB'],
  [7000000, '7000000 bytes'],
  [7168, '7 KiB'],
])('size of %d', (bytes, text) => {
  expect(size(bytes)).toBe(text);
});
