// `wait`: until a container is in a state, by polling its lock, which is all the truth there is.

import { closeSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import type { StoreRoot } from '../store/layout.ts';
import { isStillThere, openLock } from './records.ts';
import { LOST, readState, stateWord, type ContainerState } from './state.ts';

const POLL_MS = 20;

/** podman's words; docker's `wait` means `stopped`. */
export const WAIT_CONDITIONS = [
  'stopped',
  'exited',
  'running',
  'paused',
  'restarting',
  'created',
  'removed',
] as const;
export type WaitCondition = (typeof WAIT_CONDITIONS)[number];

/** @throws USAGE */
export function parseCondition(text: string): WaitCondition {
  const found = WAIT_CONDITIONS.find((condition) => condition === text.toLowerCase());
  if (found !== undefined) return found;
  throw new EngineError(
    'USAGE',
    `--condition ${JSON.stringify(text)}: invalid condition, must be one of ${WAIT_CONDITIONS.join(', ')}`,
  );
}

/**
 * @returns the exit status of the container, or -1 while it has none (`running`, as podman prints it)
 * @throws CANCELLED
 */
export async function waitForContainer(
  root: StoreRoot,
  { id }: ContainerSpec,
  conditions: readonly WaitCondition[],
  cancel: AbortSignal,
): Promise<number> {
  const lockFd = openLock(root, id);
  if (lockFd === undefined) return LOST;
  try {
    for (;;) {
      const state = isStillThere(root, id, lockFd) ? readState(root, id) : undefined;
      // Gone with --rm, or by `rm -f`: the keeper has left the status in the file we have open.
      if (state === undefined) return statusLeftIn(lockFd);
      if (conditions.some((condition) => isMet(condition, state))) {
        return state.status === 'running' ? -1 : state.exitCode;
      }
      if (cancel.aborted) throw new EngineError('CANCELLED', 'waiting for a container: cancelled');
      await sleep(POLL_MS);
    }
  } finally {
    closeSync(lockFd);
  }
}

/** (pure) */
export function isMet(condition: WaitCondition, state: ContainerState): boolean {
  switch (condition) {
    case 'stopped':
    case 'exited':
      // docker does not wait for one that never ran, nor for the next run of one that is started again.
      return state.status !== 'running';
    case 'removed':
      return false;
    default:
      return stateWord(state) === condition;
  }
}

function statusLeftIn(lockFd: number): number {
  const bytes = Buffer.alloc(64);
  const text = bytes.toString('latin1', 0, readSync(lockFd, bytes, 0, bytes.length, 0));
  const code = /^code=(\d+)/.exec(text)?.[1];
  return code === undefined ? LOST : Number(code);
}
