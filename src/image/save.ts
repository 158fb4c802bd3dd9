// `save`: images as one archive. The default form is docker's of today: an OCI image layout that also has manifest.json, so
// that old and new tools read it. Blobs go in as they are in the store, checked on the way; the same images always give
// the same bytes.

import { createHash } from 'node:crypto';
import { readSync, openSync, closeSync } from 'node:fs';
import { digestFromHex, hexOf, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { Paths } from '../core/paths.ts';
import { platformNotFound } from '../core/platform.ts';
import { formatFamiliar, parseReference } from '../core/reference.ts';
import {
  ANNOTATION,
  MEDIA_TYPE,
  type Descriptor,
  type Index,
  type Manifest,
  type Platform,
} from '../oci/image.ts';
import { getBlob, statBlob } from '../store/blobs.ts';
import { alone, findStored, platformsOf, targetOf, type ResolvedImage } from '../store/images.ts';
import { descriptorOf, imageFor } from '../store/platforms.ts';
import { storeIo } from '../store/io.ts';
import { blobFile, gcLockFile } from '../store/layout.ts';
import { withLock } from '../store/lock.ts';
import { parseManifest } from '../store/parse.ts';
import { imageNotFound } from './get.ts';
import { BLANK_FILE } from './layer/entry.ts';
import { TarWriter } from './layer/tar-writer.ts';
import { CONTAINERD_NAME } from './load-oci.ts';
import { logImageEvent } from './log-event.ts';

export const ARCHIVE_FORMATS = ['docker-archive', 'oci-archive'] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

export interface SaveParts {
  paths: Paths;
  signal: AbortSignal;
}

/** One image of the archive and the full references it has there. */
interface Saved {
  image: ResolvedImage;
  /** Of the manifest, or of the index. */
  descriptor: Descriptor;
  /** What old tools get: of this machine's platform. */
  manifest: Manifest;
  /** Everything that it needs: of an index, of the platforms that are in the store. */
  blobs: Digest[];
  references: string[];
}

/**
 * Writes the images, each once, with all the names they were asked for by; an id gives none. Nothing is
 * written before all are found. `write` takes all of each chunk at once. platform: of images of several, this one alone.
 * @throws IMAGE_NOT_FOUND (exit status 1), PLATFORM_NOT_FOUND, STORE_INVALID, IO, CANCELLED
 */
export async function saveImages(
  { paths, signal }: SaveParts,
  names: readonly string[],
  format: ArchiveFormat,
  write: (chunk: Uint8Array) => void,
  platform?: Platform,
): Promise<void> {
  const work = (): void => {
    const saved = collect(paths, names, platform);
    const writer = new ArchiveWriter(paths, write, signal);
    writer.write(saved, format);
    for (const { image } of saved) logImageEvent(paths, image, 'save');
  };
  await withLock(gcLockFile(paths), 'shared', work, { signal });
}

function collect(paths: Paths, names: readonly string[], platform: Platform | undefined): Saved[] {
  const saved = new Map<Digest, Saved>();
  for (const name of names) {
    const found = findStored(paths, name);
    if (found === undefined) throw imageNotFound(name);
    const { by } = found;
    const { reference } = found.image;
    const image = onePlatform(paths, found.image, platform, name);
    const one = saved.get(targetOf(image)) ?? describe(paths, image, name);
    saved.set(targetOf(image), one);
    // A name by digest is no name to load under again.
    if (by === 'name' && !reference.includes('@') && !one.references.includes(reference)) {
      if (reference !== '') one.references.push(reference);
    }
  }
  return [...saved.values()];
}

function onePlatform(
  paths: Paths,
  image: ResolvedImage,
  platform: Platform | undefined,
  name: string,
): ResolvedImage {
  if (platform === undefined) return image;
  const found = imageFor(paths, image, platform);
  if (found !== undefined) return alone(found);
  const offered = platformsOf(paths, image).map((one) => one.platform);
  throw platformNotFound(`saving "${name}"`, platform, offered);
}

function describe(paths: Paths, image: ResolvedImage, name: string): Saved {
  const entry = descriptorOf(paths, image);
  if (entry === undefined) throw imageNotFound(name);
  const { mediaType, digest, size, platform } = entry;
  const descriptor = { mediaType, digest, size, ...(platform === undefined ? {} : { platform }) };
  const manifestOf = ({ manifestDigest }: ResolvedImage): Manifest =>
    parseManifest(getBlob(paths, manifestDigest), `image "${name}"`);
  const blobs = platformsOf(paths, image).flatMap((one): { digest: Digest }[] => {
    const { config, layers } = manifestOf(one);
    return [{ digest: one.manifestDigest }, config, ...layers];
  });
  return {
    ...{ image, descriptor, manifest: manifestOf(image), references: [] },
    blobs: [...new Set([digest, ...blobs.map((blob) => blob.digest)])],
  };
}

class ArchiveWriter {
  readonly #paths: Paths;
  readonly #out: TarWriter;
  readonly #signal: AbortSignal;

  constructor(paths: Paths, write: (chunk: Uint8Array) => void, signal: AbortSignal) {
    this.#paths = paths;
    this.#signal = signal;
    this.#out = new TarWriter(write);
  }

  write(saved: readonly Saved[], format: ArchiveFormat): void {
    this.#directory('blobs');
    this.#directory('blobs/sha256');
    for (const digest of [...new Set(saved.flatMap(({ blobs }) => blobs))].sort()) this.#blob(digest);
    this.#json('index.json', indexOf(saved, format));
    if (format === 'docker-archive') this.#json('manifest.json', saved.map(dockerItem));
    this.#json('oci-layout', { imageLayoutVersion: '1.0.0' });
    this.#out.end();
  }

  #directory(path: string): void {
    this.#out.entry({ ...BLANK_FILE, type: 'dir', path, mode: 0o755 });
  }

  #json(path: string, value: object): void {
    const bytes = Buffer.from(JSON.stringify(value));
    this.#out.entry({ ...BLANK_FILE, path, sizeBytes: bytes.length }, (buffer, offset, length, position) =>
      bytes.copy(buffer, offset, position, position + length),
    );
  }

  #blob(digest: Digest): void {
    const sizeBytes = statBlob(this.#paths, digest);
    const file = blobFile(this.#paths, digest);
    if (sizeBytes === undefined) throw damaged(digest, 'is missing from the store');
    const fd = storeIo('opening', file, () => openSync(file, 'r'));
    const hash = createHash('sha256');
    try {
      this.#out.entry(
        { ...BLANK_FILE, path: `blobs/sha256/${hexOf(digest)}`, sizeBytes },
        (buffer, offset, length, position) => {
          if (this.#signal.aborted) throw new EngineError('CANCELLED', 'saving images: cancelled');
          const got = storeIo('reading', file, () => readSync(fd, buffer, offset, length, position));
          hash.update(buffer.subarray(offset, offset + got));
          return got;
        },
      );
    } finally {
      closeSync(fd);
    }
    if (digestFromHex(hash.digest('hex')) !== digest) throw damaged(digest, 'is damaged');
  }
}

