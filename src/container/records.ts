// Containers on disk: containers/<id>/{config.json, lock, exit, pid, log, upper, work} and names/<name> → <id>. A held
// flock on `lock` means alive; everything else is a note that may be stale. config.json is changed by updateSpec alone.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { addon } from '../native/addon.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import { ensureStore } from '../store/init.ts';
import { storeError, storeIo } from '../store/io.ts';
import { containerDir, containersDir, namesDir, type StoreRoot } from '../store/layout.ts';
import { isFree, isStillAt } from '../store/lock.ts';
import { isContainerId } from './names.ts';

export interface NewContainer {
  dir: string;
  /** Holds the lock until it is closed, by us or by the helper that inherits it. */
  lockFd: number;
}

/** Makes containers/<id>/ and takes its lock, before anybody can learn of it. @throws IO, NO_SPACE */
export function makeContainerDir(root: StoreRoot, id: ContainerId): NewContainer {
  const dir = containerDir(root, id);
  return storeIo('making the container', dir, () => {
    for (;;) {
      try {
        mkdirSync(dir, 0o700);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        ensureStore(root);
        mkdirSync(dir, { mode: 0o700, recursive: true });
      }
      const lockFd = lockNew(`${dir}/lock`);
      if (lockFd === undefined) continue;
      if (isStillThere(root, id, lockFd)) return { dir, lockFd };
      closeSync(lockFd);
    }
  });
}

