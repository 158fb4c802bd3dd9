// Removing containers: `rm`, `run --replace`, and the clean-up of --rm containers whose keeper was killed. A container
// vanishes by one rename into tmp/, so nobody ever meets a half-removed one.

import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import { namesIn } from '../core/fs.ts';
import { addon } from '../native/addon.ts';
import { removeTree } from '../native/launch.ts';
import type { IdMap } from '../native/plan.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import { containerDir, namesDir, tmpDir, type StoreRoot } from '../store/layout.ts';
import { tryExclusive } from '../store/lock.ts';
import { logRemoval } from './events.ts';
import {
  dropStaleName,
  holderOf,
  isStillThere,
  isTorn,
  listIds,
  openIfThere,
  openLock,
  readSpec,
} from './records.ts';
import { killLeftover, markStopped } from './signal.ts';
import { isLost } from './state.ts';
import { killAndWait } from './stop.ts';

export interface RemoveOptions {
  /** Kill it first. */
  force: boolean;
  /** Remove its anonymous volumes too, unless another container uses them. */
  volumes?: boolean;
}

const TRASH = 'removed-';
/** A folder without config.json and without a lock that is older than this belongs to nobody any more. */
const ABANDONED_MS = 2000;
const TORN_MS = 60_000;

/**
 * Removes one container. @throws CONTAINER_RUNNING (exit status 2) unless `force`; CONTAINER_STATE when it would not die
 */
export async function removeContainer(
  root: StoreRoot,
  spec: ContainerSpec,
  { force, volumes = false }: RemoveOptions,
): Promise<void> {
  const dir = containerDir(root, spec.id);
  const lockFd = openLock(root, spec.id);
  if (lockFd === undefined) return; // somebody else has just removed it
  try {
    if (!tryExclusive(lockFd)) {
      if (!force) throw running(spec);
      markIfThere(dir);
      await killAndWait(root, spec, lockFd);
    }
    if (!isStillThere(root, spec.id, lockFd)) return;
    await killLeftover(dir, spec.name);
    await discard(root, spec.id, spec.name, spec.idMap);
  } finally {
    closeSync(lockFd);
  }
  if (!volumes) return;
  const { removeVolumesIfUnused } = await import('../volume/remove.ts'); // `run` loads this file too
  await removeVolumesIfUnused(root, anonymousVolumes(spec), everyIdWeHave());
}

function anonymousVolumes({ host }: ContainerSpec): string[] {
  return host.mounts.flatMap((mount) =>
    mount.type === 'volume' && mount.anonymous && mount.name !== undefined ? [mount.name] : [],
  );
}

/** No restart policy brings it back while it is being killed. */
function markIfThere(dir: string): void {
  try {
    markStopped(dir);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error; // a --rm keeper has removed it
  }
}

function running(spec: ContainerSpec): EngineError {
  return new EngineError(
    'CONTAINER_RUNNING',
    `cannot remove container ${JSON.stringify(spec.name)}: container is running: stop the container before removing or force remove`,
    { hint: `skiff rm --force ${spec.name}`, exitCode: 2 },
  );
}

/** The name last: one without a container can be taken over, a container without one would stay, beside another of its name. */
async function discard(
  root: StoreRoot,
  id: ContainerId,
  name: string | undefined,
  idMap: IdMap | undefined,
): Promise<void> {
  const trash = `${tmpDir(root)}/${TRASH}${id}`;
  let dirFd: number | undefined;
  try {
    mkdirSync(tmpDir(root), { recursive: true });
    dirFd = openSync(containerDir(root, id), 'r');
    // Tells sweepTrash that somebody is at it. Waits only for an updateSpec, which may be a rename.
    addon().flock(dirFd, 'exclusive', false);
    const spec = readSpec(root, id);
    const latest = spec?.name ?? name;
    renameSync(containerDir(root, id), trash);
    // Whose config.json is torn may have any.
    for (const each of latest === undefined ? namesIn(namesDir(root)) : [latest])
      dropStaleName(root, each, id);
    if (spec !== undefined) logRemoval(root, spec, isLost(trash));
    await removeTree(trash, idMap);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error; // a --rm keeper has removed it itself
  } finally {
    if (dirFd !== undefined) closeSync(dirFd);
  }
}

/**
 * Removes what nobody keeps any more: --rm containers whose keeper was killed, and folders whose maker died half-way.
 * Never waits: what is locked is in use. Returns the ids removed.
 */
