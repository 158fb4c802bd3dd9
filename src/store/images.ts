// ResolvedImage: everything a run needs to know about an image, worked out once, when it is stored, and read back as one
// small file. A record is a cache of index.json and the blobs: one that is missing, torn or of another version is made
// anew. index.json alone says which images exist.

import * as fs from 'node:fs';
import { digestOf, hexOf, isDigest, type Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { fsyncDirectory } from '../core/fs.ts';
import { hostPlatform, rankPlatform } from '../core/platform.ts';
import { formatReference, parseReference, withDefaultTag } from '../core/reference.ts';
import type { Descriptor, ImageConfig, ImageConfigSection, Manifest, Platform } from '../oci/image.ts';
import { getBlob, statBlob } from './blobs.ts';
import { editIndex, nameOf, readIndex, repoDigestsOf, withName, type NewName } from './index-file.ts';
import { publishFile, storeIo } from './io.ts';
import { imageFile, imagesDir, indexLockFile, type StoreRoot } from './layout.ts';
import { readTreeInfo } from './layers.ts';
import { tryLock, type LockOptions } from './lock.ts';
import { chainIdsOf, isAttestation, isIndexType, parseConfig, parseIndex, parseManifest } from './parse.ts';

const RECORD_VERSION = 1;

export interface ResolvedLayer {
  /** Digest of the uncompressed tar. */
  diffId: Digest;
  /** Names the unpacked tree: this layer on top of those below. */
  chainId: Digest;
  /** The layer as it was sent. */
  blob: Descriptor;
}

export interface ResolvedImage {
  /** The full reference, `docker.io/library/debian:12`; '' for a dangling image. */
  reference: string;
  /** Digest of the config. */
  imageId: Digest;
  manifestDigest: Digest;
  platform: Platform;
  /** RFC 3339 */
  created?: string;
  config: ImageConfigSection;
  /** Bottom first. */
  layers: ResolvedLayer[];
  /** Of all files, uncompressed; of the layers as sent while nothing was unpacked yet. */
  sizeBytes: number;
  /** Where the name stands for an index: its digest. Everything else is of one of its platforms, this machine's if it is there. */
  index?: Digest;
}

/** An entry of index.json with what it stands for. */
export interface StoredImage {
  entry: Descriptor;
  image: ResolvedImage;
  /** `image`, or of an index all that are in the store. */
  platforms: ResolvedImage[];
}

/** What a name of the image stands for: a manifest, or an index. */
export function targetOf({ index, manifestDigest }: ResolvedImage): Digest {
  return index ?? manifestDigest;
}

/** What users know it by: the digest of its config, or of its index. */
export function idOf({ index, imageId }: ResolvedImage): Digest {
  return index ?? imageId;
}

/** What a manifest and its config amount to. Pure but for the sizes, which are those of unpacked trees where known. */
export function resolveImage(
  root: StoreRoot,
  reference: string,
  manifestDigest: Digest,
  manifest: Manifest,
  config: ImageConfig,
): ResolvedImage {
  const chainIds = chainIdsOf(config.rootfs.diff_ids);
  const layers = config.rootfs.diff_ids.map((diffId, i) => ({
    diffId,
    chainId: chainIds[i] as Digest,
    blob: manifest.layers[i] as Descriptor,
  }));
  return {
    reference,
    imageId: manifest.config.digest,
    manifestDigest,
    platform: platformOf(config),
    ...(config.created === undefined ? {} : { created: config.created }),
    config: config.config ?? {},
    layers,
    sizeBytes: layers.reduce(
      (sum, layer) => sum + (readTreeInfo(root, layer.chainId)?.sizeBytes ?? layer.blob.size),
      0,
    ),
  };
}

export function platformOf(config: ImageConfig): Platform {
  return {
    os: config.os,
    architecture: config.architecture,
    ...(config.variant === undefined ? {} : { variant: config.variant }),
    ...(config['os.version'] === undefined ? {} : { 'os.version': config['os.version'] }),
  };
}

/**
 * The image a user means by `text`: a full id, a name (docker.io and `latest` filled in), a name with a digest, or an
 * unambiguous prefix of an id. Reads one file when the name is known; opens no socket and takes no lock.
 * @returns undefined when there is none
 * @throws IMAGE_NOT_FOUND for an ambiguous prefix; STORE_INVALID when the image's own files are damaged
 */
export function findImage(root: StoreRoot, text: string): ResolvedImage | undefined {
  return findStored(root, text)?.image;
}

/** As `findImage`, with how it was found: by name, or by id. */
export function findStored(
  root: StoreRoot,
  text: string,
): { image: ResolvedImage; by: 'name' | 'id' } | undefined {
  const idText = text.startsWith('sha256:') ? text.slice(7) : text;
  if (!/^[0-9a-f]{64}$/.test(idText)) {
    const image = findByName(root, text);
    if (image !== undefined) return { image, by: 'name' };
  }
  if (!/^[0-9a-f]{1,64}$/.test(idText)) return undefined;
  const image = findById(root, idText, text);
  return image === undefined ? undefined : { image, by: 'id' };
}

function findByName(root: StoreRoot, text: string): ResolvedImage | undefined {
  let ref;
  try {
    ref = withDefaultTag(parseReference(text));
  } catch (error) {
    // An id prefix with the "sha256:" in front is no name.
    if (error instanceof EngineError && text.startsWith('sha256:')) return undefined;
    throw error;
  }
  if (ref.digest !== undefined) return findByDigest(root, `${ref.registry}/${ref.repository}`, ref.digest);
  return readNamed(root, formatReference(ref));
}

function findByDigest(root: StoreRoot, repository: string, digest: Digest): ResolvedImage | undefined {
  const reference = `${repository}@${digest}`;
  const named = readNamed(root, reference);
  if (named !== undefined) return named;
  const entry = readIndex(root).find(
    (candidate) =>
      repoDigestsOf(candidate).includes(reference) ||
      (candidate.digest === digest && repositoryOf(nameOf(candidate)) === repository),
  );
  return entry === undefined ? undefined : resolveEntry(root, entry);
}

/** `docker.io/library/debian` of a full reference. */
export function repositoryOf(reference: string | undefined): string | undefined {
  if (reference === undefined) return undefined;
  const ref = parseReference(reference);
  return `${ref.registry}/${ref.repository}`;
}

/** An id of one platform of an index stands for that platform alone. */
function findById(root: StoreRoot, prefix: string, text: string): ResolvedImage | undefined {
  const found = new Map<Digest, ResolvedImage>();
  for (const { image, platforms } of listImages(root).images) {
    for (const one of image.index === undefined ? [image] : [image, ...platforms.map(alone)]) {
      const id = idOf(one);
      if (!hexOf(id).startsWith(prefix)) continue;
      const known = found.get(id);
      if (known === undefined || known.reference === '') found.set(id, one);
    }
  }
  if (found.size > 1) {
    throw new EngineError('IMAGE_NOT_FOUND', `finding image "${text}": the id fits ${found.size} images`, {
      hint: 'give more digits: "skiff images --no-trunc" shows them all',
    });
  }
  return [...found.values()][0];
}

/** One platform of an index, as an image by itself, without a name. */
export function alone(image: ResolvedImage): ResolvedImage {
  const { index, ...rest } = image;
  return index === undefined ? image : { ...rest, reference: '' };
}

/** Undefined: none serves it at all. (pure) */
export function closest(images: readonly ResolvedImage[], wanted: Platform): ResolvedImage | undefined {
  let best: { image: ResolvedImage; rank: number } | undefined;
  for (const image of images) {
    const rank = rankPlatform(wanted, image.platform);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { image, rank };
  }
  return best?.image;
}

/** The images of all platforms that are in the store, in the order of the index. @throws STORE_INVALID */
export function platformsOf(root: StoreRoot, image: ResolvedImage): ResolvedImage[] {
  return image.index === undefined ? [image] : readPlatforms(root, image.index, image.reference);
}

function readPlatforms(root: StoreRoot, index: Digest, reference: string): ResolvedImage[] {
  return platformEntries(root, index)
    .filter(({ digest }) => statBlob(root, digest) !== undefined)
    .map((entry) => ({ ...readManifest(root, entry, reference), index }));
}

/** The images that an index names, in the store or not. @throws STORE_INVALID */
export function platformEntries(root: StoreRoot, index: Digest): Descriptor[] {
  const { manifests } = parseIndex(getBlob(root, index), `index "${index}"`);
  return manifests.filter((entry) => !isAttestation(entry) && !isIndexType(entry.mediaType));
}

/** The image with exactly this full reference. */
export function readNamed(root: StoreRoot, reference: string): ResolvedImage | undefined {
  const record = readRecord(root, reference);
  if (record !== undefined) return record;
  const entry = readIndex(root).find((candidate) => nameOf(candidate) === reference);
  if (entry === undefined) return undefined;
  const image = buildFromBlobs(root, entry);
  cacheRecord(root, image);
  return image;
}

/** All images, oldest name first, and the entries whose files are damaged, with why. */
export function listImages(root: StoreRoot): {
  images: StoredImage[];
  damaged: { entry: Descriptor; error: EngineError }[];
} {
  const images: StoredImage[] = [];
  const damaged: { entry: Descriptor; error: EngineError }[] = [];
  for (const entry of readIndex(root)) {
    try {
      const image = resolveEntry(root, entry);
      images.push({ entry, image, platforms: platformsOf(root, image) });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      damaged.push({ entry, error });
    }
  }
  return { images, damaged };
}

function resolveEntry(root: StoreRoot, entry: Descriptor): ResolvedImage {
  const reference = nameOf(entry);
  const record = reference === undefined ? undefined : readRecord(root, reference);
  return record !== undefined && targetOf(record) === entry.digest ? record : buildFromBlobs(root, entry);
}

function buildFromBlobs(root: StoreRoot, entry: Descriptor): ResolvedImage {
  const reference = nameOf(entry) ?? '';
  if (!isIndexType(entry.mediaType)) return readManifest(root, entry, reference);
  const images = readPlatforms(root, entry.digest, reference);
  const image = closest(images, hostPlatform(process.arch)) ?? images[0];
  if (image !== undefined) return image;
  throw new EngineError(
    'STORE_INVALID',
    `reading image "${reference === '' ? entry.digest : reference}": none of its platforms is in the store`,
  );
}

function readManifest(root: StoreRoot, { digest }: Descriptor, reference: string): ResolvedImage {
  const what = `image "${reference === '' ? digest : reference}"`;
  const manifest = parseManifest(getBlob(root, digest), what);
  const config = parseConfig(getBlob(root, manifest.config.digest), manifest, what);
  return resolveImage(root, reference, digest, manifest, config);
}

/** undefined when missing, torn, or written by another version of skiff. */
function readRecord(root: StoreRoot, reference: string): ResolvedImage | undefined {
  let text: string;
  try {
    text = fs.readFileSync(imageFile(root, reference), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    return storeIo('reading', imageFile(root, reference), () => {
      throw error;
    });
  }
  try {
    const record = JSON.parse(text) as { version?: unknown; image?: ResolvedImage };
    const image = record.image;
    if (record.version !== RECORD_VERSION || image?.reference !== reference) return undefined;
    return isDigest(image.imageId) && isDigest(image.manifestDigest) && Array.isArray(image.layers)
      ? image
      : undefined;
  } catch {
    return undefined;
  }
}

function writeRecord(root: StoreRoot, image: ResolvedImage): void {
  publishFile(imageFile(root, image.reference), `${JSON.stringify({ version: RECORD_VERSION, image })}\n`);
}

/** Writes a rebuilt record if that can be done now; only under the lock, so that a name just removed is not revived. */
function cacheRecord(root: StoreRoot, image: ResolvedImage): void {
  let held;
  try {
    held = tryLock(indexLockFile(root), 'exclusive');
    if (held === undefined) return;
    const still = readIndex(root).some(
      (entry) => nameOf(entry) === image.reference && entry.digest === targetOf(image),
    );
    if (still) writeRecord(root, image);
  } catch (error) {
    // A full or read-only disk: the record is only a cache.
    if (!(error instanceof EngineError) || (error.code !== 'NO_SPACE' && error.code !== 'IO')) throw error;
  } finally {
    held?.release();
  }
}

/**
 * Publishes an image under a name. Its blobs and trees are durable already. Atomic: after a crash the name means the old
 * image or the new one. The image that had the name stays, dangling, if it has no other.
 */
export async function publishImage(
  root: StoreRoot,
  image: ResolvedImage,
  name: NewName,
  options: LockOptions = {},
): Promise<void> {
  await editIndex(
    root,
    ({ entries, save }) => {
      forgetRecords(root, [name.reference]);
      save(withName(entries, name, new Date()));
      writeRecord(root, { ...image, reference: name.reference });
    },
    options,
  );
}

/**
 * As `publishImage`, of an index whose blob is in the store, with some of its platforms at least, under each of the names;
 * undefined: without one. @throws STORE_INVALID
 */
export async function publishIndex(
  root: StoreRoot,
  references: readonly string[] | undefined,
  { mediaType, digest, size }: Descriptor,
  repoDigest?: string,
): Promise<void> {
  const manifest: Descriptor = { mediaType, digest, size };
  const parts = platformEntries(root, digest).map((entry) => entry.digest);
  const image = resolveIndex(root, manifest);
  if (references === undefined) await publishUnnamed(root, manifest);
  for (const reference of references ?? [])
    await publishImage(root, image, { reference, manifest, repoDigest, parts });
}

/** The image that an index in the store is for this machine. @throws STORE_INVALID, IMAGE_INVALID */
export function resolveIndex(root: StoreRoot, { mediaType, digest, size }: Descriptor): ResolvedImage {
  return buildFromBlobs(root, { mediaType, digest, size });
}

/** The digest that a full reference stands for. */
export function manifestNamed(root: StoreRoot, reference: string): Digest | undefined {
  const image = readNamed(root, reference);
  return image === undefined ? undefined : targetOf(image);
}

/** Keeps an image without a name; one that has a name stays as it is. */
export async function publishUnnamed(
  root: StoreRoot,
  manifest: Descriptor,
  options: LockOptions = {},
): Promise<void> {
  await editIndex(
    root,
    ({ entries, save }) => {
      if (!entries.some(({ digest }) => digest === manifest.digest)) save([...entries, manifest]);
    },
    options,
  );
}

/**
 * Removes records, durably: before index.json changes what their names mean. In between the index is right and a record
 * is rebuilt from it; a record that outlived its entry would not be noticed. Called under the lock of index.json.
 */
export function forgetRecords(root: StoreRoot, references: readonly string[]): void {
  for (const reference of references) fs.rmSync(imageFile(root, reference), { force: true });
  fsyncDirectory(imagesDir(root));
}

/** The digest of an image's manifest as a descriptor: what index.json says about it. */
export function manifestDescriptor(bytes: Uint8Array, mediaType: string, platform: Platform): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, platform };
}
