// `wait`: until a container is in a state, by polling its lock, which is all the truth there is.

import { closeSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import type { StoreRoot } from '../store/layout.ts';
import { healthWord, type HealthWord } from './health.ts';
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
  'healthy',
  'unhealthy',
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
 * @throws CONTAINER_STATE (exit status 1) when only its health is waited for, and the container ends, or has no check
 * @throws CANCELLED
 */
export async function waitForContainer(
  root: StoreRoot,
  spec: ContainerSpec,
  conditions: readonly WaitCondition[],
  cancel: AbortSignal,
): Promise<number> {
  const { id } = spec;
  const awaited = conditions.every(isHealth) ? conditions.join(' or ') : undefined;
  if (awaited !== undefined && spec.health === undefined) throw withoutCheck(spec);
  const lockFd = openLock(root, id);
  if (lockFd === undefined) return LOST;
  try {
    for (;;) {
      const state = isStillThere(root, id, lockFd) ? readState(root, id) : undefined;
      // Gone with --rm, or by `rm -f`: the keeper has left the status in the file we have open.
      if (state === undefined && awaited === undefined) return statusLeftIn(lockFd);
      if (state === undefined) throw endedFirst(spec, awaited as string, statusLeftIn(lockFd));
      const health = healthWord(root, spec, state);
      if (conditions.some((condition) => isMet(condition, state, health))) {
        return state.status === 'running' ? -1 : state.exitCode;
      }
      if (awaited !== undefined && state.status === 'exited') throw endedFirst(spec, awaited, state.exitCode);
      if (cancel.aborted) throw new EngineError('CANCELLED', 'waiting for a container: cancelled');
      await sleep(POLL_MS);
    }
  } finally {
    closeSync(lockFd);
  }
}

/** (pure) */
export function isMet(condition: WaitCondition, state: ContainerState, health: HealthWord): boolean {
  switch (condition) {
    case 'healthy':
    case 'unhealthy':
      return state.status === 'running' && health === condition;
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

function isHealth(condition: WaitCondition): boolean {
  return condition === 'healthy' || condition === 'unhealthy';
}

function withoutCheck({ name }: ContainerSpec): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `waiting for container ${JSON.stringify(name)}: it has no health check`,
    {
      hint: 'a container gets one with --health-cmd, or from its image',
      exitCode: 1,
    },
  );
}

function endedFirst({ name }: ContainerSpec, awaited: string, exitCode: number): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `waiting for container ${JSON.stringify(name)}: it has ended with exit status ${exitCode} before it was ${awaited}`,
    { exitCode: 1 },
  );
}

function statusLeftIn(lockFd: number): number {
  const bytes = Buffer.alloc(64);
  const text = bytes.toString('latin1', 0, readSync(lockFd, bytes, 0, bytes.length, 0));
  const code = /^code=(\d+)/.exec(text)?.[1];
  return code === undefined ? LOST : Number(code);
}
