// Stopping every process of a group at once, unseen by them: freezer of cgroup v1, cgroup.freeze of v2. Whether a group is
// frozen is asked of the kernel, never remembered.

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { ContainerCgroup } from './types.ts';
import { keyed, readKernelFile } from './usage.ts';

const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 20;
/** A process in the middle of a disk or network operation freezes when that is done. */
const FREEZE_WAIT_MS = 10_000;

/** undefined: it cannot be frozen, or is gone. */
export function isFrozen(group: ContainerCgroup): boolean | undefined {
  if (group.version === 2) return flag(keyed(readKernelFile(`${group.path}/cgroup.events`), 'frozen'));
  const { freezer } = group.paths;
  const state = freezer === undefined ? undefined : readKernelFile(`${freezer}/freezer.state`);
  return state === undefined ? undefined : state.trim() === 'FROZEN';
}

function flag(value: number | undefined): boolean | undefined {
  return value === undefined ? undefined : value === 1;
}

/**
 * Returns when no process of the group runs any more, and true; false when the group is gone. One that cannot be frozen
 * is left running. @throws CONTAINER_STATE when that takes too long, CANCELLED
 */
export async function freeze(group: ContainerCgroup, signal?: AbortSignal): Promise<boolean> {
  try {
    return await reach(group, true, signal);
  } catch (error) {
    thaw(group);
    throw error;
  }
}

/** Lets them go on, and returns true when they do; false when the group is gone. @throws CONTAINER_STATE, CANCELLED */
export async function unfreeze(group: ContainerCgroup, signal?: AbortSignal): Promise<boolean> {
  return await reach(group, false, signal);
}

/** The same without a look at what comes of it. Idempotent. */
export function thaw(group: ContainerCgroup): void {
  ask(group, false);
}

async function reach(
  group: ContainerCgroup,
  frozen: boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const deadline = Date.now() + FREEZE_WAIT_MS;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    // Again and again: v1 does not finish by itself when a process forks at the wrong moment.
    if (!ask(group, frozen)) return false;
    const seen = isFrozen(group);
    if (seen === undefined) return false;
    if (seen === frozen) return true;
    if (signal?.aborted === true) throw new EngineError('CANCELLED', 'pausing a container: cancelled');
    if (Date.now() >= deadline) throw stuck(frozen);
    await sleep(waitMs);
  }
}

function stuck(frozen: boolean): EngineError {
  const seconds = FREEZE_WAIT_MS / 1000;
  return frozen
    ? new EngineError('CONTAINER_STATE', `one of its processes has not stopped within ${seconds} s`, {
        hint: 'it waits for a disk or the network: try again',
        exitCode: 1,
      })
    : new EngineError('CONTAINER_STATE', `it is still frozen after ${seconds} s`, {
        hint: 'a control group above it is frozen',
        exitCode: 1,
      });
}

/** False when there is nothing to ask. */
function ask(group: ContainerCgroup, frozen: boolean): boolean {
  const dir = group.version === 2 ? group.path : group.paths.freezer;
  if (dir === undefined) return false;
  const [file, value] =
    group.version === 2
      ? ['cgroup.freeze', frozen ? '1' : '0']
      : ['freezer.state', frozen ? 'FROZEN' : 'THAWED'];
  try {
    writeFileSync(`${dir}/${file}`, value, { flag: 'r+' });
    return true;
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
}
