// Which container a command line means: its first word, --latest, or --cidfile.

import { encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { readFileSync } from 'node:fs';
import type { ContainerSpec } from '../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import { findContainer, listIds, readSpec } from './records.ts';
import { readPid } from './state.ts';

export interface AddressOptions {
  latest: boolean | undefined;
  cidfile?: string | undefined;
}

export interface Addressed {
  spec: ContainerSpec;
  /** What the user called it. */
  typed: string;
  /** The words that are not its name. */
  rest: string[];
}

/** @throws CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS; USAGE for a --cidfile that cannot be read, or both options */
export function addressContainer(
  root: StoreRoot,
  words: readonly string[],
  { latest, cidfile }: AddressOptions,
): Addressed {
  if (latest === true && cidfile !== undefined)
    throw new EngineError('USAGE', '--latest and --cidfile: give one of the two');
  if (latest === true) {
    const spec = newest(root);
    return { spec, typed: spec.name, rest: [...words] };
  }
  const [typed = '', ...rest] = cidfile === undefined ? words : [readCidFile(cidfile), ...words];
  return { spec: findContainer(root, typed), typed, rest };
}

/** The container made last. @throws CONTAINER_NOT_FOUND when there is none */
export function newest(root: StoreRoot): ContainerSpec {
  let found: ContainerSpec | undefined;
  for (const id of listIds(root)) {
    const spec = readSpec(root, id);
    if (spec !== undefined && (found === undefined || spec.createdAt > found.createdAt)) found = spec;
  }
  if (found !== undefined) return found;
  throw new EngineError('CONTAINER_NOT_FOUND', 'no such container: --latest finds none', { exitCode: 1 });
}

/** @throws USAGE */
export function readCidFile(path: string): string {
  try {
    return readFileSync(encodeBytes(path), 'utf8').trim();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new EngineError('USAGE', `--cidfile ${JSON.stringify(path)}: cannot be read`, { cause: error });
  }
}

export interface RunningContainer {
  /** Host pid of its init. */
  pid: number;
  startTicks: string;
}

/**
 * The init of a container that runs. No lock is asked: a process of that pid and start time is the container's init, and
 * dies with it. @throws CONTAINER_STATE in docker's words
 */
export function runningInit(root: StoreRoot, { id, name }: ContainerSpec): RunningContainer {
  const init = readPid(containerDir(root, id));
  if (init !== undefined) return init;
  throw new EngineError('CONTAINER_STATE', `container ${name}: container ${id} is not running`, {
    hint: '"skiff ps --all" shows its state',
    exitCode: 1,
  });
}
