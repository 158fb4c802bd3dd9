// Removing containers: `rm`, `run --replace`, and the clean-up of --rm containers whose keeper was killed. A container
// vanishes by one rename into tmp/, so nobody ever meets a half-removed one.

import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, errnoOf } from '../core/errors.ts';
import { addon } from '../native/addon.ts';
import { removeTree } from '../native/launch.ts';
import type { IdMap } from '../native/plan.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import { containerDir, namesDir, tmpDir, type StoreRoot } from '../store/layout.ts';
import { dropName, holderOf, isTorn, listIds, readSpec } from './records.ts';
import { readPid, startTicksOf } from './state.ts';

export interface RemoveOptions {
  /** Kill it first. */
  force: boolean;
  /** Remove its anonymous volumes too, unless another container uses them. */
  volumes?: boolean;
}

const TRASH = 'removed-';
const KILL_WAIT_MS = 10_000;
/** A folder without config.json that is older than this belongs to nobody any more. */
const ABANDONED_MS = 60_000;

/**
 * Removes one container. @throws CONTAINER_RUNNING (exit status 2) unless `force`; CONTAINER_STATE when it would not die
 */
export async function removeContainer(
  root: StoreRoot,
  spec: ContainerSpec,
  { force, volumes = false }: RemoveOptions,
): Promise<void> {
  const dir = containerDir(root, spec.id);
  const lockFd = openLock(dir);
  if (lockFd === undefined) return; // somebody else has just removed it
  try {
    if (!addon().flock(lockFd, 'exclusive', true)) {
      if (!force) throw running(spec);
      await kill(dir, lockFd, spec);
    }
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

function openLock(dir: string): number | undefined {
  try {
    return openSync(`${dir}/lock`, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function running(spec: ContainerSpec): EngineError {
  return new EngineError(
    'CONTAINER_RUNNING',
    `cannot remove container ${JSON.stringify(spec.name)}: container is running: stop the container before removing or force remove`,
    { hint: `skiff rm --force ${spec.name}`, exitCode: 2 },
  );
}

/** SIGKILL to the container's init, then waits until its keeper has let go of the lock. */
async function kill(dir: string, lockFd: number, spec: ContainerSpec): Promise<void> {
  const deadline = Date.now() + KILL_WAIT_MS;
  for (let waitMs = 1; Date.now() < deadline; waitMs = Math.min(waitMs * 2, 50)) {
    killInit(dir); // again and again: it may still be starting
    await sleep(waitMs);
    if (addon().flock(lockFd, 'exclusive', true)) return;
  }
  throw new EngineError(
    'CONTAINER_STATE',
    `removing container ${JSON.stringify(spec.name)}: it is still alive ${KILL_WAIT_MS / 1000} s after SIGKILL`,
  );
}

/** The pidfd is opened first and the start time compared after that, so a reused pid is never hit. */
function killInit(dir: string): void {
  const init = readPid(dir);
  if (init === undefined) return;
  const pidfd = addon().pidfdOpen(init.pid);
  if (pidfd === undefined) return;
  try {
    if (startTicksOf(init.pid) === init.startTicks) addon().pidfdSendSignal(pidfd, 9);
  } finally {
    closeSync(pidfd);
  }
}

/** The name first: a name without a container can be taken over, a container without a name could not be told apart. */
async function discard(
  root: StoreRoot,
  id: ContainerId,
  name: string | undefined,
  idMap: IdMap | undefined,
): Promise<void> {
  if (name !== undefined) dropName(root, name, id);
  const trash = `${tmpDir(root)}/${TRASH}${id}`;
  try {
    mkdirSync(tmpDir(root), { recursive: true });
    renameSync(containerDir(root, id), trash);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return; // a --rm keeper has removed it itself
    throw error;
  }
  await removeTree(trash, idMap);
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
    if (spec !== undefined ? !spec.host.autoRemove : !isAbandoned(root, id, nowMs)) continue;
    const lockFd = openLock(containerDir(root, id));
    try {
      if (lockFd !== undefined && !addon().flock(lockFd, 'exclusive', true)) continue;
      await discard(root, id, spec?.name, spec === undefined ? everyIdWeHave() : spec.idMap);
      removed.push(id);
    } finally {
      if (lockFd !== undefined) closeSync(lockFd);
    }
  }
  return removed;
}

/**
 * What a removal that was killed or failed has left in tmp/: deletes it. Young ones may be somebody's work in progress.
 * @throws IO when it still cannot be deleted
 */
export async function sweepTrash(root: StoreRoot): Promise<void> {
  for (const name of namesIn(tmpDir(root))) {
    const path = `${tmpDir(root)}/${name}`;
    if (!name.startsWith(TRASH) || !isOld(path, Date.now())) continue;
    const spec = readTrashSpec(path);
    await removeTree(path, spec === undefined ? everyIdWeHave() : spec.idMap);
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
  const lockFd = openLock(containerDir(root, wanted));
  try {
    if (lockFd !== undefined && !addon().flock(lockFd, 'exclusive', true)) return false;
    for (const name of namesIn(namesDir(root))) dropName(root, name, wanted);
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

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function isAbandoned(root: StoreRoot, id: ContainerId, nowMs: number): boolean {
  return isOld(containerDir(root, id), nowMs) && isTorn(root, id);
}

/** By ctime, which the rename into tmp/ sets too. */
function isOld(path: string, nowMs: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && nowMs - stat.ctimeMs > ABANDONED_MS;
}
