// What a group uses, from the kernel's files: cgroup v1 and v2 in the same terms. What a group does not count, since its
// controller is not there, is undefined. The directories of a container vanish when it ends: then nothing is known.

import { readFileSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import type { ContainerCgroup, V1Controller } from './types.ts';

export interface Usage {
  /** CPU time consumed so far. */
  cpuNs: number | undefined;
  /** docker's rule: without the page cache that nobody has used lately, which goes before anybody is killed. */
  memoryBytes: number | undefined;
  /** undefined: none of its own. */
  memoryLimitBytes: number | undefined;
  /** Tasks, which threads are too, as pids.max counts them. */
  pids: number | undefined;
  /** Moved from and to block devices so far. */
  io: IoBytes | undefined;
}

export interface IoBytes {
  readBytes: number;
  writtenBytes: number;
}

export const NO_USAGE: Usage = {
  cpuNs: undefined,
  memoryBytes: undefined,
  memoryLimitBytes: undefined,
  pids: undefined,
  io: undefined,
};

/** undefined: the group is gone. */
export function readUsage(group: ContainerCgroup): Usage | undefined {
  const usage = group.version === 2 ? v2Usage(group.path) : v1Usage(group.paths);
  return Object.values(usage).every((value) => value === undefined) ? undefined : usage;
}

function v2Usage(dir: string): Usage {
  const read = (file: string): string | undefined => readKernelFile(`${dir}/${file}`);
  return {
    cpuNs: microseconds(keyed(read('cpu.stat'), 'usage_usec')),
    memoryBytes: used(number(read('memory.current')), keyed(read('memory.stat'), 'inactive_file')),
    memoryLimitBytes: limit(read('memory.max')),
    pids: number(read('pids.current')),
    io: ioStat(read('io.stat')),
  };
}

function v1Usage(paths: Partial<Record<V1Controller, string>>): Usage {
  const read = (controller: V1Controller, file: string): string | undefined =>
    paths[controller] === undefined ? undefined : readKernelFile(`${paths[controller]}/${file}`);
  const memory = read('memory', 'memory.stat');
  return {
    cpuNs: number(read('cpuacct', 'cpuacct.usage')),
    memoryBytes: used(
      number(read('memory', 'memory.usage_in_bytes')),
      keyed(memory, 'total_inactive_file') ?? keyed(memory, 'inactive_file'),
    ),
    memoryLimitBytes: limit(read('memory', 'memory.limit_in_bytes')),
    pids: number(read('pids', 'pids.current')),
    io: blkio(
      read('blkio', 'blkio.throttle.io_service_bytes_recursive') ??
        read('blkio', 'blkio.throttle.io_service_bytes'),
    ),
  };
}

/** undefined where there is no such file, or no such group any more (ENODEV while it is open). */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENODEV', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** A file of one number. (pure) */
export function number(text: string | undefined): number | undefined {
  return /^\d+\n?$/.test(text ?? '') ? Number(text) : undefined;
}

/** `key value` lines: cpu.stat, memory.stat, cgroup.events. (pure) */
export function keyed(text: string | undefined, key: string): number | undefined {
  for (const line of text?.split('\n') ?? []) {
    const [name, value] = line.split(' ');
    if (name === key) return number(value);
  }
  return undefined;
}

function microseconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1000;
}

function used(bytes: number | undefined, idleBytes: number | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  // Read one after the other: the second may be of a later moment.
  return idleBytes === undefined || idleBytes > bytes ? bytes : bytes - idleBytes;
}

/** v1 says "none" by a number no machine has: the highest multiple of a page. */
const NO_V1_LIMIT = 2 ** 62;

/** memory.max, memory.limit_in_bytes. (pure) */
export function limit(text: string | undefined): number | undefined {
  const bytes = number(text);
  return bytes !== undefined && bytes < NO_V1_LIMIT ? bytes : undefined;
}

/** io.stat: `8:0 rbytes=4096 wbytes=0 rios=1 …`, a line for each device. A group that has moved nothing has none. (pure) */
export function ioStat(text: string | undefined): IoBytes | undefined {
  if (text === undefined) return undefined;
  const total = { readBytes: 0, writtenBytes: 0 };
  for (const [, key, value] of text.matchAll(/ (rbytes|wbytes)=(\d+)/g))
    total[key === 'rbytes' ? 'readBytes' : 'writtenBytes'] += Number(value);
  return total;
}

/** blkio.throttle.io_service_bytes: `8:0 Read 4096`, a line for each device and kind, and a total. (pure) */
export function blkio(text: string | undefined): IoBytes | undefined {
  if (text === undefined) return undefined;
  const total = { readBytes: 0, writtenBytes: 0 };
  for (const [, key, value] of text.matchAll(/^\d+:\d+ (Read|Write) (\d+)$/gm))
    total[key === 'Read' ? 'readBytes' : 'writtenBytes'] += Number(value);
  return total;
}
