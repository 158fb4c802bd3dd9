// Where a cache is written to: a registry, or an OCI image layout in a directory. What is there already is not written again,
// and the manifest comes last: whoever reads meanwhile sees the cache of before.

import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { digestFromHex, digestOf, hexOf, type Digest } from '../../core/digest.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { fsyncDirectory, namesIn, writeAll, writeFileAtomic } from '../../core/fs.ts';
import type { ImageReference } from '../../core/reference.ts';
import { blobPath } from '../../image/load-oci.ts';
import type { BlobSource, RegistryClient, UploadOptions, UploadOutcome } from '../../registry/types.ts';
import { ANNOTATION, MEDIA_TYPE, type Descriptor, type Index, type Manifest } from '../../oci/image.ts';
import { isDeadTemp, storeError } from '../../store/io.ts';
import { lock, type Lock } from '../../store/lock.ts';
import { parseIndex } from '../../store/parse.ts';
import { CACHE_CONFIG_TYPE } from './document.ts';

export interface CacheTarget {
  /** Unless it is there. @throws DIGEST_MISMATCH when the source is not what its descriptor says */
  put(source: BlobSource, options?: UploadOptions): Promise<UploadOutcome>;
  /** False: it was as it is. */
  publish(manifest: Manifest): Promise<boolean>;
  /** Undefined: not in a registry. */
  place: { registry: string; repository: string } | undefined;
  close(): void;
}

/** Closes `client` in the end. */
export function registryTarget(ref: ImageReference, client: RegistryClient): CacheTarget {
  return {
    place: ref,
    put: (source, options) => client.uploadBlob(ref, source, options),
    async publish(manifest) {
      const bytes = Buffer.from(JSON.stringify(manifest));
      if ((await digestOfTag(ref, client)) === digestOf(bytes)) return false;
      await client.putManifest(ref, { bytes, mediaType: MEDIA_TYPE.manifest });
      return true;
    },
    close: () => client.close(),
  };
}

async function digestOfTag(ref: ImageReference, client: RegistryClient): Promise<Digest | undefined> {
  try {
    return (await client.resolve(ref)).digest;
  } catch (error) {
    // Nothing there, or something else: it is replaced.
    if (error instanceof EngineError && error.code !== 'CANCELLED') return undefined;
    throw error;
  }
}

/** What the directory's other entries need is left alone; blobs that none of our entries has any more go. */
export class DirectoryTarget implements CacheTarget {
  readonly place = undefined;
  readonly #dir: string;
  readonly #held: Lock;

  private constructor(dir: string, held: Lock) {
    this.#dir = dir;
    this.#held = held;
  }

  /** Waits for others who write to the same directory. @throws IO, NO_SPACE, IMAGE_INVALID, CANCELLED */
  static async open(dir: string, signal: AbortSignal): Promise<DirectoryTarget> {
    writing(dir, () => mkdirSync(`${dir}/blobs/sha256`, { recursive: true }));
    const held = await lock(`${dir}/index.lock`, 'exclusive', { signal }).catch((error: unknown) => {
      throw inContext(dir, error);
    });
    const target = new DirectoryTarget(dir, held);
    try {
      target.#entries(); // refused before anything is written
      return target;
    } catch (error) {
      target.close();
      throw error;
    }
  }

  async put(source: BlobSource, { finish }: UploadOptions = {}): Promise<UploadOutcome> {
    const { descriptor } = source;
    if (descriptor !== undefined && this.#has(descriptor)) return 'present';
    const temp = `${this.#dir}/blobs/sha256/.blob-${randomBytes(4).toString('hex')}.${process.pid}.0.tmp`;
    const fd = writing(temp, () => openSync(temp, 'wx', 0o644));
    try {
      const hash = createHash('sha256');
      for await (const chunk of source.open(0)) {
        hash.update(chunk);
        writing(temp, () => writeAll(fd, chunk));
      }
      const found = digestFromHex(hash.digest('hex'));
      const { digest } = (descriptor ?? finish?.()) as { digest: Digest };
      if (found !== digest)
        throw new EngineError(
          'DIGEST_MISMATCH',
          `exporting the cache to "${this.#dir}": blob "${digest}" has digest ${found}`,
        );
      writing(temp, () => {
        fdatasyncSync(fd);
        renameSync(temp, `${this.#dir}/${blobPath(digest)}`);
      });
      return 'pushed';
    } finally {
      closeSync(fd);
      rmSync(temp, { force: true });
    }
  }

  publish(manifest: Manifest): Promise<boolean> {
    const bytes = Buffer.from(JSON.stringify(manifest));
    const entry: Descriptor = {
      mediaType: MEDIA_TYPE.manifest,
      digest: digestOf(bytes),
      size: bytes.length,
      artifactType: CACHE_CONFIG_TYPE,
      annotations: { [ANNOTATION.refName]: 'latest' },
    };
    const before = this.#entries();
    const isSame = before.some((one) => isOurs(one) && one.digest === entry.digest) && this.#has(entry);
    if (!isSame) {
      writing(this.#dir, () => {
        writeFileAtomic(`${this.#dir}/${blobPath(entry.digest)}`, bytes);
        fsyncDirectory(`${this.#dir}/blobs/sha256`);
        writeFileAtomic(`${this.#dir}/oci-layout`, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
        const manifests = [...before.filter((one) => !isOurs(one)), entry];
        const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
        writeFileAtomic(`${this.#dir}/index.json`, `${JSON.stringify(index)}\n`);
      });
    }
    if (before.every(isOurs)) this.#sweep([entry, manifest.config, ...manifest.layers]);
    return Promise.resolve(!isSame);
  }

  close(): void {
    this.#held.release();
  }

  #has({ digest, size }: { digest: Digest; size: number }): boolean {
    const stat = statSync(`${this.#dir}/${blobPath(digest)}`, { throwIfNoEntry: false });
    return stat?.isFile() === true && stat.size === size;
  }

  /** @throws IMAGE_INVALID when the file is somebody else's */
  #entries(): Descriptor[] {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(`${this.#dir}/index.json`);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      return writing(this.#dir, () => {
        throw error;
      });
    }
    return parseIndex(bytes, `"${this.#dir}/index.json"`).manifests;
  }

  /** The directory would grow with each build otherwise. */
  #sweep(kept: readonly Descriptor[]): void {
    const names = new Set(kept.map(({ digest }) => hexOf(digest)));
    const folder = `${this.#dir}/blobs/sha256`;
    for (const name of namesIn(folder)) {
      const isOld = /^[0-9a-f]{64}$/.test(name) && !names.has(name);
      if (isOld || isDeadTemp(name)) writing(folder, () => rmSync(`${folder}/${name}`, { force: true }));
    }
  }
}

function isOurs({ artifactType }: Descriptor): boolean {
  return artifactType === CACHE_CONFIG_TYPE;
}

function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inContext(path, error);
  }
}

/** The store's own hints do not fit: this is a directory of the user's. */
function inContext(path: string, error: unknown): unknown {
  const cause = error instanceof EngineError && error.code === 'IO' ? error.cause : error;
  const told = storeError('exporting the cache to', path, cause);
  return told instanceof EngineError ? new EngineError(told.code, told.message, { cause }) : told;
}
