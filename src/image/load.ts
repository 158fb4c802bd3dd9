// load: images from a docker archive, an OCI archive or an OCI layout folder into the store, unpacked like pulled ones.

import * as fs from 'node:fs';
import type { Readable } from 'node:stream';
import type { Config } from '../core/config.ts';
import type { Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import { hostPlatform } from '../core/platform.ts';
import { formatReference, parseReference, withDefaultTag } from '../core/reference.ts';
import type { IdMap } from '../native/plan.ts';
import type { Manifest, Platform } from '../oci/image.ts';
import { hasBlob, putBlob, readBlob } from '../store/blobs.ts';
import { ensureStore } from '../store/init.ts';
import {
  publishImage,
  publishIndex,
  publishUnnamed,
  resolveImage,
  resolveIndex,
  type ResolvedImage,
} from '../store/images.ts';
import { MAX_CONFIG_BYTES, parseConfig, parseManifest } from '../store/parse.ts';
import { addingBlobs } from './adding.ts';
import { readArchive, type Archive } from './archive.ts';
import type { FetchBlob } from './download.ts';
import type { OnImageEvent } from './events.ts';
import { readDockerArchive, type LoadableImage } from './load-docker.ts';
import { blobPath, entriesOf, readBlobFile, readOciLayout, type Layout, type ReadFile } from './load-oci.ts';
import { logImageEvent } from './log-event.ts';
import { storeLayers } from './store-layers.ts';

export interface LoadParts {
  paths: Paths;
  config: () => Pick<Config, 'parallelDownloads'>;
  log: Log;
  signal: AbortSignal;
}

export interface LoadOptions {
  idMap: IdMap | undefined;
  /** Which image of a multi-platform index; undefined: all that are there. */
  platform?: Platform | undefined;
  onEvent?: OnImageEvent | undefined;
}

export interface LoadedImage {
  /** Full references it has now; empty for an image without a name. */
  references: string[];
  image: ResolvedImage;
}

/** Where images are read from: a path (file or folder) or a stream. */
export type LoadSource = { path: string } | { stream: Readable };

/** @throws IMAGE_INVALID, DIGEST_MISMATCH, LAYER_*, NO_SPACE, IO. Images before the damaged one are kept. */
export async function loadImages(
  parts: LoadParts,
  source: LoadSource,
  options: LoadOptions,
): Promise<LoadedImage[]> {
  const what = 'path' in source ? `"${source.path}"` : 'the archive on stdin';
  ensureStore(parts.paths);
  return await addingBlobs(parts.paths, parts.signal, async (added) => {
    if ('path' in source && isDirectory(source.path))
      return await loadFolder(parts, source.path, what, options);
    const input = 'path' in source ? openFile(source.path) : source.stream;
    return await loadArchive(parts, input, what, options, added);
  });
}

/**
 * One image of a layout's folder, without a name: the caller holds gc.lock shared for as long as nothing refers to it.
 * @throws as loadImages; IMAGE_NOT_FOUND
 */
export async function loadFromLayout(
  parts: LoadParts,
  layout: Layout,
  options: LoadOptions,
): Promise<ResolvedImage> {
  const { path, tag, digest } = layout;
  const what = JSON.stringify(path);
  const platform = options.platform ?? hostPlatform(process.arch);
  const { images, ...folder } = openFolder(path, what, { ...options, platform }, (entries) =>
    entriesOf(entries, layout),
  );
  const [image] = images;
  if (image !== undefined) return await storeManifest(parts, image, '', { ...folder, what, options });
  const wanted = digest ?? `image with the tag ${JSON.stringify(tag ?? 'latest')}`;
  throw new EngineError('IMAGE_NOT_FOUND', `loading ${what}: its index.json has no ${wanted}`, {
    exitCode: 1,
  });
}

async function loadArchive(
  parts: LoadParts,
  input: Readable,
  what: string,
  options: LoadOptions,
  added: Set<Digest>,
): Promise<LoadedImage[]> {
  const archive = await readArchive(parts.paths, input, what, parts.signal, added);
  const read: ReadFile = (path, limit) => archive.read(path, limit);
  // docker's newer archives are both; the OCI side keeps the digests the images were built with.
  const images = readOciLayout(read, options.platform, what) ?? readDockerArchive(archive, what);
  if (images === undefined) {
    throw new EngineError('IMAGE_INVALID', `loading ${what}: it holds neither manifest.json nor oci-layout`, {
      hint: 'it must come from "docker save", "podman save" or the like; a tar of a file system is not an image',
    });
  }
  return await storeAll(parts, images, {
    read,
    fetch: fetchFromArchive(archive, what),
    what,
    options,
  });
}

/** Everything in the archive is in the store already: what is asked for is missing. */
function fetchFromArchive(archive: Archive, what: string): FetchBlob {
  return ({ digest }) => {
    const found = archive.find(blobPath(digest))?.digest;
    const error =
      found === undefined
        ? new EngineError('IMAGE_INVALID', `loading ${what}: blob "${digest}" is missing`)
        : new EngineError('DIGEST_MISMATCH', `loading ${what}: blob "${digest}" has digest ${found}`);
    return Promise.reject(error);
  };
}

async function loadFolder(
  parts: LoadParts,
  dir: string,
  what: string,
  options: LoadOptions,
): Promise<LoadedImage[]> {
  const { images, ...folder } = openFolder(dir, what, options);
  return await storeAll(parts, images, { ...folder, what, options });
}

/** @param only as of readOciLayout */
function openFolder(
  dir: string,
  what: string,
  { platform }: LoadOptions,
  only?: Parameters<typeof readOciLayout>[3],
): Pick<Job, 'read' | 'fetch'> & { images: LoadableImage[] } {
  const read: ReadFile = (path, limit) => readSmallFile(`${dir}/${path}`, limit, what);
  const images = readOciLayout(read, platform, what, only);
  if (images === undefined) {
    throw new EngineError(
      'IMAGE_INVALID',
      `loading ${what}: this folder is no OCI image layout (it has no oci-layout file)`,
    );
  }
  const fetch: FetchBlob = (blob, { offset }) => {
    const file = `${dir}/${blobPath(blob.digest)}`;
    if (fs.existsSync(file))
      return Promise.resolve(fs.createReadStream(file, { start: offset, highWaterMark: 1 << 20 }));
    return Promise.reject(
      new EngineError('IMAGE_INVALID', `loading ${what}: blob "${blob.digest}" is missing`),
    );
  };
  return { read, fetch, images };
}

interface Job {
  read: ReadFile;
  fetch: FetchBlob;
  what: string;
  options: LoadOptions;
}

async function storeAll(
  parts: LoadParts,
  images: readonly LoadableImage[],
  job: Job,
): Promise<LoadedImage[]> {
  if (images.length === 0) throw new EngineError('IMAGE_INVALID', `loading ${job.what}: it holds no image`);
  const loaded: LoadedImage[] = [];
  for (const image of images)
    loaded.push(
      image.platforms === undefined
        ? await storeOne(parts, image, job)
        : await storeIndex(parts, image, image.platforms, job),
    );
  return loaded;
}

/** Its images first, which have no names of their own. */
async function storeIndex(
  parts: LoadParts,
  { names, mediaType, manifest }: LoadableImage,
  platforms: readonly LoadableImage[],
  job: Job,
): Promise<LoadedImage> {
  const { paths, log } = parts;
  const references = names.flatMap((name) => referenceOf(name, log));
  for (const one of platforms) await storeManifest(parts, one, references[0] ?? '', job);
  const descriptor = { mediaType, digest: putBlob(paths, manifest), size: manifest.length };
  await publishIndex(paths, references.length === 0 ? undefined : references, descriptor);
  const image = resolveIndex(paths, descriptor);
  logImageEvent(paths, image, 'load');
  return { references, image };
}

async function storeOne(parts: LoadParts, loadable: LoadableImage, job: Job): Promise<LoadedImage> {
  const { paths, log } = parts;
  const references = loadable.names.flatMap((name) => referenceOf(name, log));
  const image = await storeManifest(parts, loadable, references[0] ?? '', job);
  const { mediaType, manifest } = loadable;
  const descriptor = {
    ...{ mediaType, digest: image.manifestDigest, size: manifest.length, platform: image.platform },
  };
  if (references.length === 0) await publishUnnamed(paths, descriptor);
  for (const name of references) await publishImage(paths, image, { reference: name, manifest: descriptor });
  logImageEvent(paths, image, 'load');
  return { references, image };
}

/** Everything but a name for it. */
async function storeManifest(
  parts: LoadParts,
  loadable: LoadableImage,
  reference: string,
  job: Job,
): Promise<ResolvedImage> {
  const { paths } = parts;
  const { what, options } = job;
  const manifest = parseManifest(loadable.manifest, `the manifest of ${what}`);
  const config = parseConfig(configBytes(paths, manifest, job), manifest, `the config of ${what}`);
  const digest = putBlob(paths, loadable.manifest);
  options.onEvent?.({ type: 'begin', reference: reference || what });
  const before = resolveImage(paths, reference, digest, manifest, config);
  const layers = manifest.layers.map((blob) => ({ digest: blob.digest, sizeBytes: blob.size }));
  options.onEvent?.({
    type: 'resolved',
    reference: reference || what,
    digest,
    platform: before.platform,
    layers,
  });
  await storeLayers(parts, before, {
    idMap: options.idMap,
    doing: `loading ${what}`,
    fetch: job.fetch,
    onEvent: options.onEvent,
  });
  const image = resolveImage(paths, reference, digest, manifest, config);
  options.onEvent?.({
    type: 'end',
    reference: reference || what,
    digest,
    imageId: image.imageId,
    changed: true,
  });
  return image;
}

function configBytes(paths: Paths, { config }: Manifest, { read, what }: Job): Uint8Array {
  if (config.size > MAX_CONFIG_BYTES)
    throw new EngineError('IMAGE_INVALID', `loading ${what}: its config is too large`);
  if (hasBlob(paths, config)) {
    const bytes = readBlob(paths, config.digest);
    if (bytes !== undefined) return bytes;
  }
  const bytes = readBlobFile(read, config.digest, what);
  putBlob(paths, bytes);
  return bytes;
}

function referenceOf(name: string, log: Log): string[] {
  try {
    return [formatReference(withDefaultTag(parseReference(name)))];
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    log.warn(`an image of the archive is stored without its name: ${error.message}`);
    return [];
  }
}

function isDirectory(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function openFile(path: string): Readable {
  try {
    return fs.createReadStream('', { fd: fs.openSync(path, 'r'), highWaterMark: 1 << 20 });
  } catch (cause) {
    throw new EngineError('IO', `loading "${path}"`, { cause });
  }
}

function readSmallFile(path: string, limit: number, what: string): Uint8Array | undefined {
  try {
    const { size } = fs.statSync(path);
    if (size > limit) throw new EngineError('IMAGE_INVALID', `loading ${what}: "${path}" has ${size} bytes`);
    return fs.readFileSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
