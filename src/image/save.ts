// `save`: images as one archive. The default form is docker's of today: an OCI image layout that also has manifest.json, so
// that old and new tools read it. Blobs go in as they are in the store, checked on the way; the same images always give
// the same bytes.

import { createHash } from 'node:crypto';
import { readSync, openSync, closeSync } from 'node:fs';
import { digestFromHex, hexOf, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { Paths } from '../core/paths.ts';
import { formatFamiliar, parseReference } from '../core/reference.ts';
import { ANNOTATION, MEDIA_TYPE, type Descriptor, type Index, type Manifest } from '../spec/image.ts';
import { getBlob, statBlob } from '../store/blobs.ts';
import { findStored, listImages, type ResolvedImage } from '../store/images.ts';
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
  descriptor: Descriptor;
  manifest: Manifest;
  references: string[];
}

/**
 * Writes the images, each once, with all the names they were asked for by; an id gives none. Nothing is
 * written before all are found. `write` takes all of each chunk at once. @throws IMAGE_NOT_FOUND (exit status 1), STORE_INVALID, IO, CANCELLED
 */
export async function saveImages(
  { paths, signal }: SaveParts,
  names: readonly string[],
  format: ArchiveFormat,
  write: (chunk: Uint8Array) => void,
): Promise<void> {
  const work = (): void => {
    const saved = collect(paths, names);
    const writer = new ArchiveWriter(paths, write, signal);
    writer.write(saved, format);
    for (const { image } of saved) logImageEvent(paths, image, 'save');
  };
  await withLock(gcLockFile(paths), 'shared', work, { signal });
}

function collect(paths: Paths, names: readonly string[]): Saved[] {
  const saved = new Map<Digest, Saved>();
  for (const name of names) {
    const found = findStored(paths, name);
    if (found === undefined) throw imageNotFound(name);
    const { image, by } = found;
    const one = saved.get(image.manifestDigest) ?? describe(paths, image, name);
    saved.set(image.manifestDigest, one);
    // A name by digest is no name to load under again.
    if (by === 'name' && !image.reference.includes('@') && !one.references.includes(image.reference)) {
      if (image.reference !== '') one.references.push(image.reference);
    }
  }
  return [...saved.values()];
}

function describe(paths: Paths, image: ResolvedImage, name: string): Saved {
  const entry = listImages(paths).images.find((one) => one.entry.digest === image.manifestDigest)?.entry;
  if (entry === undefined) throw imageNotFound(name);
  const { mediaType, digest, size, platform } = entry;
  const manifest = parseManifest(getBlob(paths, digest), `image "${name}"`);
  const descriptor = { mediaType, digest, size, ...(platform === undefined ? {} : { platform }) };
  return { image, descriptor, manifest, references: [] };
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
    const blobs = new Map<Digest, Descriptor>();
    for (const { descriptor, manifest } of saved) {
      for (const blob of [descriptor, manifest.config, ...manifest.layers]) blobs.set(blob.digest, blob);
    }
    for (const digest of [...blobs.keys()].sort()) this.#blob(digest);
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
