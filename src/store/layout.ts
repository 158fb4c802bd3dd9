// Where things are inside graphRoot. Pure: paths only, nothing is looked at. docs/dev/store-layout.md has the picture.
//
//   oci/             an OCI image layout (image-spec image-layout.md): oci-layout, index.json, blobs/sha256/<hex>
//   layers/<mapKey>/<chain hex>/       unpacked trees (overlay lower dirs) as seen through one id map; <chain hex>.json beside
//   images/<sha256 of the reference>.json  ResolvedImage records
//   containers/<id>/  names/<name>  volumes/<name>/  events.log  tmp/  tmp/blobs/<hex>.part

import type { Digest } from '../core/digest.ts';
import { hexOf } from '../core/digest.ts';
import type { Paths } from '../core/paths.ts';
import { sha256OfText } from '../core/sha256.ts';
import type { IdMap } from '../native/plan.ts';

export type StoreRoot = Pick<Paths, 'graphRoot'>;

/** Name of the tree folder for containers without a user namespace. */
export const HOST_MAP_KEY = 'host';

export function ociDir({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/oci`;
}

export function ociLayoutFile(root: StoreRoot): string {
  return `${ociDir(root)}/oci-layout`;
}

export function indexFile(root: StoreRoot): string {
  return `${ociDir(root)}/index.json`;
}

/** Guards edits of index.json and of images/; held for milliseconds. */
export function indexLockFile(root: StoreRoot): string {
  return `${ociDir(root)}/index.lock`;
}

/** Shared while something is being added that nothing refers to yet, exclusive while blobs and trees are deleted. */
export function gcLockFile(root: StoreRoot): string {
  return `${ociDir(root)}/gc.lock`;
}

export function blobsDir(root: StoreRoot): string {
  return `${ociDir(root)}/blobs/sha256`;
}

export function blobFile(root: StoreRoot, digest: Digest): string {
  return `${blobsDir(root)}/${hexOf(digest)}`;
}

export function tmpDir({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/tmp`;
}

export function partsDir(root: StoreRoot): string {
  return `${tmpDir(root)}/blobs`;
}

/** A download in progress, or what is left of one; a flock on it says which. */
export function partFile(root: StoreRoot, digest: Digest): string {
  return `${partsDir(root)}/${hexOf(digest)}.part`;
}

export function layersDir({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/layers`;
}

export function mapDir(root: StoreRoot, mapKey: string): string {
  return `${layersDir(root)}/${mapKey}`;
}

/** The unpacked tree of a layer on top of the layers below it (hence named by chain id), complete if it exists. */
export function treeDir(root: StoreRoot, mapKey: string, chainId: Digest): string {
  return `${mapDir(root, mapKey)}/${hexOf(chainId)}`;
}

/** What is known about that tree: its size. */
export function treeInfoFile(root: StoreRoot, mapKey: string, chainId: Digest): string {
  return `${treeDir(root, mapKey, chainId)}.json`;
}

/** The tree while it is being unpacked; its flock says whether somebody still does. */
export function stageDir(root: StoreRoot, mapKey: string, chainId: Digest): string {
  return `${treeDir(root, mapKey, chainId)}.part`;
}

export function imagesDir({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/images`;
}

/** The ResolvedImage record of one full reference. */
export function imageFile(root: StoreRoot, reference: string): string {
  return `${imagesDir(root)}/${sha256OfText(reference)}.json`;
}

export function containersDir({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/containers`;
}

export function containerDir(root: StoreRoot, id: string): string {
  return `${containersDir(root)}/${id}`;
}

export function namesDir({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/names`;
}

/** What `skiff events` shows: one JSON object a line; rotated to events.log.1 and so on by native/common/event_file.h. */
export function eventLogFile({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/events.log`;
}

export function volumesDir({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/volumes`;
}

/** Anonymous volumes of a --rm container: they go with its folder, whoever removes that. */
export function ownVolumesDir(root: StoreRoot, id: string): string {
  return `${containerDir(root, id)}/volumes`;
}

/** Key of the trees that fit an id map: equal maps, equal key. A tree's files carry host ids, so it fits one map alone. */
export function mapKeyOf(idMap: IdMap | undefined): string {
  if (idMap === undefined) return HOST_MAP_KEY;
  const text = [idMap.uid, idMap.gid]
    .map((list) => list.map((m) => `${m.containerID}:${m.hostID}:${m.size}`).join(','))
    .join(';');
  return shortHash(text);
}

/** 16 hex digits (cyrb53's mixing, all 64 bits of it). Names a folder and guards nothing, but is in the path of every run. */
function shortHash(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
