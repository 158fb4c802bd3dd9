// What the processes of a container use, summed over /proc: for containers without a group of their own, and for what
// their group does not count. Like a group's, the counters go on when a process ends, as long as somebody waits for it.

import { NO_USAGE, type IoBytes, type Usage } from '../../cgroup/usage.ts';
import { containerProcesses, readProc, type ProcessFacts } from './processes.ts';

/** proc_pid_stat(5) counts in USER_HZ, which is 100 on every Linux we run on. */
const NS_PER_TICK = 10_000_000;

/** init: host pid; ownPids: it has a pid namespace of its own. NO_USAGE when it has ended. */
export function processUsage(init: number, ownPids: boolean): Usage {
  const processes = containerProcesses(init, ownPids);
  if (processes.length === 0) return NO_USAGE;
  return {
    cpuNs: sum(processes, ({ cpuTicks, endedTicks }) => cpuTicks + endedTicks) * NS_PER_TICK,
    memoryBytes: sum(processes, ({ pid }) => memoryOf(pid)),
    memoryLimitBytes: undefined,
    pids: sum(processes, ({ threads }) => threads),
    io: ioOf(processes),
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Pages shared by several processes are divided among them, where the kernel lets us see that; else each has them all. */
function memoryOf(pid: number): number {
  const shares = parseRollup(readProc(pid, 'smaps_rollup'));
  return shares ?? parseResident(readProc(pid, 'status')) ?? 0;
}

/** smaps_rollup of proc_pid_smaps(5). (pure) */
export function parseRollup(text: string | undefined): number | undefined {
  return kilobytes(/^Pss:\s+(\d+) kB$/m.exec(text ?? ''));
}

/** proc_pid_status(5). A process that is ending has none any more. (pure) */
export function parseResident(text: string | undefined): number | undefined {
  return kilobytes(/^VmRSS:\s+(\d+) kB$/m.exec(text ?? ''));
}

function kilobytes(match: RegExpExecArray | null): number | undefined {
  return match === null ? undefined : Number(match[1]) * 1024;
}

/** undefined when one of them does not let us look: part of the truth would be none. */
function ioOf(processes: readonly ProcessFacts[]): IoBytes | undefined {
  const each = processes.map(({ pid }) => parseIo(readProc(pid, 'io')));
  if (each.some((io) => io === undefined)) return undefined;
  const known = each as IoBytes[];
  return {
    readBytes: sum(known, ({ readBytes }) => readBytes),
    writtenBytes: sum(known, ({ writtenBytes }) => writtenBytes),
  };
}

/** proc_pid_io(5). (pure) */
export function parseIo(text: string | undefined): IoBytes | undefined {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}: (\\d+)$`, 'm').exec(text ?? '')?.[1];
  const [read, written] = [field('read_bytes'), field('write_bytes')];
  return read === undefined || written === undefined
    ? undefined
    : { readBytes: Number(read), writtenBytes: Number(written) };
}

export interface NetBytes {
  receivedBytes: number;
  sentBytes: number;
}

/** Since its network namespace was made; undefined when the process has ended. */
export function networkUsage(pid: number): NetBytes | undefined {
  return parseNetDev(readProc(pid, 'net/dev'));
}

/** /proc/PID/net/dev: a line for each interface behind two lines of titles. What stays in the container is not counted. (pure) */
export function parseNetDev(text: string | undefined): NetBytes | undefined {
  // A namespace whose last process is gone shows nothing at all.
  if (text === undefined || text === '') return undefined;
  const total = { receivedBytes: 0, sentBytes: 0 };
  for (const line of text.split('\n')) {
    // The name may be followed by the first number without a space between.
    const [, name, counters] = /^\s*(\S+?):\s*(\d[\d\s]*)$/.exec(line) ?? [];
    if (counters === undefined || name === 'lo') continue;
    const fields = counters.trim().split(/\s+/).map(Number);
    total.receivedBytes += fields[0] ?? 0;
    total.sentBytes += fields[8] ?? 0;
  }
  return total;
}
