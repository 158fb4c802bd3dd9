// Keeps a container as it is while its files are worked on from outside. One that does not run is held by a shared flock
// on its lock: `start` and `rm` want that exclusively, while `ps`, which asks by a shared one, still sees that nobody runs.

import { closeSync, openSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { addon } from '../../native/addon.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../../store/layout.ts';
import { waitForFlock } from '../../store/lock.ts';
import { readState } from '../state.ts';

export interface HeldContainer {
  /** Host pid of the init; undefined: it does not run, and will not until `release`. */
  pid: number | undefined;
  /** Idempotent. */
  release(): void;
}

/**
 * doing: first words of errors. @throws CONTAINER_STATE when it is just starting or ending, CONTAINER_NOT_FOUND when it
 * was removed meanwhile
 */
export function holdContainer(root: StoreRoot, spec: ContainerSpec, doing: string): HeldContainer {
  const fd = openLock(`${containerDir(root, spec.id)}/lock`, spec);
  if (addon().flock(fd, 'shared', true)) return { pid: undefined, release: closer(fd) };
  closeSync(fd);
  const { pid } = readState(root, spec.id);
  if (pid !== undefined) return { pid, release: () => {} };
  throw new EngineError('CONTAINER_STATE', `${doing}: the container is starting or ending right now`, {
    hint: 'try again',
    exitCode: 1,
  });
}

/**
 * Between those who work on the files of a container that does not run: one writer, or readers. Two overlays with one
 * upper directory would corrupt it.
 */
export async function lockFiles(
  root: StoreRoot,
  spec: ContainerSpec,
  mode: 'shared' | 'exclusive',
  signal: AbortSignal,
): Promise<() => void> {
  const fd = openLock(`${containerDir(root, spec.id)}/config.json`, spec);
  try {
    await waitForFlock(fd, mode, { signal });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return closer(fd);
}

function openLock(path: string, { name }: ContainerSpec): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new EngineError('CONTAINER_NOT_FOUND', `no such container: ${name}`, { exitCode: 1 });
  }
}

function closer(fd: number): () => void {
  let open = true;
  return () => {
    if (open) closeSync(fd);
    open = false;
  };
}
