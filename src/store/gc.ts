// Garbage: blobs and trees that no image and no container needs, and what killed processes left behind. Found by
// reachability, deleted by unlinking alone, so that it works on a full disk. Nothing here is guessed from ages: a file in
// the making is protected by gc.lock, by its own flock, or by the life of the process in its name.

import * as fs from 'node:fs';
import { isDigest, digestFromHex, type Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { namesIn } from '../core/fs.ts';
import type { IdMap } from '../native/plan.ts';
import { listSteps, RECORD_SHELVES, shelfDir } from './build-cache.ts';
import { listBlobs, readBlob, removeBlob, statBlob } from './blobs.ts';
import { listContainerUses } from './containers.ts';
import { readIndex } from './index-file.ts';
import { isDeadTemp } from './io.ts';
import * as layout from './layout.ts';
import type { StoreRoot } from './layout.ts';
import {
  isTrashName,
  listMapKeys,
  listTrees,
  lockFileOf,
  reinstateTree,
  removeForeignTree,
  removeRetiredTree,
  retireTree,
  trash,
  type RetiredTree,
} from './layers.ts';
import { isFree, isStillAt, tryExclusive, tryLock, tryLockFd } from './lock.ts';
import { chainIdsOf, parseConfig, parseManifestOrIndex } from './parse.ts';
import { diskBytes, treeBytes } from './usage.ts';

export interface Reachable {
  blobs: Set<Digest>;
  /** By map key; '*' holds the trees of images, which are kept in every map. */
  chainIds: Map<string, Set<Digest>>;
}

export interface Garbage {
  blobs: Digest[];
  trees: { mapKey: string; chainId: Digest }[];
}

export interface Freed {
  blobs: Digest[];
  trees: Digest[];
  bytes: number;
}

/** Everything index.json (but for `ignoring`), the containers and the build cache need. A damaged image keeps what is still known of it. */
export function findReachable(root: StoreRoot, ignoring: ReadonlySet<Digest> = new Set()): Reachable {
  const reachable: Reachable = { blobs: new Set(), chainIds: new Map([['*', new Set()]]) };
  for (const { digest } of readIndex(root)) if (!ignoring.has(digest)) markImage(root, digest, reachable);
  for (const use of listContainerUses(root)) {
    if (use.manifestDigest !== undefined) markImage(root, use.manifestDigest, reachable);
    const trees = reachable.chainIds.get(use.mapKey) ?? new Set();
    for (const chainId of use.chainIds) trees.add(chainId);
    reachable.chainIds.set(use.mapKey, trees);
  }
  markBuildCache(root, reachable);
  return reachable;
}

function markBuildCache(root: StoreRoot, { blobs, chainIds }: Reachable): void {
  for (const { record } of listSteps(root)) {
    for (const { blob } of record.layers) blobs.add(blob.digest);
    for (const chainId of chainIdsOf(record.layers.map(({ diffId }) => diffId)))
      chainIds.get('*')?.add(chainId);
  }
}

function markImage(root: StoreRoot, manifestDigest: Digest, reachable: Reachable): void {
  reachable.blobs.add(manifestDigest);
  try {
    const bytes = readBlob(root, manifestDigest);
    if (bytes === undefined) return;
    const parsed = parseManifestOrIndex(bytes, '', `manifest "${manifestDigest}"`);
    if (parsed.kind === 'index') {
      // Its digest covers theirs, so this ends.
      for (const { digest } of parsed.index.manifests) markImage(root, digest, reachable);
      return;
    }
    const { manifest } = parsed;
    reachable.blobs.add(manifest.config.digest);
    for (const layer of manifest.layers) reachable.blobs.add(layer.digest);
    const configBytes = readBlob(root, manifest.config.digest);
    if (configBytes === undefined) return;
    const config = parseConfig(configBytes, manifest, `config "${manifest.config.digest}"`);
    for (const chainId of chainIdsOf(config.rootfs.diff_ids)) reachable.chainIds.get('*')?.add(chainId);
  } catch (error) {
    // Damaged, or no image: `system check` tells. What it points at cannot be known.
    if (!(error instanceof EngineError)) throw error;
  }
}

/** Blobs and trees that are not reachable. */
export function findGarbage(root: StoreRoot, ignoring?: ReadonlySet<Digest>): Garbage {
  const { blobs, chainIds } = findReachable(root, ignoring);
  const trees = listMapKeys(root).flatMap((mapKey) =>
    listTrees(root, mapKey)
      .filter(
        (chainId) => chainIds.get('*')?.has(chainId) !== true && chainIds.get(mapKey)?.has(chainId) !== true,
      )
      .map((chainId) => ({ mapKey, chainId })),
  );
  return { blobs: listBlobs(root).filter((digest) => !blobs.has(digest)), trees };
}

export interface CollectOptions {
  /** A map that covers the owners of every tree: the widest the caller may use. */
  idMap: IdMap | undefined;
  /** Only these may go; undefined: all garbage. */
  only?: { blobs: ReadonlySet<Digest>; chainIds: ReadonlySet<Digest> } | undefined;
  /** Manifests of index.json that are on their way out. */
  ignoring?: ReadonlySet<Digest> | undefined;
}

/**
 * Deletes garbage. Idempotent; may be killed at any instant.
 * @returns undefined when something is being added to the store right now: nothing was deleted then
 */
export async function collectGarbage(
  root: StoreRoot,
  { idMap, only, ignoring }: CollectOptions,
): Promise<Freed | undefined> {
  const held = tryLock(layout.gcLockFile(root), 'exclusive');
  if (held === undefined) return undefined;
  try {
    const garbage = findGarbage(root, ignoring);
    const freed: Freed = { blobs: [], trees: [], bytes: 0 };
    const trees = garbage.trees.filter(({ chainId }) => only === undefined || only.chainIds.has(chainId));
    for (const retired of retireUnused(root, trees)) {
      freed.bytes += treeBytes(root, retired.mapKey, retired.chainId, retired.bin);
      await removeRetiredTree(root, retired, idMap);
      freed.trees.push(retired.chainId);
    }
    for (const digest of garbage.blobs) {
      if (only !== undefined && !only.blobs.has(digest)) continue;
      freed.bytes += statBlob(root, digest) ?? 0;
      removeBlob(root, digest);
      freed.blobs.push(digest);
    }
    return freed;
  } finally {
    held.release();
  }
}

/**
 * A `run` takes no lock. It writes its config.json and then looks whether its trees are still there; we take the names of
 * the trees away and then look who uses them. So one of the two always sees the other: what turns out to be used gets
 * its name back.
 */
function retireUnused(root: StoreRoot, trees: Garbage['trees']): RetiredTree[] {
  const retired = trees.flatMap(({ mapKey, chainId }) => retireTree(root, mapKey, chainId) ?? []);
  const uses = listContainerUses(root);
  const isUsed = (tree: RetiredTree): boolean =>
    uses.some(({ mapKey, chainIds }) => mapKey === tree.mapKey && chainIds.includes(tree.chainId));
  for (const tree of retired) if (isUsed(tree)) reinstateTree(root, tree);
  return retired.filter((tree) => !isUsed(tree));
}

/**
 * Removes what killed processes left: temp files, half unpacked trees, trees on their way out; with `parts`, also the
 * beginnings of downloads, which a later pull would have gone on with. Safe beside running commands.
 * @returns bytes freed, as far as that is known
 */
export async function sweepLeftovers(
  root: StoreRoot,
  options: { idMap: IdMap | undefined; parts: boolean },
): Promise<number> {
  let bytes = 0;
  const dirs = [
    layout.ociDir(root),
    layout.blobsDir(root),
    layout.imagesDir(root),
    root.graphRoot,
    ...RECORD_SHELVES.map((shelf) => shelfDir(root, shelf)),
  ];
  for (const dir of dirs) {
    for (const name of namesIn(dir)) {
      if (isDeadTemp(name)) bytes += removeFile(`${dir}/${name}`);
    }
  }
  if (options.parts)
    for (const name of namesIn(layout.partsDir(root))) bytes += sweepPart(`${layout.partsDir(root)}/${name}`);
  bytes += await sweepWork(root, options.idMap);
  bytes += await sweepVolumes(root, options.idMap);
  for (const mapKey of listMapKeys(root)) await sweepTrees(root, mapKey, options.idMap);
  return bytes;
}

/**
 * In tmp/: containers on their way out, renamed there by `rm`, which holds their lock while it deletes them; the work of
 * builds, which hold the lock while they last; files that were being written.
 */
export async function sweepWork(root: StoreRoot, idMap: IdMap | undefined): Promise<number> {
  let bytes = 0;
  for (const name of namesIn(layout.tmpDir(root))) {
    const dir = `${layout.tmpDir(root)}/${name}`;
    if (isDeadTemp(name)) bytes += removeFile(dir);
    if (name.startsWith('build-')) bytes += await sweepBuild(dir, idMap);
    if (!name.startsWith('removed-') || !isFree(`${dir}/lock`)) continue;
    bytes += diskBytes(dir);
    await removeForeignTree(dir, idMap);
  }
  return bytes;
}

/**
 * The work of a build that lives no more. Its lock is held meanwhile: a build that has just made the folder waits for it,
 * sees that it is gone, and makes another. In a folder the lock is made first; one without is new and empty, or on its way out.
 */
async function sweepBuild(dir: string, idMap: IdMap | undefined): Promise<number> {
  let lockFd: number | undefined;
  try {
    lockFd = fs.openSync(`${dir}/lock`, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if (removeEmpty(dir) || fs.existsSync(`${dir}/lock`)) return 0;
  }
  try {
    if (lockFd !== undefined && !tryExclusive(lockFd)) return 0;
    const bytes = diskBytes(dir);
    await removeForeignTree(dir, idMap);
    return bytes;
  } finally {
    if (lockFd !== undefined) fs.closeSync(lockFd);
  }
}

/** False: there is something in it. */
function removeEmpty(dir: string): boolean {
  try {
    fs.rmdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOTEMPTY') return false;
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  return true;
}

/** Volumes that were being made or removed. A volume itself is never garbage. */
async function sweepVolumes(root: StoreRoot, idMap: IdMap | undefined): Promise<number> {
  let bytes = 0;
  for (const name of namesIn(layout.volumesDir(root))) {
    if (!isTrashName(name) && !isDeadTemp(name)) continue;
    const dir = `${layout.volumesDir(root)}/${name}`;
    bytes += diskBytes(dir);
    await removeForeignTree(dir, idMap);
  }
  return bytes;
}

function sweepPart(path: string): number {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
  const held = tryLockFd(fd, 'exclusive');
  if (held === undefined) return 0;
  try {
    return removeFile(path);
  } finally {
    held.release();
  }
}

async function sweepTrees(root: StoreRoot, mapKey: string, idMap: IdMap | undefined): Promise<void> {
  const dir = layout.mapDir(root, mapKey);
  const stages = new Set<string>();
  for (const name of namesIn(dir)) {
    if (isTrashName(name)) await removeForeignTree(`${dir}/${name}`, idMap);
    const stage = /^([0-9a-f]{64})\.(?:part|lock)$/.exec(name)?.[1];
    if (stage !== undefined) stages.add(stage);
    // Sizes noted for a tree that never got its name, or has lost it.
    const info = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
    if (info !== undefined && !fs.existsSync(`${dir}/${info}`)) stages.add(info);
  }
  for (const hex of stages) {
    const chainId = digestFromHex(hex);
    if (isDigest(chainId)) await sweepStage(root, mapKey, chainId, idMap);
  }
}

async function sweepStage(
  root: StoreRoot,
  mapKey: string,
  chainId: Digest,
  idMap: IdMap | undefined,
): Promise<void> {
  const lockFile = lockFileOf(root, mapKey, chainId);
  let held;
  try {
    held = tryLock(lockFile, 'exclusive');
  } catch (error) {
    // A full disk has no room for the lock's file: whoever worked here is gone, or its file would be there.
    if (!(error instanceof EngineError)) throw error;
    await trash(layout.stageDir(root, mapKey, chainId), idMap);
    return;
  }
  if (held === undefined) return;
  try {
    if (!isStillAt(lockFile, held.fd)) return;
    await trash(layout.stageDir(root, mapKey, chainId), idMap);
    if (!fs.existsSync(layout.treeDir(root, mapKey, chainId))) {
      fs.rmSync(layout.treeInfoFile(root, mapKey, chainId), { force: true });
    }
    fs.rmSync(lockFile, { force: true });
  } finally {
    held.release();
  }
}

function removeFile(path: string): number {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory()) return 0;
  fs.rmSync(path, { force: true });
  return stat.blocks * 512;
}