export async function sweepDead(
  root: StoreRoot,
  ids: readonly ContainerId[] = listIds(root),
  nowMs = Date.now(),
): Promise<ContainerId[]> {
  const removed: ContainerId[] = [];
  for (const id of ids) {
    const spec = readSpec(root, id);
    if (spec !== undefined ? !isDeadRm(root, spec) : !isAbandoned(root, id, nowMs)) continue;
    const lockFd = openLock(root, id);
    try {
      if (lockFd !== undefined && (!tryExclusive(lockFd) || !isStillThere(root, id, lockFd))) continue;
      if (spec !== undefined ? !isDeadRm(root, spec) : !isTorn(root, id)) continue; // not so any more
      await killLeftover(containerDir(root, id), spec?.name ?? id);
      await discard(root, id, spec?.name, spec === undefined ? everyIdWeHave() : spec.idMap);
      removed.push(id);
    } finally {
      if (lockFd !== undefined) closeSync(lockFd);
    }
  }
  return removed;
}

/**
 * What a removal that was killed or failed has left in tmp/: deletes it. One that is locked is somebody's work in progress.
 * @throws IO when it still cannot be deleted
 */
export async function sweepTrash(root: StoreRoot): Promise<void> {
  for (const name of namesIn(tmpDir(root))) {
    const path = `${tmpDir(root)}/${name}`;
    const fd = name.startsWith(TRASH) ? openIfThere(path) : undefined;
    if (fd === undefined) continue;
    try {
      if (!tryExclusive(fd)) continue;
      const spec = readTrashSpec(path);
      await removeTree(path, spec === undefined ? everyIdWeHave() : spec.idMap);
    } finally {
      closeSync(fd);
    }
  }
}

/** Where nobody can tell any more which map a container had: the usual one holds every host id that another can. */
export function everyIdWeHave(): IdMap | undefined {
  const hostUid = process.geteuid?.() ?? 0;
  const hostGid = process.getegid?.() ?? 0;
  return chooseIdMap(readIdMapInput({ hostUid, hostGid, env: process.env }, undefined)).idMap;
}

/**
 * Removes a container whose config.json is torn, and its names. `reference` is an id, an id prefix or a name.
 * @returns false when there is none such, or it is in use
 */
export async function removeTorn(root: StoreRoot, reference: string): Promise<boolean> {
  const [id, another] = listIds(root).filter((each) => reference !== '' && each.startsWith(reference));
  const wanted = id !== undefined && another === undefined ? id : holderOf(root, reference);
  if (wanted === undefined || !isTorn(root, wanted)) return false;
  const lockFd = openLock(root, wanted);
  try {
    if (lockFd !== undefined && !tryExclusive(lockFd)) return false;
    await killLeftover(containerDir(root, wanted), wanted);
    await discard(root, wanted, undefined, everyIdWeHave());
    return true;
  } finally {
    if (lockFd !== undefined) closeSync(lockFd);
  }
}

function readTrashSpec(path: string): ContainerSpec | undefined {
  try {
    return JSON.parse(readFileSync(`${path}/config.json`, 'utf8')) as ContainerSpec;
  } catch {
    return undefined; // already deleted
  }
}

/** Has run, or was to run at once: `create --rm` leaves a mark until its first start. */
function isDeadRm(root: StoreRoot, { id, host }: ContainerSpec): boolean {
  if (!host.autoRemove) return false;
  const dir = containerDir(root, id);
  return hasRun(dir) || !existsSync(`${dir}/created`);
}

/**
 * Its maker holds the lock until config.json is there; without a lock it may be about to make one. One that has run, and
 * was torn by a crash, is kept for a while, to be looked at.
 */
function isAbandoned(root: StoreRoot, id: ContainerId, nowMs: number): boolean {
  const dir = containerDir(root, id);
  if (!isTorn(root, id)) return false;
  if (hasRun(dir)) return isOlder(dir, nowMs, TORN_MS);
  return existsSync(`${dir}/lock`) || isOlder(dir, nowMs, ABANDONED_MS);
}

function hasRun(dir: string): boolean {
  return existsSync(`${dir}/pid`) || existsSync(`${dir}/exit`);
}

/** By ctime, which the rename into tmp/ sets too. */
function isOlder(path: string, nowMs: number, ageMs: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && nowMs - stat.ctimeMs > ageMs;
}