/** undefined: a sweep took the folder for an abandoned one before it had its lock. */
function lockNew(path: string): number | undefined {
  let lockFd: number;
  try {
    lockFd = openSync(path, 'wx+', 0o600);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  // Waits only for somebody who asks whether the lock is free, or for that sweep.
  addon().flock(lockFd, 'exclusive', false);
  return lockFd;
}

export function writeSpec(dir: string, spec: ContainerSpec): void {
  storeIo('writing', `${dir}/config.json`, () =>
    writeFileSync(`${dir}/config.json`, JSON.stringify(spec), { mode: 0o600 }),
  );
}

/**
 * Changes config.json in one rename. Whoever does so holds the lock of the folder itself (its `lock` file says that the
 * container lives), so that of two changes none is lost.
 * @param afterwards is called under the same lock, with the name before the change
 * @returns the new spec; undefined when the container is gone
 */
export function updateSpec(
  root: StoreRoot,
  id: ContainerId,
  change: (spec: ContainerSpec) => void,
  afterwards: (oldName: string) => void = () => undefined,
): ContainerSpec | undefined {
  const dir = containerDir(root, id);
  const fd = openIfThere(dir);
  if (fd === undefined) return undefined;
  try {
    addon().flock(fd, 'exclusive', false);
    const spec = readSpec(root, id);
    if (spec === undefined) return undefined;
    const { name } = spec;
    change(spec);
    storeIo('writing', `${dir}/config.json`, () => {
      writeFileSync(`${dir}/config.json.tmp`, JSON.stringify(spec), { mode: 0o600 });
      renameSync(`${dir}/config.json.tmp`, `${dir}/config.json`);
    });
    afterwards(name);
    return spec;
  } finally {
    closeSync(fd);
  }
}

/** A descriptor; undefined when there is no such path. The caller closes it. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The file whose flock says that the container lives; undefined when the container is gone. The caller closes it. */
export function openLock(root: StoreRoot, id: ContainerId): number | undefined {
  return openIfThere(`${containerDir(root, id)}/lock`);
}

/** Whether the container whose lock `lockFd` is has not been removed since that was opened. */
export function isStillThere(root: StoreRoot, id: ContainerId, lockFd: number): boolean {
  return isStillAt(`${containerDir(root, id)}/lock`, lockFd);
}

/** undefined: no such container, or one that died before it was complete. */
export function readSpec(root: StoreRoot, id: ContainerId): ContainerSpec | undefined {
  let text: string;
  try {
    text = readFileSync(`${containerDir(root, id)}/config.json`, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    return storeIo('reading', `${containerDir(root, id)}/config.json`, () => {
      throw error;
    });
  }
  return parseSpec(text, id);
}

/** undefined: half a config.json, or one of a newer skiff's. (pure) */
function parseSpec(text: string, id: ContainerId): ContainerSpec | undefined {
  try {
    const spec = JSON.parse(text) as Partial<ContainerSpec> & { schemaVersion?: number };
    // One of a newer skiff is left alone: not shown, not removed as if it were torn.
    return spec.schemaVersion === 1 && spec.id === id ? complete(spec as ContainerSpec) : undefined;
  } catch {
    return undefined; // torn by a crash
  }
}

/** What a container made by an earlier skiff does not say. */
function complete(spec: ContainerSpec): ContainerSpec {
  spec.config = { ...{ stdinOnce: false }, ...spec.config };
  spec.host = { ...LATER_HOST_FIELDS, ...spec.host };
  return spec;
}

const LATER_HOST_FIELDS: Pick<
  ContainerSpec['host'],
  'logOptions' | 'restart' | 'scope' | 'pidFile' | 'limits'
> = {
  logOptions: { maxSizeBytes: 0, maxFiles: 1, typed: {} },
  restart: { name: 'no', maxRetries: 0 },
  scope: 'service',
  pidFile: undefined,
  limits: {},
};

/** No config.json, or half of one. A whole one that we do not understand is a newer skiff's and none of our business. */
export function isTorn(root: StoreRoot, id: ContainerId): boolean {
  try {
    JSON.parse(readFileSync(`${containerDir(root, id)}/config.json`, 'utf8'));
    return false;
  } catch {
    return true;
  }
}

/** What is in the folder of a container: its texts as they are, undefined for what is not there. */
export interface ContainerNotes {
  id: ContainerId;
  /** Somebody holds its lock. */
  held: boolean;
  exit: string | undefined;
  pid: string | undefined;
  cgroup: string | undefined;
  /** As of `readSpec`. */
  spec: ContainerSpec | undefined;
}

/** Read last is config.json: where that is, the folder was there all the time. */
const NOTES = ['exit', 'pid', 'cgroup', 'config.json'];

/**
 * Of all containers at once, for lists. Each is looked at in the order of a life read backwards: who was alive, then
 * whether an end was recorded, then what had begun. @throws IO
 */
export function readAllNotes(root: StoreRoot): ContainerNotes[] {
  const ids = listIds(root);
  if (ids.length === 0) return [];
  const dir = containersDir(root);
  let read: (boolean | string | undefined)[];
  try {
    read = addon().readFolders(encodeBytes(dir), ids, 'lock', NOTES);
  } catch (error) {
    throw storeError('reading', (error as NodeJS.ErrnoException).path ?? dir, error);
  }
  return ids.map((id, i) => {
    const [held, exit, pid, cgroup, config] = read.slice(i * 5, i * 5 + 5) as [
      boolean,
      ...(string | undefined)[],
    ];
    return { id, held, exit, pid, cgroup, spec: config === undefined ? undefined : parseSpec(config, id) };
  });
}

export function isAlive(root: StoreRoot, id: ContainerId): boolean {
  return !isFree(`${containerDir(root, id)}/lock`);
}

export function listIds(root: StoreRoot): ContainerId[] {
  try {
    return readdirSync(containersDir(root)).filter(isContainerId);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    return storeIo('reading', containersDir(root), () => {
      throw error;
    });
  }
}

/** The container that has this name, whether or not it still exists. */
export function holderOf(root: StoreRoot, name: string): ContainerId | undefined {
  try {
    const target = readlinkSync(`${namesDir(root)}/${name}`);
    return isContainerId(target) ? target : undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'EINVAL' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG')
      return undefined;
    throw error;
  }
}

/** Atomic: true when the name is now this container's, false when somebody else has it. */
export function claimName(root: StoreRoot, name: string, id: ContainerId): boolean {
  const link = `${namesDir(root)}/${name}`;
  try {
    symlinkSync(id, link);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    return storeIo('naming the container', link, () => {
      throw error;
    });
  }
}

/**
 * Takes away the name of a container that is gone. Whoever does so holds the lock of the names' folder and looks again:
 * between two who both saw a stale name, the second would otherwise remove what the first put there.
 */
export function dropStaleName(root: StoreRoot, name: string, stale: ContainerId): void {
  const fd = openSync(namesDir(root), 'r');
  try {
    addon().flock(fd, 'exclusive', false);
    if (holderOf(root, name) === stale) dropLink(root, name);
  } finally {
    closeSync(fd);
  }
}

/** Takes away every name whose container is gone: left by who was killed between two steps. */
export function dropStaleNames(root: StoreRoot): void {
  let names: string[];
  try {
    names = readdirSync(namesDir(root));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  for (const name of names) {
    const holder = holderOf(root, name);
    if (holder !== undefined && !existsSync(containerDir(root, holder))) dropStaleName(root, name, holder);
  }
}

/** Frees the name if this container has it. Idempotent. */
export function dropName(root: StoreRoot, name: string, id: ContainerId): void {
  if (holderOf(root, name) === id) dropLink(root, name);
}

function dropLink(root: StoreRoot, name: string): void {
  try {
    unlinkSync(`${namesDir(root)}/${name}`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/**
 * The container a user means: name, full id or unambiguous id prefix, in docker's order.
 * @throws CONTAINER_NOT_FOUND (exit status 1), CONTAINER_AMBIGUOUS
 */
export function findContainer(root: StoreRoot, reference: string): ContainerSpec {
  const found = lookUp(root, reference);
  if (found !== undefined) return found;
  throw new EngineError('CONTAINER_NOT_FOUND', `no such container: ${reference}`, {
    hint: '"skiff ps --all" lists them',
    exitCode: 1,
  });
}

/** @throws CONTAINER_AMBIGUOUS */
export function containerExists(root: StoreRoot, reference: string): boolean {
  return lookUp(root, reference) !== undefined;
}

function lookUp(root: StoreRoot, reference: string): ContainerSpec | undefined {
  if (reference === '' || reference.includes('/')) return undefined;
  if (isContainerId(reference)) return readSpec(root, reference);
  const holder = holderOf(root, reference);
  if (holder !== undefined) return readSpec(root, holder);
  if (!/^[0-9a-f]{1,63}$/.test(reference)) return undefined;
  const specs = listIds(root)
    .filter((id) => id.startsWith(reference))
    .flatMap((id) => readSpec(root, id) ?? []);
  if (specs.length > 1) {
    throw new EngineError(
      'CONTAINER_AMBIGUOUS',
      `container ${JSON.stringify(reference)}: the id fits ${specs.length} containers`,
      {
        hint: 'give more digits, or the name',
        exitCode: 1,
      },
    );
  }
  return specs[0];
}
