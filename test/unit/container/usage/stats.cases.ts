// Files of /proc as kernels write them, and shares of CPU time.

import type { IoBytes } from '../../../../src/cgroup/usage.ts';
import type { NetBytes } from '../../../../src/container/usage/process-usage.ts';

const TITLES =
  'Inter-|   Receive                                                |  Transmit\n' +
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';

export const NET_FILES: { name: string; text: string | undefined; bytes: NetBytes | undefined }[] = [
  {
    name: 'the loopback alone',
    text: `${TITLES}    lo: 280018902   16646    0    0    0     0          0         0 280018902   16646    0    0    0     0       0          0\n`,
    bytes: { receivedBytes: 0, sentBytes: 0 },
  },
  {
    name: 'two interfaces',
    text:
      `${TITLES}    lo: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n` +
      '  tap0: 1000      12    0    0    0     0          0         0     250      11    0    0    0     0       0          0\n' +
      '  eth0: 1         1    0    0    0     0          0         0       2       1    0    0    0     0       0          0\n',
    bytes: { receivedBytes: 1001, sentBytes: 252 },
  },
  {
    name: 'a long number that leaves no space',
    text: `${TITLES}eth0:123456789012 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0\n`,
    bytes: { receivedBytes: 123_456_789_012, sentBytes: 4 },
  },
  {
    name: 'a name with a colon',
    text: `${TITLES}eth0:1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n`,
    bytes: { receivedBytes: 5, sentBytes: 6 },
  },
  { name: 'a process that has ended', text: '', bytes: undefined },
  { name: 'no such process', text: undefined, bytes: undefined },
];

export const IO_FILES: { name: string; text: string | undefined; bytes: IoBytes | undefined }[] = [
  {
    name: 'read and written',
    text: 'rchar: 9\nwchar: 9\nsyscr: 9\nsyscw: 9\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 5\n',
    bytes: { readBytes: 4096, writtenBytes: 8192 },
  },
  { name: 'half of it', text: 'read_bytes: 4096\n', bytes: undefined },
  { name: 'not ours to see', text: undefined, bytes: undefined },
];

export const CPU_SHARES: [
  name: string,
  passedMs: number,
  before: number | undefined,
  after: number | undefined,
  percent: number | undefined,
][] = [
  ['idle', 1000, 7_000_000, 7_000_000, 0],
  ['half of a processor', 1000, 1_000_000_000, 1_500_000_000, 50],
  ['two processors', 500, 0, 1_000_000_000, 200],
  ['less than before, since a process has ended', 1000, 2_000_000_000, 1_000_000_000, 0],
  ['no time has passed', 0, 1, 2, undefined],
  ['not counted before', 1000, undefined, 2, undefined],
  ['not counted any more', 1000, 2, undefined, undefined],
];
