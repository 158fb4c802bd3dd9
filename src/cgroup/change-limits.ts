// Other limits for a group that lives: all of those that are asked for, or none. The kernel refuses one by one, so what
// has been written is written back when a later one fails.

import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import { FLAG_OF, size } from './limit-options.ts';
import { limitWrites, unsupportedLimits } from './limit-writes.ts';
import { DELEGATE } from './mend.ts';
import type { ContainerCgroup, Limits, LimitWrite } from './types.ts';
import { keyed, number, readKernelFile } from './usage.ts';

/** Writes everything that was before, as far as the kernel takes it. */
export type Undo = () => void;

/** @throws CONTAINER_STATE (exit status 1) saying which limit and why, HOST_MISSING; nothing is changed then */
export function changeLimits(group: ContainerCgroup, old: Limits, next: Limits): Undo {
  const isNew = (limit: keyof Limits): boolean => next[limit] !== old[limit];
  const absent = unsupportedLimits(next, group.version).find(isNew);
  if (absent !== undefined)
    throw refused(FLAG_OF[absent], `cgroup v${group.version} has no such limit`, undefined);
  const writes = changedWrites(limitWrites(old, group.version), limitWrites(next, group.version));
  if (isNew('memoryBytes')) checkRoom(group, next.memoryBytes);
  const done: Undo[] = [];
  const undo = (): void => {
    for (const back of done.splice(0).reverse()) back();
  };
  try {
    for (const write of inOrder(writes, group)) done.push(apply(group, write));
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** Those of `next` that `old` does not have in the same words. (pure) */
export function changedWrites(old: readonly LimitWrite[], next: readonly LimitWrite[]): LimitWrite[] {
  return next.filter(({ file, value }) => !old.some((write) => write.file === file && write.value === value));
}

const V1_MEMORY = 'memory.limit_in_bytes';
const V1_MEMORY_AND_SWAP = 'memory.memsw.limit_in_bytes';

/** On v1 memory alone may at no moment be allowed more than memory and swap together. */
export function inOrder(writes: readonly LimitWrite[], group: ContainerCgroup): LimitWrite[] {
  const memory = writes.find(({ file }) => file === V1_MEMORY);
  const both = writes.find(({ file }) => file === V1_MEMORY_AND_SWAP);
  if (group.version === 2 || memory === undefined || both === undefined) return [...writes];
  const now = number(readKernelFile(`${group.paths.memory ?? ''}/${V1_MEMORY_AND_SWAP}`));
  const rest = writes.filter((write) => write !== memory && write !== both);
  const grows = now !== undefined && Number(memory.value) > now;
  return grows ? [both, memory, ...rest] : [memory, both, ...rest];
}

/** v1 refuses by itself; v2 would kill. What is in use and could be dropped instead counts as room. */
function checkRoom(group: ContainerCgroup, bytes: number | undefined): void {
  if (group.version === 1 || bytes === undefined) return;
  const stat = readKernelFile(`${group.path}/memory.stat`);
  const current = number(readKernelFile(`${group.path}/memory.current`));
  if (current === undefined) return;
  const kept = current - (keyed(stat, 'file') ?? 0) - (keyed(stat, 'slab_reclaimable') ?? 0);
  const shared = keyed(stat, 'shmem') ?? 0; // counted in `file`, and kept all the same
  if (kept + shared > bytes) throw tooSmall(bytes, current);
}

function tooSmall(bytes: number, current: number | undefined): EngineError {
  const used = current === undefined ? 'more than that' : size(current);
  return refused('--memory', `${size(bytes)} are less than it needs right now: it uses ${used}`, undefined);
}

function apply(group: ContainerCgroup, write: LimitWrite): Undo {
  const { controller, file, value, instead, implied, limit } = write;
  const dir = group.version === 2 ? group.path : group.paths[controller as keyof typeof group.paths];
  const known = [{ file, value }, ...(instead === undefined ? [] : [instead])].flatMap((each) => {
    const path = `${dir ?? ''}/${each.file}`;
    const before = dir === undefined ? undefined : readKernelFile(path);
    return before === undefined ? [] : [{ path, value: each.value, before }];
  })[0];
  if (known === undefined) {
    if (implied === true) return () => undefined;
    throw missing(group, write);
  }
  try {
    writeKernelFile(known.path, known.value);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    if (implied === true) return () => undefined;
    if (errno === 'EBUSY' && limit === 'memoryBytes')
      throw tooSmall(Number(value), number(readKernelFile(`${dir ?? ''}/memory.usage_in_bytes`)));
    throw refused(FLAG_OF[limit], `the kernel refuses ${JSON.stringify(known.value)} (${errno})`, error);
  }
  return () => {
    try {
      writeKernelFile(known.path, known.before);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error; // the container has ended, or has grown meanwhile
    }
  };
}

function missing(group: ContainerCgroup, { limit, controller, file }: LimitWrite): EngineError {
  const hasController =
    group.version === 1
      ? group.paths[controller as keyof typeof group.paths] !== undefined
      : (readKernelFile(`${group.path}/cgroup.controllers`) ?? '').trim().split(' ').includes(controller);
  return new EngineError(
    'HOST_MISSING',
    hasController
      ? `${FLAG_OF[limit]}: the kernel has no ${file}`
      : `${FLAG_OF[limit]}: its group has no cgroup controller ${controller}`,
    { exitCode: 1, ...(!hasController && group.version === 2 && { hint: DELEGATE }) },
  );
}

function refused(flag: string, why: string, cause: unknown): EngineError {
  return new EngineError('CONTAINER_STATE', `${flag}: ${why}`, { exitCode: 1, cause });
}

/** One write; an empty text would be none. */
function writeKernelFile(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, text === '' ? '\n' : text);
  } finally {
    closeSync(fd);
  }
}
