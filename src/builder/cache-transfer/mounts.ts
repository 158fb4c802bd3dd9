// Directories of RUN --mount=type=cache in a cache: packed like a layer, and unpacked by the same rules for hostile ones
// where a build finds none of its own.

import { existsSync, mkdirSync } from 'node:fs';
import type { Digest } from '../../core/digest.ts';
import { Download, type FetchBlob } from '../../image/download.ts';
import { startLayerDiff } from '../../image/layer/diff.ts';
import { encodeEntry } from '../../image/layer/encode-entry.ts';
import { BLANK_FILE } from '../../image/layer/entry.ts';
import type { Packed } from '../../image/layer/pack.ts';
import { startUnpackFile } from '../../image/layer/unpack.ts';
import { storeLayerTar } from '../../image/new-layer.ts';
import type { IdMap } from '../../native/plan.ts';
import { storeIo } from '../../store/io.ts';
import { blobFile } from '../../store/layout.ts';
import { removeForeignTree } from '../../store/layers.ts';
import { checkFreeSpace } from '../../store/space.ts';
import { tryLock } from '../../store/lock.ts';
import { mountPaths } from '../cache-mounts.ts';
import type { BuildParts } from '../parts.ts';
import type { MountIdentity, TransferredLayer } from './document.ts';

export interface RestoreTarget {
  /** The directory `name` in this folder is made; nothing is left of it when that fails. */
  folder: string;
  name: string;
  idMap: IdMap | undefined;
  /** First words of errors. */
  doing: string;
  /** As of Taking. The blob is of no use afterwards. */
  added: Set<Digest>;
  fetch: FetchBlob;
}

/** @throws what a download and the unpacking of a layer throw */
export async function restoreMount(
  { paths, log, signal }: BuildParts,
  { diffId, blob }: TransferredLayer,
  { folder, name, idMap, doing, added, fetch }: RestoreTarget,
): Promise<void> {
  const dest = `${folder}/${name}`;
  checkFreeSpace(paths, doing, blob.size);
  added.add(blob.digest);
  try {
    await new Download(paths, blob, { fetch, signal, doing }).done;
    storeIo('making', dest, () => mkdirSync(dest));
    const file = blobFile(paths, blob.digest);
    const unpacking = startUnpackFile(
      { mediaType: blob.mediaType, diffId, dest, lowerTrees: [], idMap },
      file,
    );
    const cancel = (): void => unpacking.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for (const note of (await unpacking.done).notes) log.warn(`${doing}: ${note}`);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  } catch (error) {
    await removeForeignTree(dest, idMap);
    throw error;
  }
}

/** There is such a directory here. */
export function hasMount(
  parts: Pick<BuildParts, 'paths'>,
  mount: MountIdentity,
  idMap: IdMap | undefined,
): boolean {
  return existsSync(mountPaths(parts.paths, mount, idMap).data);
}

/**
 * Its content as a gzipped blob of the store, equal for equal content. The caller holds gc.lock shared.
 * @returns 'empty', 'in-use' by another build, or the layer
 */
export async function packMount(
  { paths, log, signal }: BuildParts,
  mount: MountIdentity,
  idMap: IdMap | undefined,
): Promise<TransferredLayer | 'empty' | 'in-use'> {
  const { data, lock } = mountPaths(paths, mount, idMap);
  const doing = `exporting the cache mount ${JSON.stringify(mount.id)}`;
  const held = tryLock(lock, 'exclusive');
  if (held === undefined) return 'in-use';
  if (!existsSync(data)) {
    held.release(); // pruned meanwhile
    return 'empty';
  }
  const diff = startLayerDiff({ upper: data, lowerTrees: [], mountPoints: [], volumes: [] }, idMap, doing);
  try {
    let packed: Packed | undefined;
    const complete = async (): Promise<void> => {
      packed = await diff.done;
    };
    const tar = withRoot(mount, diff.tar as AsyncIterable<Buffer>);
    const { diffId, blob } = await storeLayerTar(paths, tar, { signal, complete });
    for (const note of packed?.notes ?? []) log.warn(`${doing}: ${note}`);
    return packed?.entries === 0 ? 'empty' : { diffId, blob };
  } finally {
    diff.cancel();
    held.release();
  }
}

/** A layer's tar does not list its root, whose owner and mode are those of the mount. */
async function* withRoot(
  { uid, gid, mode }: MountIdentity,
  tar: AsyncIterable<Buffer>,
): AsyncGenerator<Uint8Array> {
  const ids = { containerUid: uid, containerGid: gid };
  yield encodeEntry({ ...BLANK_FILE, ...ids, type: 'dir', path: '.', mode }).head;
  yield* tar;
}
