// Containers on disk: containers/<id>/{config.json, lock, exit, pid, log, upper, work} and names/<name> → <id>. A held
// flock on `lock` means alive; everything else is a note that may be stale. config.json is written once, under the lock.

import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import { addon } from '../native/addon.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import { ensureStore } from '../store/init.ts';
import { storeIo } from '../store/io.ts';
import { containerDir, containersDir, namesDir, type StoreRoot } from '../store/layout.ts';
import { isFree } from '../store/lock.ts';
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
    try {
      mkdirSync(dir, 0o700);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      ensureStore(root);
      mkdirSync(dir, { mode: 0o700, recursive: true });
    }
    const lockFd = openSync(`${dir}/lock`, 'wx+', 0o600);
    // Waits only for a `ps` that is just asking whether the lock is free.
    addon().flock(lockFd, 'exclusive', false);
    return { dir, lockFd };
  });
}

export function writeSpec(dir: string, spec: ContainerSpec): void {
  storeIo('writing', `${dir}/config.json`, () =>
    writeFileSync(`${dir}/config.json`, JSON.stringify(spec), { mode: 0o600 }),
  );
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
  try {
    const spec = JSON.parse(text) as Partial<ContainerSpec> & { schemaVersion?: number };
    // One of a newer skiff is left alone: not shown, not removed as if it were torn.
    return spec.schemaVersion === 1 && spec.id === id ? (spec as ContainerSpec) : undefined;
  } catch {
    return undefined; // torn by a crash
  }
}

/** No config.json, or half of one. A whole one that we do not understand is a newer skiff's and none of our business. */
export function isTorn(root: StoreRoot, id: ContainerId): boolean {
  try {
    JSON.parse(readFileSync(`${containerDir(root, id)}/config.json`, 'utf8'));
    return false;
  } catch {
    return true;
  }
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
