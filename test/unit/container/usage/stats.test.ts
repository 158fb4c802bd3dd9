import { describe, expect, test } from 'vitest';
import { NO_USAGE } from '../../../../src/cgroup/usage.ts';
import {
  parseIo,
  parseNetDev,
  parseResident,
  parseRollup,
} from '../../../../src/container/usage/process-usage.ts';
import { processUsage } from '../../../../src/container/usage/process-usage.ts';
import { statsOf, type Sample } from '../../../../src/container/usage/stats.ts';
import { specOf } from '../spec.ts';
import { CPU_SHARES, IO_FILES, NET_FILES } from './stats.cases.ts';

test.each(NET_FILES)('net/dev: $name', ({ text, bytes }) => {
  expect(parseNetDev(text)).toEqual(bytes);
});

test.each(IO_FILES)('io: $name', ({ text, bytes }) => {
  expect(parseIo(text)).toEqual(bytes);
});

test.each([
  ['55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss:  1234 kB\nPss:   617 kB\nPss_Anon: 1 kB\n', 617 * 1024],
  ['', undefined],
  [undefined, undefined],
])('smaps_rollup %j', (text, bytes) => {
  expect(parseRollup(text)).toBe(bytes);
});

test.each([
  ['Name:\tsh\nVmHWM:\t    2000 kB\nVmRSS:\t    1500 kB\nRssAnon:\t 1 kB\n', 1500 * 1024],
  ['Name:\tzombie\n', undefined],
])('status %j', (text, bytes) => {
  expect(parseResident(text)).toBe(bytes);
});

describe('statsOf', () => {
  const init = { pid: 5, startTicks: '100' };
  const sample = (atMs: number, cpuNs: number | undefined, change: Partial<Sample> = {}): Sample => ({
    atMs,
    init,
    usage: { ...NO_USAGE, cpuNs },
    net: undefined,
    ...change,
  });

  test.each(CPU_SHARES)('%s', (_, passedMs, beforeNs, afterNs, percent) => {
    const { cpuPercent } = statsOf(
      specOf({}),
      'web',
      sample(500, beforeNs),
      sample(500 + passedMs, afterNs),
      1,
    );
    expect(cpuPercent).toBe(percent);
  });

  test.each([
    ['has just come', undefined, sample(2000, 5)],
    ['has gone', sample(1000, 5), undefined],
    ['was started again', sample(1000, 5), sample(2000, 9, { init: { pid: 5, startTicks: '200' } })],
    ['does not run', undefined, undefined],
  ])('a container that %s has no share of CPU time', (_, before, after) => {
    expect(statsOf(specOf({}), 'web', before, after, 1).cpuPercent).toBeUndefined();
  });

  test.each([
    [undefined, 1000],
    [400, 400],
    [2000, 1000],
  ])('limit %j of 1000 bytes on the host: %d', (memoryLimitBytes, shown) => {
    const usage = { ...NO_USAGE, memoryBytes: 100, memoryLimitBytes };
    expect(statsOf(specOf({}), 'web', undefined, sample(1, 1, { usage }), 1000)).toMatchObject({
      memoryBytes: 100,
      memoryLimitBytes: shown,
    });
  });

  test('one that does not run has nothing but its name', () => {
    const spec = specOf({});
    expect(statsOf(spec, 'web', undefined, undefined, 1000)).toEqual({ typed: 'web', spec });
  });
});

test('processUsage: we use something ourselves, and nobody nothing', () => {
  const usage = processUsage(process.pid, false);
  expect(usage.memoryBytes).toBeGreaterThan(1024 * 1024);
  expect(usage.pids).toBeGreaterThan(1);
  expect(usage.cpuNs).toBeGreaterThan(0);
  expect(processUsage(2 ** 30, false)).toEqual(NO_USAGE);
});
