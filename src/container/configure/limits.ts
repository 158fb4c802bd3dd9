// Limits of a container: from the command line, and from the host that may or may not honour them. Loaded only where limits
// are asked for, or a monitor wants a group for its container (to pause it, to count what it uses).

import { existsSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { chooseGroup, type Opening } from '../../cgroup/choose.ts';
import { readCgroupFacts } from '../../cgroup/facts.ts';
import {
  FLAG_OF,
  limitNotes,
  parseLimits,
  type LimitHost,
  type LimitOptions,
} from '../../cgroup/limit-options.ts';
import { openGroup } from '../../cgroup/open.ts';
import { allUnhonoured, planGroup, type Unhonoured } from '../../cgroup/plan.ts';
import type { Limits } from '../../cgroup/types.ts';
import { encodeBytes } from '../../core/bytes.ts';
import { EngineError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { CgroupPlan } from '../../native/plan.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';

export interface AskedLimits {
  limits: Limits;
  notes: string[];
}

/** @throws USAGE */
export function askedLimits(options: LimitOptions): AskedLimits {
  const limits = parseLimits(options, HOST);
  return { limits, notes: limitNotes(options, limits) };
}

/** Looked at only for the flags that ask. */
export const HOST: LimitHost = {
  cpus: availableParallelism,
  allowedCpus: () => allowed('Cpus_allowed_list'),
  allowedMems: () => allowed('Mems_allowed_list'),
  blockDevice(path) {
    const stat = statSync(encodeBytes(path), { throwIfNoEntry: false });
    return stat?.isBlockDevice() === true ? deviceNumber(stat.rdev) : undefined;
  },
};

/** proc_pid_status(5) */
function allowed(field: string): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  return new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
}

/** makedev(3), for numbers below 2^32. */
function deviceNumber(rdev: number): string {
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return `${major}:${minor}`;
}

/** The group a container is to have. */
export interface PlacedGroup {
  plan: CgroupPlan;
  opening: Opening | undefined;
}

export interface PlacedLimits {
  /** undefined: it stays in ours. */
  group: PlacedGroup | undefined;
  unhonoured: Unhonoured[];
}

/** Chooses and makes nothing. @throws HOST_MISSING under --require-limits, naming what cannot be honoured */
export function placeLimits(hostUid: number, { id, host }: ContainerSpec): PlacedLimits {
  const { limits, cgroupParent, requireLimits } = host;
  const hasLimits = Object.keys(limits).length > 0;
  const choice = chooseGroup(readCgroupFacts(hostUid), {
    id,
    parent: cgroupParent,
    nonce: Date.now().toString(36),
  });
  if ('why' in choice) {
    const unhonoured = allUnhonoured(limits, choice);
    if (cgroupParent !== '') unhonoured.push({ flags: ['--cgroup-parent'], ...choice });
    if (requireLimits) refuse(unhonoured);
    return { group: undefined, unhonoured };
  }
  const asked = hasLimits || cgroupParent !== '';
  const required = requireLimits && asked;
  const { plan, unhonoured } = planGroup(choice, limits, { asked, required, exists: existsSync });
  if (requireLimits) refuse(unhonoured);
  // Without limits nothing has to be passed on, and nobody to be moved.
  return { group: { plan, opening: hasLimits ? choice.opening : undefined }, unhonoured };
}

function refuse([first]: readonly Unhonoured[]): void {
  if (first === undefined) return;
  throw new EngineError(
    'HOST_MISSING',
    `${first.flags.join(', ')}: cannot be honoured (--require-limits): ${first.why}`,
    { hint: first.mend },
  );
}

/** For `run --plan`. */
export function shownLimits(
  limits: Limits,
  unhonoured: readonly Unhonoured[],
): { name: string; value: string; honoured: boolean }[] {
  const lost = unhonoured.flatMap(({ flags }) => flags);
  return (Object.entries(limits) as [keyof Limits, unknown][]).map(([limit, value]) => ({
    name: FLAG_OF[limit].slice(2),
    value: shownValue(limit, value),
    honoured: !lost.includes(FLAG_OF[limit]),
  }));
}

function shownValue(limit: keyof Limits, value: unknown): string {
  if (limit === 'nanoCpus') return String(Number(value) / 1e9);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Lines for stderr. */
export function limitLines(unhonoured: readonly Unhonoured[]): string[] {
  return unhonoured
    .filter(({ flags }) => flags.length > 0)
    .map(
      ({ flags, why, mend }) =>
        `${flags.join(', ')}: not honoured: ${why}${mend === undefined ? '' : `; ${mend}`}`,
    );
}

/**
 * Just before the container is made: has the group above pass its controllers on.
 * @throws HOST_MISSING under --require-limits
 */
export function openPlaced({ log }: { log: Log }, { plan, opening }: PlacedGroup): void {
  if (opening === undefined) return;
  const passedOn = openGroup(opening);
  const lost = plan.limits.filter(({ path }) => !passedOn.includes(controllerOf(path)));
  if (lost.length === 0) return;
  const unhonoured: Unhonoured = {
    flags: [...new Set(lost.filter(({ implied }) => !implied).map((write) => write.name))],
    why: `the cgroup ${opening.dirs.at(-1) ?? ''} passes nothing on: it is not ours to change, or holds processes that cannot be moved`,
    mend: undefined,
  };
  if (plan.required) refuse([unhonoured]);
  plan.limits = plan.limits.filter((write) => !lost.includes(write));
  for (const line of limitLines([unhonoured])) log.warn(line);
}

/** "…/memory.max": the file's first word. */
function controllerOf(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.slice(0, file.indexOf('.'));
}
