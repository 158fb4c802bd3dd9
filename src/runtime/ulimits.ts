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

export function toRlimit({ name, soft, hard }: Ulimit): Rlimit {
  return { resource: RLIMITS[name] as number, soft: BigInt(soft), hard: BigInt(hard) };
}

function bad(text: string, cause: string): EngineError {
  return new EngineError('USAGE', `--ulimit ${JSON.stringify(text)}: ${cause}`);
}
