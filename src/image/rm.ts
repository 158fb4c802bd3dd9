// rmi and image prune: names go first, then what nobody needs any more. By docker's rules: a name that is not the last one
// is only taken away; an id takes all names of one repository, and those of several with force.

import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { formatPlatform } from '../core/platform.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import type { IdMap } from '../native/plan.ts';
import { listContainerUses } from '../store/containers.ts';
import { logPrune } from '../store/event-log.ts';
import { collectGarbage, type Freed } from '../store/gc.ts';
import { editIndex, nameOf, repoDigestsOf, withoutManifest, withoutName } from '../store/index-file.ts';
import {
  findStored,
  forgetRecords,
  idOf,
  listImages,
  repositoryOf,
  type ResolvedImage,
  type ResolvedLayer,
  type StoredImage,
} from '../store/images.ts';
import type { Descriptor } from '../oci/image.ts';
import { imageNotFound } from './get.ts';
import { logImageEvent } from './log-event.ts';
import { displayReference } from './names.ts';

export interface RemoveParts {
  paths: Paths;
  log: Log;
}

export interface RemoveOptions {
  force: boolean;
  /** An id means all of its names, in however many repositories. */
  everyName?: boolean;
  /** The widest map of the caller: trees may belong to any of its ids. */
  idMap: IdMap | undefined;
}

export interface Removed {
  untagged: string[];
  /** Image ids and layers that are gone. */
  deleted: Digest[];
  bytes: number;
}

/**
 * Removes a name, or the image with its last name.
 * @throws IMAGE_NOT_FOUND (exit status 1), IMAGE_IN_USE (2) naming the container or the other names
 */
export async function removeImage(
  parts: RemoveParts,
  text: string,
  options: RemoveOptions,
): Promise<Removed> {
  const found = findStored(parts.paths, text);
  if (found === undefined) throw imageNotFound(text);
  const { image, by } = found;
  const stored = manifestsOf(parts.paths, idOf(image));
  if (stored.length === 0) throw partOfAnIndex(parts.paths, text, image);
  const names = stored.flatMap(({ entry }) => nameOf(entry) ?? []);
  const taken = by === 'name' && image.reference !== '' ? [image.reference] : names;
  if (by === 'id' && options.everyName !== true) refuseSeveralRepositories(text, names, options.force);
  if (taken.length < names.length) {
    await untag(parts.paths, taken);
    for (let left = taken.length; left > 0; left--) logImageEvent(parts.paths, image, 'untag');
    return { untagged: taken.map(displayReference), deleted: [], bytes: 0 };
  }
  refuseInUse(parts.paths, text, stored, options.force);
  return await removeEntirely(parts, stored, options);
}

export interface PruneImagesOptions {
  all: boolean;
  idMap: IdMap | undefined;
  keep?: (image: ResolvedImage) => boolean;
}

/** Removes images without a name, and with `all` every image no container uses. */
export async function pruneImages(parts: RemoveParts, options: PruneImagesOptions): Promise<Removed> {
  const used = new Set(listContainerUses(parts.paths).map(({ imageId }) => imageId));
  const total: Removed = { untagged: [], deleted: [], bytes: 0 };
  const { images } = listImages(parts.paths);
  for (const id of new Set(images.map(({ image }) => idOf(image)))) {
    const stored = images.filter(({ image }) => idOf(image) === id);
    if (stored.some(({ image }) => options.keep?.(image) === true)) continue;
    const nameless = stored.filter(({ image }) => image.reference === '');
    // One image may have several manifests: one of them can be without a name although the image has one.
    const isUsed = stored.some(({ platforms }) => platforms.some(({ imageId }) => used.has(imageId)));
    const going = isUsed
      ? nameless.length < stored.length
        ? nameless
        : []
      : options.all
        ? stored
        : nameless;
    if (going.length === 0) continue;
    const removed = await removeEntirely(parts, going, options);
    total.untagged.push(...removed.untagged);
    if (going.length === stored.length) total.deleted.push(...removed.deleted);
    total.bytes += removed.bytes;
  }
  logPrune(parts.paths, 'image', total.bytes);
  return total;
}

async function untag(paths: Paths, references: readonly string[]): Promise<void> {
  await editIndex(paths, ({ entries, save }) => {
    forgetRecords(paths, references);
    save(references.reduce((list, reference) => withoutName(list, reference, true), entries));
  });
}

