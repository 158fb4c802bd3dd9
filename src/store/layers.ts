// Unpacked layer trees, layers/<mapKey>/<chain hex>: overlay lower dirs, one for each layer and id map, rebuildable from
// the blobs. A tree with that name is complete and durable: it is unpacked beside it (.part) under a flock, made durable
// together with all others of a pull by one syncfs, and renamed.

import * as fs from 'node:fs';
import { digestFromHex, isDigest, type Digest } from '../core/digest.ts';
import { errnoOf } from '../core/errors.ts';
import { fsyncDirectory, namesIn } from '../core/fs.ts';
import { addon } from '../native/addon.ts';
import { removeTree } from '../native/launch.ts';
import type { IdMap } from '../native/plan.ts';
import { storeIo } from './io.ts';
import { layersDir, mapDir, mapKeyOf, stageDir, treeDir, treeInfoFile, type StoreRoot } from './layout.ts';
import { isStillAt, waitForFlock } from './lock.ts';

/** What unpacking found out. */
export interface TreeInfo {
  diffId: Digest;
  /** Sum of the sizes of regular files. */
  sizeBytes: number;
  entries: number;
}

export interface StageOptions {
  signal?: AbortSignal | undefined;
  /** Another process unpacks this layer; called about once a second. */
  onWait?: (() => void) | undefined;
}

