// Where a cache is read from: a registry, or an OCI image layout in a directory. Both give bytes; what they are is for
// imports.ts to find out.

import { closeSync, constants, createReadStream, fstatSync, openSync, readFileSync } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { digestOf, type Digest } from '../../core/digest.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import type { ImageReference } from '../../core/reference.ts';
import type { FetchBlob } from '../../image/download.ts';
import { blobPath } from '../../image/load-oci.ts';
import type { RegistryClient } from '../../registry/types.ts';
import type { Descriptor } from '../../oci/image.ts';
import { storeIo } from '../../store/io.ts';
import { MAX_MANIFEST_BYTES } from '../../store/parse.ts';

export interface CacheOrigin {
  /** A manifest, or an index of some. @throws IMAGE_NOT_FOUND where there is nothing; what keeps it from being read */
  top(): Promise<Uint8Array>;
  /** A manifest that an index names, checked against its digest. */
  manifest(digest: Digest): Promise<Uint8Array>;
  /** A small blob, checked against its digest. */
  config(blob: Descriptor): Promise<Uint8Array>;
  fetch: FetchBlob;
}

/**
 * @param small for manifests and configs, which the start of a build waits for
 * @param large for layers
 */
export function registryOrigin(
  ref: ImageReference,
  small: RegistryClient,
  large: () => RegistryClient,
): CacheOrigin {
  const { registry, repository } = ref;
  return {
    top: async () => (await small.fetchManifest(ref)).bytes,
    manifest: async (digest) => (await small.fetchManifest({ registry, repository, digest })).bytes,
    config: (blob) => small.fetchBlobBytes(ref, blob),
    fetch: async (blob, { offset, signal, again }) =>
      (await large().fetchBlob(ref, blob, { offset, signal, skipMirrors: again })).body,
  };
}

export function directoryOrigin(dir: string): CacheOrigin {
  const small = (path: string, digest: Digest | undefined): Promise<Uint8Array> => {
    const bytes = readSmall(dir, path);
    if (digest === undefined || digestOf(bytes) === digest) return Promise.resolve(bytes);
    throw new EngineError('DIGEST_MISMATCH', `reading "${dir}/${path}": its content is damaged`);
  };
  return {
    top: () => Promise.resolve().then(() => small('index.json', undefined)),
    manifest: (digest) => Promise.resolve().then(() => small(blobPath(digest), digest)),
    config: ({ digest }) => Promise.resolve().then(() => small(blobPath(digest), digest)),
    fetch: (blob, { offset }) => Promise.resolve().then(() => streamFrom(dir, blob, offset)),
  };
}

const MAX_SMALL_BYTES = MAX_MANIFEST_BYTES * 4;

function readSmall(dir: string, path: string): Uint8Array {
  const { fd, size } = openFile(dir, path);
  try {
    if (size > MAX_SMALL_BYTES)
      throw new EngineError(
        'IMAGE_INVALID',
        `reading "${dir}/${path}": it has ${size} bytes, which are too many`,
      );
    return storeIo('reading', `${dir}/${path}`, () => readFileSync(fd));
  } finally {
    closeSync(fd);
  }
}

function streamFrom(dir: string, blob: Descriptor, offset: number): AsyncIterable<Uint8Array> {
  const path = blobPath(blob.digest);
  const { fd, size } = openFile(dir, path);
  if (size === blob.size) return createReadStream('', { fd, start: offset, highWaterMark: 1 << 20 });
  closeSync(fd);
  throw new EngineError(
    'SIZE_MISMATCH',
    `reading "${dir}/${path}": it has ${size} bytes, its manifest says ${blob.size}`,
  );
}

/** A fifo that somebody put there must not hold the build up. */
function openFile(dir: string, path: string): { fd: number; size: number } {
  const full = `${dir}/${path}`;
  let fd: number;
  try {
    fd = openSync(encodeBytes(full), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      throw new EngineError('IMAGE_NOT_FOUND', `reading "${full}": no such file`, { cause: error });
    return storeIo('reading', full, () => {
      throw error;
    });
  }
  const stat = fstatSync(fd);
  if (stat.isFile()) return { fd, size: stat.size };
  closeSync(fd);
  throw new EngineError('IMAGE_INVALID', `reading "${full}": it is not a file`);
}
