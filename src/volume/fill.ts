// How a volume gets the image's content without ever being half-filled: everything is copied beside, into fill.part; one
// rename makes it fill/, from then on it counts; its entries are moved to _data, and whoever is killed there is finished by
// the next. Under the exclusive lock of the volume. The owner of files is the caller's business: this runs as root of the
// container's user namespace.

import { closeSync, constants, existsSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { timesOf } from '../core/times.ts';
import { addon, type Tree } from '../native/addon.ts';
import { removeForeignTree } from '../store/layers.ts';
import type { IdMap } from '../native/plan.ts';
import type { StoreRoot } from '../store/layout.ts';
import { diskBytes } from '../store/usage.ts';
import { tryHoldVolume } from './hold.ts';
import { dataDir, listVolumes, type Volume } from './records.ts';

const PART = 'fill.part';
const FILL = 'fill';
const DATA = '_data';

/** The copy is in the folder `into` of the tree when this returns, which exists, empty, mode 0700. */
export type CopyInto = (tree: Tree, into: string) => void;

/**
 * - `used`: something is in it, or its directory is not ours to look into, so a container has had it.
 * - `empty`: may be filled.
 * - `unfinished`: a copy or a move was cut off, or is going on.
 */
export function fillStateOf(volume: Pick<Volume, 'dir'>): 'used' | 'empty' | 'unfinished' {
  // In this order: who moves entries takes fill/ away last.
  const empty = isEmpty(dataDir(volume));
  if (existsSync(`${volume.dir}/${PART}`) || existsSync(`${volume.dir}/${FILL}`)) return 'unfinished';
  return empty ? 'empty' : 'used';
}

function isEmpty(dir: string): boolean {
  try {
    return readdirSync(dir).length === 0;
  } catch (error) {
    if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM') return false;
    throw error;
  }
}

/** A copy that is not complete: nobody can tell what is missing. Idempotent. */
export async function dropPart({ dir }: Pick<Volume, 'dir'>, idMap: IdMap | undefined): Promise<void> {
  await removeForeignTree(`${dir}/${PART}`, idMap);
}

/**
 * Deletes copies that were cut off, wherever nobody is filling the volume: for `system prune`, since its next user, who
 * would delete them too, may never come.
 * @returns bytes freed
 */
export async function sweepParts(root: StoreRoot, idMap: IdMap | undefined): Promise<number> {
  let bytes = 0;
  for (const volume of listVolumes(root)) {
    const part = `${volume.dir}/${PART}`;
    if (!existsSync(part)) continue;
    const held = tryHoldVolume(volume);
    if (held === undefined || held === 'busy') continue;
    try {
      bytes += diskBytes(part);
      await dropPart(volume, idMap);
    } finally {
      held.release();
    }
  }
  return bytes;
}

/**
 * Finishes what was begun, or copies if the volume is empty. A name that is there already stays as it is.
 * @param sync make the copy durable before it counts
 * @throws system errors; fill.part may be left then, and is no obstacle
 */
export function fillHere(dir: string, copy: CopyInto | undefined, sync: boolean): void {
  const root = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  const tree = new (addon().Tree)(root);
  try {
    if (tree.stat(FILL) === undefined) {
      if (copy === undefined || !isEmpty(`${dir}/${DATA}`)) return;
      tree.remove(PART);
      tree.makeDir(PART);
      // Not what a setgid folder above it would make of it.
      tree.setDir(PART, 0o700, process.geteuid?.() ?? 0, process.getegid?.() ?? 0, 0, 0);
      copy(tree, PART);
      if (sync) addon().syncfs(root);
      tree.rename(PART, FILL);
    }
    moveAll(tree, dir);
  } finally {
    tree.close();
    closeSync(root);
  }
}

/** Attributes last: they may close the directory, and its time changes with every entry. */
function moveAll(tree: Tree, dir: string): void {
  const [mode = 0o755, uid = 0, gid = 0] = tree.stat(FILL) ?? [];
  const { mtimeSec, mtimeNsec } = timesOf(lstatSync(`${dir}/${FILL}`, { bigint: true }));
  for (const name of readdirSync(`${dir}/${FILL}`, { encoding: 'buffer' })) {
    const bytes = name.toString('latin1');
    try {
      tree.rename(`${FILL}/${bytes}`, `${DATA}/${bytes}`);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  const path = Buffer.from(`${dir}/${FILL}`);
  for (const name of addon().llistxattr(path)) {
    const value = name === 'security.selinux' ? undefined : addon().lgetxattr(path, name);
    if (value !== undefined) tree.setXattr(DATA, name, value);
  }
  tree.setDir(DATA, mode & 0o7777, uid, gid, mtimeSec, mtimeNsec);
  tree.remove(FILL);
}
