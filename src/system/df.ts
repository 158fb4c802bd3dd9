// `system df`: what takes how much room, as du would say, and what a prune would give back.

import { namesIn } from '../core/fs.ts';
import type { Paths } from '../core/paths.ts';
import { listContainerUses } from '../store/containers.ts';
import { findGarbage } from '../store/gc.ts';
import { idOf, listImages, type StoredImage } from '../store/images.ts';
import {
  blobFile,
  containerDir,
  imagesDir,
  layersDir,
  ociDir,
  ownVolumesDir,
  partsDir,
  tmpDir,
} from '../store/layout.ts';
import { diskBytes, treeBytes } from '../store/usage.ts';
import { volumeUses } from '../volume/list.ts';
import { listVolumes } from '../volume/records.ts';

export interface DfRow {
  type: string;
  total: number;
  active: number;
  sizeBytes: number;
  reclaimableBytes: number;
}

/** Images, containers, volumes, build cache (docker's rows), and temporary files. Walks the whole store. */
export function diskUsage(paths: Paths): DfRow[] {
  return [images(paths), containers(paths), volumes(paths), row('Build Cache', 0, 0, 0, 0), temporary(paths)];
}

function images(paths: Paths): DfRow {
  const stored = listImages(paths).images;
  const used = new Set(listContainerUses(paths).map(({ imageId }) => imageId));
  const isUsed = ({ platforms }: StoredImage): boolean => platforms.some(({ imageId }) => used.has(imageId));
  const ids = new Set(stored.map(({ image }) => idOf(image)));
  const active = new Set(stored.filter(isUsed).map(({ image }) => idOf(image)));
  const unused = new Set(stored.filter((one) => !isUsed(one)).map(({ entry }) => entry.digest));
  const garbage = findGarbage(paths, unused);
  const reclaimable =
    garbage.blobs.reduce((sum, digest) => sum + diskBytes(blobFile(paths, digest)), 0) +
    garbage.trees.reduce((sum, { mapKey, chainId }) => sum + treeBytes(paths, mapKey, chainId), 0);
  const size = diskBytes(ociDir(paths)) + diskBytes(layersDir(paths)) + diskBytes(imagesDir(paths));
  return row('Images', ids.size, active.size, size, reclaimable);
}

function containers(paths: Paths): DfRow {
  const uses = listContainerUses(paths);
  const sizes = uses.map(({ id, running }) => ({
    running,
    bytes: diskBytes(containerDir(paths, id)) - diskBytes(ownVolumesDir(paths, id)),
  }));
  const sum = (list: typeof sizes): number => list.reduce((total, { bytes }) => total + bytes, 0);
  const stopped = sizes.filter(({ running }) => !running);
  return row('Containers', uses.length, uses.length - stopped.length, sum(sizes), sum(stopped));
}

function volumes(paths: Paths): DfRow {
  const uses = volumeUses(paths);
  const sizes = listVolumes(paths).map(({ name, dir }) => ({ used: uses.has(name), bytes: diskBytes(dir) }));
  const sum = (list: typeof sizes): number => list.reduce((total, { bytes }) => total + bytes, 0);
  const unused = sizes.filter(({ used }) => !used);
  return row('Local Volumes', sizes.length, sizes.length - unused.length, sum(sizes), sum(unused));
}

/** Downloads that were cut off, and what killed processes left. */
function temporary(paths: Paths): DfRow {
  const dir = tmpDir(paths);
  const files = [
    ...namesIn(dir)
      .filter((name) => name !== 'blobs')
      .map((name) => `${dir}/${name}`),
    ...namesIn(partsDir(paths)).map((name) => `${partsDir(paths)}/${name}`),
  ];
  const bytes = files.reduce((sum, file) => sum + diskBytes(file), 0);
  return row('Temporary Files', files.length, 0, bytes, bytes);
}

function row(
  type: string,
  total: number,
  active: number,
  sizeBytes: number,
  reclaimableBytes: number,
): DfRow {
  return { type, total, active, sizeBytes, reclaimableBytes };
}
