// `pause` and `unpause`: the container's group is frozen, so all of its processes stop at once and notice nothing. There is
// no fall-back to SIGSTOP where there is no group: a container sees that (its shells report stopped jobs), can undo it
// (SIGCONT), and a process it had stopped itself would be going on afterwards.

import { existsSync } from 'node:fs';
import { freeze, isFrozen, thaw, unfreeze } from '../cgroup/freezer.ts';
import { readCgroup } from '../cgroup/record.ts';
import type { ContainerCgroup } from '../cgroup/types.ts';
import { EngineError, retold } from '../core/errors.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import { logContainerEvent } from './events.ts';
import { readSpec } from './records.ts';
import { hasBegun, readState, stateWord, type ContainerState } from './state.ts';

/** @throws CONTAINER_STATE in docker's words, HOST_MISSING when it has no group (exit status 1), CANCELLED */
export async function pauseContainer(
  root: StoreRoot,
  spec: ContainerSpec,
  signal?: AbortSignal,
): Promise<void> {
  const state = readState(root, spec.id);
  checkRunning('pause', spec, state);
  if (state.paused) throw wrongState('pause', spec, 'is already paused');
  const group = freezable(root, spec);
  if (group === undefined) throw noGroup(root, spec);
  if (!(await told('pause', spec, () => freeze(group, signal))))
    throw wrongState('pause', spec, 'is not running');
  // Only now it cannot be another one any more. Whoever waits for the start of a frozen one would wait for ever.
  if (!hasBegun(containerDir(root, spec.id))) {
    thaw(group);
    throw wrongState('pause', spec, 'is starting, wait until the container is running');
  }
  logContainerEvent(root, spec, 'pause');
}

/** @throws CONTAINER_STATE in docker's words (exit status 1), CANCELLED */
export async function unpauseContainer(
  root: StoreRoot,
  spec: ContainerSpec,
  signal?: AbortSignal,
): Promise<void> {
  const state = readState(root, spec.id);
  checkRunning('unpause', spec, state);
  const group = readCgroup(root, spec.id);
  if (group === undefined || !state.paused) throw wrongState('unpause', spec, 'is not paused');
  await told('unpause', spec, () => unfreeze(group, signal));
  logContainerEvent(root, spec, 'unpause');
}

/** For `--all`: those that are running, or paused, right now. */
export function isIn(root: StoreRoot, id: string, word: 'running' | 'paused'): boolean {
  const spec = readSpec(root, id as ContainerSpec['id']);
  return spec !== undefined && stateWord(readState(root, spec.id)) === word;
}

/** The group, where it has a freezer. */
export function freezable(root: StoreRoot, { id }: ContainerSpec): ContainerCgroup | undefined {
  const group = readCgroup(root, id);
  return group === undefined || isFrozen(group) === undefined ? undefined : group;
}

type Verb = 'pause' | 'unpause';

function checkRunning(verb: Verb, spec: ContainerSpec, { status }: ContainerState): void {
  if (status === 'restarting')
    throw wrongState(verb, spec, 'is restarting, wait until the container is running');
  if (status !== 'running') throw wrongState(verb, spec, 'is not running');
}

function wrongState(verb: Verb, { id, name }: ContainerSpec, what: string): EngineError {
  return new EngineError('CONTAINER_STATE', `cannot ${verb} container: ${name}: container ${id} ${what}`, {
    exitCode: 1,
  });
}

function noGroup(root: StoreRoot, { id, name }: ContainerSpec): EngineError {
  const isMonitored = existsSync(`${containerDir(root, id)}/attach`);
  return new EngineError(
    'HOST_MISSING',
    `cannot pause container: ${name}: it has no control group that could be frozen`,
    {
      hint: isMonitored
        ? '"skiff doctor" says whether this host lets you have one'
        : 'run it with -d, without --rm, or with a limit such as --pids-limit',
      exitCode: 1,
    },
  );
}

/** Adds what was being done to an error that only says why. */
async function told<T>(verb: Verb, { name }: ContainerSpec, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'CONTAINER_STATE') throw error;
    throw retold(error, { message: `cannot ${verb} container: ${name}: ${error.message}` });
  }
}
