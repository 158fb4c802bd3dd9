// The processes of a container, from /proc. Without a cgroup of its own, what a container is made of is told by its
// mount namespace, which is always new, by its pid namespace where that is its own, and by who descends from whom.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { decodeBytes } from '../../core/bytes.ts';
import { errnoOf } from '../../core/errors.ts';
import { parseProcStat } from '../../core/proc-stat.ts';

/** proc_pid_stat(5) and its neighbours. Times in clock ticks, 1/100 s on every Linux we run on (USER_HZ). */
export interface ProcessFacts {
  pid: number;
  parent: number;
  name: string;
  /** Device number of the controlling terminal; 0: none. */
  terminal: number;
  cpuTicks: number;
  /** Of descendants that have ended and been waited for. */
  endedTicks: number;
  threads: number;
  /** Since boot. */
  startTicks: number;
}

export interface ContainerProcess extends ProcessFacts {
  /** Effective id on the host. */
  hostUid: number;
  /** Arguments; none for a zombie. */
  args: string[];
}

interface Candidate extends ProcessFacts {
  inNamespace: boolean;
}

/**
 * By pid. Processes that end meanwhile are left out.
 * @param init  host pid of the container's init
 * @param ownPids  it has a pid namespace of its own
 */
export function containerProcesses(init: number, ownPids: boolean): ContainerProcess[] {
  const mounts = namespaceOf(init, 'mnt');
  const pids = ownPids ? namespaceOf(init, 'pid') : undefined;
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): Candidate[] => {
      const facts = readFacts(Number(name));
      if (facts === undefined) return [];
      const isIn = (kind: string, id: string | undefined): boolean =>
        id !== undefined && namespaceOf(facts.pid, kind) === id;
      return [{ ...facts, inNamespace: isIn('mnt', mounts) || isIn('pid', pids) }];
    });
  return members(all).flatMap((facts) => {
    const text = readProc(facts.pid, 'status');
    const args = readProc(facts.pid, 'cmdline');
    const hostUid = /^Uid:\t\d+\t(\d+)/m.exec(text ?? '')?.[1];
    return hostUid === undefined || args === undefined
      ? []
      : [{ ...facts, hostUid: Number(hostUid), args: args.replace(/\0$/, '').split('\0').filter(Boolean) }];
  });
}

/** Those in a namespace of the container, and all that descend from them. (pure) */
function members(all: readonly Candidate[]): Candidate[] {
  const inside = new Set(all.filter(({ inNamespace }) => inNamespace).map(({ pid }) => pid));
  for (let before = -1; before < inside.size;) {
    before = inside.size;
    for (const { pid, parent } of all) if (inside.has(parent)) inside.add(pid);
  }
  return all.filter(({ pid }) => inside.has(pid)).sort((a, b) => a.pid - b.pid);
}

function readFacts(pid: number): ProcessFacts | undefined {
  const stat = readProc(pid, 'stat');
  return stat === undefined ? undefined : parseStat(stat);
}

/** The line of /proc/PID/stat. (pure) */
export function parseStat(stat: string): ProcessFacts {
  const { pid, name, field: text } = parseProcStat(stat);
  const field = (number: number): number => Number(text(number));
  return {
    pid,
    parent: field(4),
    name,
    terminal: field(7),
    cpuTicks: field(14) + field(15),
    endedTicks: field(16) + field(17),
    threads: field(20),
    startTicks: field(22),
  };
}

/** undefined: gone, or nobody's of ours. */
function namespaceOf(pid: number, kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Bytes as text; undefined: gone, or not ours to look at. */
export function readProc(pid: number, file: string): string | undefined {
  try {
    return decodeBytes(readFileSync(`/proc/${pid}/${file}`));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