export function hasTree(root: StoreRoot, mapKey: string, chainId: Digest): boolean {
  return fs.statSync(treeDir(root, mapKey, chainId), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** From any id map, since sizes are the same in all of them; undefined when unknown or torn. */
export function readTreeInfo(root: StoreRoot, chainId: Digest): TreeInfo | undefined {
  for (const mapKey of listMapKeys(root)) {
    try {
      const info = JSON.parse(fs.readFileSync(treeInfoFile(root, mapKey, chainId), 'utf8')) as TreeInfo;
      if (Number.isSafeInteger(info.sizeBytes)) return info;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

export function listMapKeys(root: StoreRoot): string[] {
  return namesIn(layersDir(root));
}

/** The complete trees of one id map. */
export function listTrees(root: StoreRoot, mapKey: string): Digest[] {
  return namesIn(mapDir(root, mapKey))
    .map((name) => digestFromHex(name))
    .filter((digest) => isDigest(digest));
}

/**
 * A tree being unpacked by this process. Locks are taken bottom layer first (image/unpack-layers.ts), which is why two
 * processes never wait for each other.
 */
export class TreeStage {
  /** Fresh and empty; becomes the tree. */
  readonly dir: string;
  readonly #root: StoreRoot;
  readonly #idMap: IdMap | undefined;
  readonly #mapKey: string;
  readonly #chainId: Digest;
  #fd: number | undefined;

  private constructor(root: StoreRoot, idMap: IdMap | undefined, chainId: Digest, fd: number) {
    this.#root = root;
    this.#idMap = idMap;
    this.#mapKey = mapKeyOf(idMap);
    this.#chainId = chainId;
    this.#fd = fd;
    this.dir = stageDir(root, this.#mapKey, chainId);
  }

  /** Waits while another process unpacks the same; undefined when the tree is there by then. */
  static async open(
    root: StoreRoot,
    idMap: IdMap | undefined,
    chainId: Digest,
    options: StageOptions = {},
  ): Promise<TreeStage | undefined> {
    const mapKey = mapKeyOf(idMap);
    const lockFile = lockFileOf(root, mapKey, chainId);
    storeIo('making', mapDir(root, mapKey), () => fs.mkdirSync(mapDir(root, mapKey), { recursive: true }));
    for (;;) {
      if (hasTree(root, mapKey, chainId)) return undefined;
      const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
      const fd = storeIo('opening', lockFile, () =>
        fs.openSync(lockFile, O_RDWR | O_CREAT | O_NOFOLLOW, 0o644),
      );
      try {
        await waitForFlock(fd, 'exclusive', options);
      } catch (error) {
        fs.closeSync(fd);
        throw error;
      }
      // The lock file is removed with the lock held: only the file that has the name counts.
      if (!isStillAt(lockFile, fd)) {
        fs.closeSync(fd);
        continue;
      }
      const stage = new TreeStage(root, idMap, chainId, fd);
      // A killed process may have left something: no telling what is missing in it.
      await stage.#clear();
      if (!hasTree(root, mapKey, chainId)) {
        storeIo('making', stage.dir, () => fs.mkdirSync(stage.dir, { mode: 0o755 }));
        return stage;
      }
      await stage.discard();
    }
  }

  /** An empty folder again. */
  async restart(): Promise<void> {
    await trash(this.dir, this.#idMap);
    storeIo('making', this.dir, () => fs.mkdirSync(this.dir, { mode: 0o755 }));
  }

  /** Notes the sizes; they become durable with the tree. */
  writeInfo(info: TreeInfo): void {
    const file = treeInfoFile(this.#root, this.#mapKey, this.#chainId);
    storeIo('writing', file, () => fs.writeFileSync(file, `${JSON.stringify(info)}\n`));
  }

  /** Gives the tree its name. Its content must be durable: call `syncStore` first. */
  publish(): void {
    const target = treeDir(this.#root, this.#mapKey, this.#chainId);
    storeIo('publishing', target, () => {
      fs.renameSync(this.dir, target);
      fsyncDirectory(mapDir(this.#root, this.#mapKey));
    });
    this.#release();
  }

  /** Removes what was unpacked. Idempotent; does nothing after `publish`. */
  async discard(): Promise<void> {
    if (this.#fd === undefined) return;
    await this.#clear();
    this.#release();
  }

  async #clear(): Promise<void> {
    try {
      await trash(this.dir, this.#idMap);
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  #release(): void {
    if (this.#fd === undefined) return;
    fs.rmSync(lockFileOf(this.#root, this.#mapKey, this.#chainId), { force: true });
    fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** A published tree that has lost its name and can have it back. */
export interface RetiredTree {
  mapKey: string;
  chainId: Digest;
  bin: string;
}

/** Takes a published tree's name away. The caller holds gc.lock exclusively. undefined: it is not there. */
export function retireTree(root: StoreRoot, mapKey: string, chainId: Digest): RetiredTree | undefined {
  const bin = renameToTrash(treeDir(root, mapKey, chainId));
  return bin === undefined ? undefined : { mapKey, chainId, bin };
}

/** Gives it back: under the same hold of gc.lock, so that nobody has unpacked it anew. */
export function reinstateTree(root: StoreRoot, { mapKey, chainId, bin }: RetiredTree): void {
  const target = treeDir(root, mapKey, chainId);
  storeIo('restoring', target, () => fs.renameSync(bin, target));
}

export async function removeRetiredTree(
  root: StoreRoot,
  { mapKey, chainId, bin }: RetiredTree,
  idMap: IdMap | undefined,
): Promise<void> {
  await removeForeignTree(bin, idMap);
  fs.rmSync(treeInfoFile(root, mapKey, chainId), { force: true });
}

/** Everything written to the store's file system so far is durable after this. */
export function syncStore({ graphRoot }: StoreRoot): void {
  storeIo('syncing', graphRoot, () => {
    const fd = fs.openSync(graphRoot, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      addon().syncfs(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
}

const TRASH = /^\.trash-[0-9a-f]{12}$/;

/** Trees on their way out, left by a killed process. */
export function isTrashName(name: string): boolean {
  return TRASH.test(name);
}

/**
 * Takes the name away at once, then removes the files, which may belong to subordinate ids. Renamed inside its own
 * folder, because moving a foreign-owned directory elsewhere needs the right to write to it.
 */
export async function trash(path: string, idMap: IdMap | undefined): Promise<void> {
  const bin = renameToTrash(path);
  if (bin !== undefined) await removeForeignTree(bin, idMap);
}

function renameToTrash(path: string): string | undefined {
  const bin = `${path.slice(0, path.lastIndexOf('/'))}/.trash-${randomName()}`;
  try {
    fs.renameSync(path, bin);
    return bin;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    return storeIo('removing', path, () => {
      throw error;
    });
  }
}

/**
 * Removes a tree whatever its owners, modes and depth are. Idempotent. What plain unlinking by paths cannot do (folders of
 * other ids, paths beyond PATH_MAX, more levels than a stack has) the helper does.
 */
export async function removeForeignTree(path: string, idMap: IdMap | undefined): Promise<void> {
  try {
    await fs.promises.rm(path, { recursive: true, force: true });
  } catch (error) {
    if (HOPELESS.includes(errnoOf(error) ?? '')) {
      storeIo('removing', path, () => {
        throw error;
      });
    }
    await removeTree(path, idMap);
  }
}

/** The file system itself refuses: the helper would fare no better, and say less. */
const HOPELESS: readonly string[] = ['EROFS', 'EIO', 'ENOSPC', 'EDQUOT', 'EBUSY'];

export function lockFileOf(root: StoreRoot, mapKey: string, chainId: Digest): string {
  return `${treeDir(root, mapKey, chainId)}.lock`;
}

/** By getBuiltinModule: loading node:crypto takes 2.5 ms, and a warm `run` imports this file. */
function randomName(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(6).toString('hex');
}