/** One entry a name, as containerd and docker write it; without a name, one with the digest alone. */
function indexOf(saved: readonly Saved[], format: ArchiveFormat): Index {
  const manifests = saved.flatMap(({ descriptor, references }) =>
    references.length === 0
      ? [descriptor]
      : references.map((reference) => ({ ...descriptor, annotations: annotationsOf(reference, format) })),
  );
  return { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
}

/** podman reads the whole name from ref.name, where the spec and docker have the tag alone. */
function annotationsOf(reference: string, format: ArchiveFormat): Record<string, string> {
  const tag = parseReference(reference).tag ?? 'latest';
  return {
    [CONTAINERD_NAME]: reference,
    [ANNOTATION.refName]: format === 'docker-archive' ? tag : reference,
  };
}

function dockerItem({ manifest, references }: Saved): object {
  const path = ({ digest }: Descriptor): string => `blobs/sha256/${hexOf(digest)}`;
  return {
    Config: path(manifest.config),
    RepoTags:
      references.length === 0
        ? null
        : references.map((reference) => formatFamiliar(parseReference(reference))),
    Layers: manifest.layers.map(path),
  };
}

function damaged(digest: Digest, why: string): EngineError {
  return new EngineError('STORE_INVALID', `saving images: blob "${digest}" ${why}`, {
    hint: 'mend the store with "skiff system check --repair"',
  });
}
