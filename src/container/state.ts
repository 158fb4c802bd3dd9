// What a container is doing, from its lock, `pid` and `exit` files. Nothing is believed that the lock contradicts.

import { readFileSync } from 'node:fs';
import { isFrozen } from '../cgroup/freezer.ts';
import { parseCgroup, readCgroup } from '../cgroup/record.ts';
import type { ContainerCgroup } from '../cgroup/types.ts';
import { errnoOf } from '../core/errors.ts';
import { readFileIfExists } from '../core/fs.ts';
import { parseProcStat, type ProcStat } from '../core/proc-stat.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import type { ContainerId } from '../runtime/spec.ts';
import { isAlive, type ContainerNotes } from './records.ts';

export interface ContainerState {
  /** docker's words. `created`: made, but its process never ran. `restarting`: its monitor waits to start it again. */
  status: 'created' | 'running' | 'restarting' | 'exited';
  /** Host pid of the container's init, while it runs. */
  pid: number | undefined;
  exitCode: number;
  oomKilled: boolean;
  error: string;
  /** Unix milliseconds. */
  startedAtMs: number | undefined;
  finishedAtMs: number | undefined;
  /** How often its restart policy has started it again. */
  restartCount: number;
  /** It runs, but its group is frozen. */
  paused: boolean;
}

/** Exit status of a container whose monitor was killed before it could write one. */
export const LOST = 137;
export const LOST_KEEPER = 'the process that kept the container was killed';

/** What a list shows, which need not know the process. */
export type ListedState = Omit<ContainerState, 'pid'>;

export function readState(root: StoreRoot, id: ContainerId): ContainerState {
  const dir = containerDir(root, id);
  if (!isAlive(root, id)) return ended(readFileIfExists(`${dir}/exit`), () => hasPidFile(dir));
  const init = readPid(dir);
  if (init !== undefined) {
    const { pid, startedAtMs, restarts: restartCount } = init;
    return { ...NEVER_RAN, status: 'running', pid, startedAtMs, restartCount, paused: isPaused(root, id) };
  }
  const exit = readFileIfExists(`${dir}/exit`);
  // Its process has ended, and its keeper is about to say how.
  if (exit === undefined) return { ...NEVER_RAN, status: hasPidFile(dir) ? 'running' : 'created' };
  const last = parseExit(exit);
  return isRestarting(exit) ? { ...last, status: 'restarting' } : last;
}

/**
 * The same from what was read of many containers at once. A keeper writes `pid` when a run has begun, and then removes
 * the `exit` of the run before: where the lock is held, there was no `exit` and then a `pid`, that run goes on, or ends
 * right now. Nobody has to look for the process.
 */
export function listedState(root: StoreRoot, { id, held, exit, pid, cgroup }: ContainerNotes): ListedState {
  if (!held) return ended(exit, () => pid !== undefined);
  const match = exit === undefined ? PID_FILE.exec(pid ?? '') : null;
  if (match === null) return readState(root, id);
  const { startedAtMs, restarts: restartCount } = runOf(match);
  const group = cgroup === undefined ? undefined : parseCgroup(cgroup);
  return { ...NEVER_RAN, status: 'running', startedAtMs, restartCount, paused: isPausedGroup(group) };
}

const NEVER_RAN: ContainerState = {
  status: 'created',
  pid: undefined,
  exitCode: 0,
  oomKilled: false,
  error: '',
  startedAtMs: undefined,
  finishedAtMs: undefined,
  restartCount: 0,
  paused: false,
};

/** Whether a run of the container ended with its keeper, so that nobody has recorded how. Of one that does not run. */
export function isLost(dir: string): boolean {
  return hasPidFile(dir) && readFileIfExists(`${dir}/exit`) === undefined;
}

/** Asked of its group; a container without one cannot be paused. */
export function isPaused(root: StoreRoot, id: ContainerId): boolean {
  return isPausedGroup(readCgroup(root, id));
}

export function isPausedGroup(group: ContainerCgroup | undefined): boolean {
  return group !== undefined && isFrozen(group) === true;
}

