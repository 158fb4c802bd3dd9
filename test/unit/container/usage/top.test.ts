import { describe, expect, test } from 'vitest';
import {
  containerProcesses,
  parseStat,
  type ContainerProcess,
} from '../../../../src/container/usage/processes.ts';
import { rowOf, selectRows } from '../../../../src/container/usage/top.ts';
import { userNames } from '../../../../src/runtime/users.ts';

const NOW = new Date(2026, 4, 20, 12, 0, 0).getTime();
const DAY = 86_400_000;

function row(change: Partial<ContainerProcess>, startedMsAgo = 60_000): string[] {
  const process: ContainerProcess = {
    pid: 77,
    parent: 70,
    name: 'sh',
    terminal: 0,
    cpuTicks: 0,
    endedTicks: 0,
    threads: 1,
    startTicks: 0,
    hostUid: 1001,
    args: ['sh', '-c', 'sleep 5'],
    ...change,
  };
  return rowOf(process, 'root', { bootMs: NOW - startedMsAgo, nowMs: NOW });
}

describe('rowOf', () => {
  test('the columns of ps -ef', () => {
    expect(row({})).toEqual(['root', '77', '70', '0', '11:59', '?', '00:00:00', 'sh -c sleep 5']);
  });

  test.each<[string, Partial<ContainerProcess>, number, string]>([
    ['share of one processor', { cpuTicks: 300 }, 6000, '50'],
    ['never more than 99', { cpuTicks: 30_000 }, 6000, '99'],
    ['started just now', { cpuTicks: 1 }, 0, '99'],
    ['a start in the future counts as now', { startTicks: 1e9, cpuTicks: 0 }, 0, '0'],
  ])('C: %s', (_, change, ago, share) => {
    expect(row(change, ago)[3]).toBe(share);
  });

  test.each([
    [60_000, '11:59'],
    [DAY, 'May19'],
    [18 * DAY, 'May02'],
    [150 * DAY, '2025'],
  ])('STIME of %d ms ago', (ago, text) => {
    expect(row({}, ago)[4]).toBe(text);
  });

  test.each([
    [0, '?'],
    [(136 << 8) | 0, 'pts/0'],
    [(136 << 8) | 7, 'pts/7'],
    [(137 << 8) | 1, 'pts/257'],
    [(4 << 8) | 1, 'tty1'],
    [(4 << 8) | 64, 'ttyS0'],
    [(9 << 8) | 1, '?'],
  ])('TTY of device %d', (terminal, text) => {
    expect(row({ terminal })[5]).toBe(text);
  });

  test.each([
    [99, '00:00:00'],
    [100, '00:00:01'],
    [366_100, '01:01:01'],
    [8_640_000 * 2 + 100, '2-00:00:01'],
  ])('TIME of %d ticks', (cpuTicks, text) => {
    expect(row({ cpuTicks })[6]).toBe(text);
  });

  test('CMD: a zombie by its name, and nothing that drives a terminal', () => {
    expect(row({ args: [], name: 'a\x1bb' })[7]).toBe('[a?b]');
    expect(row({ args: ['x\x1b[31m', 'tab\there\x9b'] })[7]).toBe('x?[31m tab?here?');
  });
});

describe('parseStat', () => {
  const fields = Array.from({ length: 50 }, (_, i) => String(i + 3));

  test.each(['sh', 'a b', '(', ')', ') S 1 (', ''])('a process that is called %j', (name) => {
    expect(parseStat(`42 (${name}) ${fields.join(' ')}\n`)).toEqual({
      pid: 42,
      parent: 4,
      name,
      terminal: 7,
      cpuTicks: 29,
      endedTicks: 33,
      threads: 20,
      startTicks: 22,
    });
  });
});

describe('selectRows', () => {
  const output = '  UID     PID CMD\n    0      77 a  b   c\n    0     777 other\n    5      78\n';

  test('the rows of the pids, the last column joined', () => {
    expect(selectRows(output, new Set([77, 78]))).toEqual({
      titles: ['UID', 'PID', 'CMD'],
      rows: [
        ['0', '77', 'a b c'],
        ['5', '78', ''],
      ],
    });
  });

  test.each(['', 'USER COMMAND\nroot sh\n', 'PPID SPID\n1 2\n'])('without a PID column: %j', (text) => {
    expect(() => selectRows(text, new Set([1]))).toThrow(/couldn't find PID field in ps output/);
  });
});

test('userNames: the first of several', () => {
  expect(userNames('root:x:0:0::/:\ntoor:x:0:0::/:\n# no\n:x:5:5::/:\napp:x:1000:1::/:\n')).toEqual(
    new Map([
      [0, 'root'],
      [1000, 'app'],
    ]),
  );
});

test('containerProcesses: we are in our own namespaces', () => {
  const self = containerProcesses(process.pid, false).find(({ pid }) => pid === process.pid);
  expect(self).toMatchObject({ parent: process.ppid, hostUid: process.geteuid?.() });
});
