// --ulimit NAME=SOFT[:HARD]: setrlimit(2). (pure)

import { EngineError } from '../core/errors.ts';
import type { Rlimit } from '../native/plan.ts';

/** docker's names → RLIMIT_* of linux/resource.h (the same numbers on x86-64, arm64 and riscv). */
export const RLIMITS: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};

export interface Ulimit {
  name: string;
  /** -1: unlimited. */
  soft: number;
  hard: number;
}

/** @throws USAGE */
export function parseUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-?\d{1,16})(?::(-?\d{1,16}))?$/.exec(text);
  const name = match?.[1];
  if (match === null || name === undefined)
    throw bad(text, 'expected NAME=SOFT[:HARD], for example nofile=1024:2048');
  if (!Object.hasOwn(RLIMITS, name))
    throw bad(text, `no limit is called ${name}; there are ${Object.keys(RLIMITS).join(', ')}`);
  const soft = Number(match[2]);
  const hard = match[3] === undefined ? soft : Number(match[3]);
  if (soft < -1 || hard < -1) throw bad(text, 'a limit is a number, or -1 for unlimited');
  if (hard !== -1 && (soft === -1 || soft > hard))
    throw bad(text, 'ulimit soft limit must be less than or equal to hard limit');
  return { name, soft, hard };
}

/** Labels of /proc/PID/limits (proc_pid_limits(5)). */
const LIMITS_LABELS: Readonly<Record<string, string>> = {
  cpu: 'Max cpu time',
  fsize: 'Max file size',
  data: 'Max data size',
  stack: 'Max stack size',
  core: 'Max core file size',
  rss: 'Max resident set',
  nproc: 'Max processes',
  nofile: 'Max open files',
  memlock: 'Max locked memory',
  as: 'Max address space',
  locks: 'Max file locks',
  sigpending: 'Max pending signals',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
};

/**
 * What an ordinary user gets: nobody without CAP_SYS_RESOURCE on the host goes above the hard limits of the caller.
 * procLimits: text of /proc/self/limits. notes: one line for each limit that is lower than asked.
 */
export function lowerUlimits(
  asked: readonly Ulimit[],
  procLimits: string,
): { ulimits: Ulimit[]; notes: string[] } {
  const notes: string[] = [];
  const ulimits = asked.map((limit) => {
    const own = hardLimit(limit.name, procLimits);
    const soft = lesser(limit.soft, own);
    const hard = lesser(limit.hard, own);
    if (soft === limit.soft && hard === limit.hard) return limit;
    const text = (a: number, b: number): string => (a === b ? String(a) : `${a}:${b}`);
    notes.push(
      `--ulimit ${limit.name}=${text(limit.soft, limit.hard)}: only root may go above the hard limit of the caller ("ulimit -H"): using ${text(soft, hard)}`,
    );
    return { name: limit.name, soft, hard };
  });
  return { ulimits, notes };
}

/** -1 for unlimited, and where the kernel does not say. */
function hardLimit(name: string, procLimits: string): number {
  const match = new RegExp(`^${LIMITS_LABELS[name]} +(\\S+) +(\\S+)`, 'm').exec(procLimits);
  return match?.[2] === undefined || match[2] === 'unlimited' ? -1 : Number(match[2]);
}

function lesser(limit: number, own: number): number {
  if (own === -1) return limit;
  return limit === -1 ? own : Math.min(limit, own);
}

export function toRlimit({ name, soft, hard }: Ulimit): Rlimit {
  return { resource: RLIMITS[name] as number, soft: BigInt(soft), hard: BigInt(hard) };
}

function bad(text: string, cause: string): EngineError {
  return new EngineError('USAGE', `--ulimit ${JSON.stringify(text)}: ${cause}`);
}
