// What a container is doing, from its lock, `pid` and `exit` files. Nothing is believed that the lock contradicts.

import { readFileSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { readFileIfExists } from '../core/fs.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import type { ContainerId } from '../runtime/spec.ts';
import { isAlive } from './records.ts';

export interface ContainerState {
  /** docker's words. `created`: made, but its process never ran. */
  status: 'created' | 'running' | 'exited';
  /** Host pid of the container's init, while it runs. */
  pid: number | undefined;
  exitCode: number;
  oomKilled: boolean;
  error: string;
  /** Unix milliseconds. */
  startedAtMs: number | undefined;
  finishedAtMs: number | undefined;
}

/** Exit status of a container whose monitor was killed before it could write one. */
const LOST = 137;

export function readState(root: StoreRoot, id: ContainerId): ContainerState {
  const dir = containerDir(root, id);
  if (isAlive(root, id)) {
    const process = readPid(dir);
    return {
      status: process === undefined ? 'created' : 'running',
      pid: process?.pid,
      exitCode: 0,
      oomKilled: false,
      error: '',
      startedAtMs: process?.startedAtMs,
      finishedAtMs: undefined,
    };
  }
  return readExit(dir);
}

function readExit(dir: string): ContainerState {
  const text = readFileIfExists(`${dir}/exit`);
  if (text !== undefined) return parseExit(text);
  const started = readFileIfExists(`${dir}/pid`) !== undefined;
  return {
    status: started ? 'exited' : 'created',
    pid: undefined,
    exitCode: started ? LOST : 0,
    oomKilled: false,
    error: started ? 'the process that kept the container was killed' : '',
    startedAtMs: undefined,
    finishedAtMs: undefined,
  };
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
  };
}

function milliseconds(nanoseconds: string | undefined): number | undefined {
  if (nanoseconds === undefined || !/^[1-9]\d*$/.test(nanoseconds)) return undefined;
  return Number(BigInt(nanoseconds) / 1_000_000n);
}

export interface InitProcess {
  pid: number;
  /** Field 22 of /proc/PID/stat: with the pid, it names one process for ever. */
  startTicks: string;
  startedAtMs: number | undefined;
}

/** The init named in the `pid` file, if that very process is alive. */
export function readPid(dir: string): InitProcess | undefined {
  const init = readInit(dir);
  return init === undefined ? undefined : { ...init, startedAtMs: bootMs() + Number(init.startTicks) * 10 };
}

/** The same without the time of day, which takes a look at the boot time. */
export function readInit(dir: string): Omit<InitProcess, 'startedAtMs'> | undefined {
  const match = /^(\d+) (\d+)/.exec(readFileIfExists(`${dir}/pid`) ?? '');
  if (match === null) return undefined;
  const pid = Number(match[1]);
  const startTicks = match[2] as string;
  return startTicksOf(pid) === startTicks ? { pid, startTicks } : undefined;
}

/** undefined when there is no such process. */
export function startTicksOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ESRCH') return undefined;
    throw error;
  }
  // The command's name is in parentheses and may hold anything, so fields are counted from the last one.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** Unix time of the boot; ticks are 1/100 s on every Linux we run on (USER_HZ). */
function bootMs(): number {
  const match = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'));
  return match === null ? 0 : Number(match[1]) * 1000;
}