/** Takes these manifests of one image away, with all their names, and deletes what only they needed. */
async function removeEntirely(
  parts: RemoveParts,
  stored: readonly StoredImage[],
  { idMap }: { idMap: IdMap | undefined },
): Promise<Removed> {
  const entries = stored.map(({ entry }) => entry);
  const names = entries.flatMap((entry) => nameOf(entry) ?? []);
  const digests = new Set(entries.map(({ digest }) => digest));
  const platforms = stored.flatMap((one) => one.platforms);
  const layers = platforms.flatMap((image) => image.layers);
  const ids = stored.map(({ image }) => idOf(image));
  const chainIds = new Set(layers.map((layer) => layer.chainId));
  const forget = async (): Promise<void> => {
    await editIndex(parts.paths, ({ entries: before, save }) => {
      forgetRecords(parts.paths, names);
      save([...digests].reduce((list, digest) => withoutManifest(list, digest), before));
    });
  };
  try {
    await forget();
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'NO_SPACE') throw error;
    // No room for a new index.json: the trees can go first, since they can be made again from the blobs.
    await collectGarbage(parts.paths, { idMap, only: { blobs: new Set(), chainIds }, ignoring: digests });
    await forget();
  }
  logRemoval(parts.paths, stored);
  const blobs = new Set([
    ...digests,
    ...platforms.flatMap(({ imageId, manifestDigest }) => [imageId, manifestDigest]),
    ...layers.map((layer) => layer.blob.digest),
  ]);
  const freed = await collectGarbage(parts.paths, { idMap, only: { blobs, chainIds } });
  if (freed === undefined) {
    parts.log.info('another skiff is adding images: the space is freed by the next "skiff system prune"');
  }
  return {
    untagged: [...names.map(displayReference), ...repoDigestNames(entries)],
    deleted: [...new Set(ids), ...deletedLayers(layers, freed)],
    bytes: freed?.bytes ?? 0,
  };
}

/** An `untag` for each name, and a `delete` for each image that is gone now. */
function logRemoval(paths: Paths, stored: readonly StoredImage[]): void {
  for (const { entry, image } of stored)
    if (nameOf(entry) !== undefined) logImageEvent(paths, image, 'untag');
  const images = new Map(stored.map(({ image }) => [idOf(image), image]));
  for (const [id, image] of images)
    if (manifestsOf(paths, id).length === 0) logImageEvent(paths, image, 'delete');
}

/** Top layer first, as docker prints them. */
function deletedLayers(layers: readonly ResolvedLayer[], freed: Freed | undefined): Digest[] {
  const gone = new Set(freed?.trees);
  return [...new Set(layers.map((layer) => layer.chainId))].filter((id) => gone.has(id)).reverse();
}

function repoDigestNames(entries: readonly Descriptor[]): string[] {
  return [...new Set(entries.flatMap(repoDigestsOf))].map(displayReference);
}

function manifestsOf(paths: Paths, id: Digest): StoredImage[] {
  return listImages(paths).images.filter(({ image }) => idOf(image) === id);
}

/** Its manifest cannot go alone: the index that names it would not be whole. */
function partOfAnIndex(paths: Paths, text: string, { manifestDigest, platform }: ResolvedImage): EngineError {
  const whole = listImages(paths).images.find(({ platforms }) =>
    platforms.some((one) => one.manifestDigest === manifestDigest),
  );
  const name =
    whole === undefined ? 'another image' : displayReference(whole.image.reference || idOf(whole.image));
  return new EngineError(
    'IMAGE_IN_USE',
    `removing image "${text}": it is the one for ${formatPlatform(platform)} of "${name}"`,
    { hint: `remove the image with all of its platforms: skiff rmi ${name}`, exitCode: 2 },
  );
}

function refuseSeveralRepositories(text: string, names: readonly string[], force: boolean): void {
  const repositories = new Set(names.map((name) => repositoryOf(name)));
  if (force || repositories.size <= 1) return;
  throw new EngineError(
    'IMAGE_IN_USE',
    `removing image "${text}": it has names in ${repositories.size} repositories: ${names.map(displayReference).join(', ')}`,
    { hint: 'remove it by its names, or take all of them with --force', exitCode: 2 },
  );
}

/** A stopped container keeps its layers whatever happens to the name, so force is enough; a running one is in use. */
function refuseInUse(paths: Paths, text: string, stored: readonly StoredImage[], force: boolean): void {
  const ids = new Set<Digest | undefined>(
    stored.flatMap(({ platforms }) => platforms.map(({ imageId }) => imageId)),
  );
  const users = listContainerUses(paths).filter(({ imageId }) => ids.has(imageId));
  const user = users.find(({ running }) => running) ?? users[0];
  if (user === undefined || (force && !user.running)) return;
  throw new EngineError(
    'IMAGE_IN_USE',
    `removing image "${text}": ${user.running ? 'running' : 'stopped'} container "${user.name}" (${user.id.slice(0, 12)}) uses it`,
    {
      hint: user.running
        ? `end it with "skiff rm -f ${user.name}"`
        : `remove it with "skiff rm ${user.name}", or take the image's names with --force`,
      exitCode: 2,
    },
  );
}

/** Each image once. */
export function allImageIds(paths: Paths): Digest[] {
  return [...new Set(listImages(paths).images.map(({ image }) => idOf(image)))];
}