/** docker's word for it. (pure) */
export function stateWord({ status, paused }: ListedState): ContainerState['status'] | 'paused' {
  return paused ? 'paused' : status;
}

function hasPidFile(dir: string): boolean {
  return readFileIfExists(`${dir}/pid`) !== undefined;
}

/** Of a container that nobody keeps. */
function ended(exit: string | undefined, hasPid: () => boolean): ContainerState {
  // A record that announces another start is that of a monitor that was killed while it waited.
  if (exit !== undefined) return parseExit(exit);
  if (!hasPid()) return NEVER_RAN;
  return {
    ...NEVER_RAN,
    status: 'exited',
    exitCode: LOST,
    error: LOST_KEEPER,
  };
}

function isRestarting(exit: string): boolean {
  return /^restarting=1$/m.test(exit);
}

/** Lines `key=value` as the helper writes them; times in Unix nanoseconds. (pure) */
export function parseExit(text: string): ContainerState {
  const fields = new Map(
    text.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const startedAtMs = milliseconds(fields.get('startedAt'));
  return {
    status: startedAtMs === undefined ? 'created' : 'exited',
    pid: undefined,
    exitCode: Number(fields.get('code') ?? LOST),
    oomKilled: fields.get('oom') === '1',
    error: fields.get('error') ?? '',
    startedAtMs,
    finishedAtMs: milliseconds(fields.get('finishedAt')),
    restartCount: Number(fields.get('restarts') ?? 0),
    paused: false,
  };
}

function milliseconds(nanoseconds: string | undefined): number | undefined {
  if (nanoseconds === undefined || !/^[1-9]\d*$/.test(nanoseconds)) return undefined;
  return Number(nanoseconds.slice(0, -6));
}

/** Pid and field 22 of /proc/PID/stat: together they name one process for ever. */
export interface ProcessName {
  pid: number;
  startTicks: string;
}

export interface InitProcess extends ProcessName {
  startedAtMs: number | undefined;
  restarts: number;
}

function runOf(pidFile: RegExpExecArray): Pick<InitProcess, 'startedAtMs' | 'restarts'> {
  return { startedAtMs: milliseconds(pidFile[3]), restarts: Number(pidFile[6] ?? 0) };
}

const PID_FILE = /^(\d+) (\d+)(?: (\d+) (\d+) (\d+)(?: (\d+))?)?/;

/** The init named in the `pid` file, if that very process is alive. */
export function readPid(dir: string): InitProcess | undefined {
  const match = PID_FILE.exec(readFileIfExists(`${dir}/pid`) ?? '');
  const init = match === null ? undefined : ifAlive(match[1], match[2]);
  return match === null || init === undefined ? undefined : { ...init, ...runOf(match) };
}

/** The helper that keeps the container, and passes signals on to it. */
export function readKeeper(dir: string): ProcessName | undefined {
  const match = PID_FILE.exec(readFileIfExists(`${dir}/pid`) ?? '');
  return match?.[4] === undefined ? undefined : ifAlive(match[4], match[5]);
}

function ifAlive(pid: string | undefined, startTicks: string | undefined): ProcessName | undefined {
  return startTicks !== undefined && startTicksOf(Number(pid)) === startTicks
    ? { pid: Number(pid), startTicks }
    : undefined;
}

const PF_FORKNOEXEC = 0x40; // linux/sched.h
/** kTinyInitName of native/helper/process_stat.h: init of --init, which executes nothing. */
const TINY_INIT = 'skiff-init';

/** Whether the container's init is alive and past the helper's own code: what it runs is the command, or --init's init. */
export function hasBegun(dir: string): boolean {
  const init = readPid(dir);
  const stat = init === undefined ? undefined : statOf(init.pid);
  if (stat === undefined) return false;
  return (Number(stat.field(9)) & PF_FORKNOEXEC) === 0 || stat.name === TINY_INIT;
}

/** undefined when there is no such process. */
export function startTicksOf(pid: number): string | undefined {
  return statOf(pid)?.field(22);
}

function statOf(pid: number): ProcStat | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ESRCH') return undefined;
    throw error;
  }
}
