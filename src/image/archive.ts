// The files of an image archive (docker save, oci-archive), taken from a tar stream whose order is unknown: each file goes
// straight into the store as a blob, since nearly all of them are blobs of the image, and the rest is forgotten afterwards.
// Nothing is ever written under a name of the archive.

import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { readBlob } from '../store/blobs.ts';
import type { StoreRoot } from '../store/layout.ts';
import { NewBlob } from '../store/new-blob.ts';
import { decompressed } from './layer/decompress.ts';
import type { EntrySink, TarEntry } from './layer/entry.ts';
import { TarReader } from './layer/tar.ts';

/** An archive of more entries than this is no image. */
const MAX_ENTRIES = 100_000;
const MAX_LINKS = 8;
const START_BYTES = 16;
/** What the tar of a whole root file system has and no archive of images. */
const OF_A_ROOT =
  /^(?:bin|boot|dev|etc|home|lib|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)\/./;

export interface ArchivedFile {
  digest: Digest;
  size: number;
  /** Its first bytes, which tell how it is compressed. */
  start: Uint8Array;
}

/** What was in the archive. The files themselves are in the store, by their digests. */
export class Archive {
  readonly #root: StoreRoot;
  readonly #files = new Map<string, ArchivedFile>();
  readonly #links = new Map<string, string>();
  /** Gets the blobs that were not there before. */
  readonly #added: Set<Digest>;

  constructor(root: StoreRoot, added: Set<Digest>) {
    this.#root = root;
    this.#added = added;
  }

  /** Links of the archive are followed inside it. */
  find(path: string): ArchivedFile | undefined {
    let at = normalize(path);
    for (let i = 0; i <= MAX_LINKS; i++) {
      const target = this.#links.get(at);
      if (target === undefined) return this.#files.get(at);
      at = target;
    }
    return undefined;
  }

  /** Content of a small file. @throws IMAGE_INVALID when it is larger than `limit` */
  read(path: string, limit: number): Uint8Array | undefined {
    const file = this.find(path);
    if (file === undefined) return undefined;
    if (file.size > limit)
      throw new EngineError('IMAGE_INVALID', `${JSON.stringify(path)} has ${file.size} bytes`);
    return readBlob(this.#root, file.digest);
  }

  addLink(path: string, target: string): void {
    this.#links.set(normalize(path), normalize(target));
  }

  addFile(path: string, file: ArchivedFile, isNew: boolean): void {
    this.#links.delete(normalize(path));
    this.#files.set(normalize(path), file);
    if (isNew) this.#added.add(file.digest);
  }
}

/**
 * Reads the whole archive, compressed or not. The caller holds gc.lock shared, so that the new blobs stay.
 * what: the archive, for messages; added: gets the blobs that are new in the store, also on failure. @throws IMAGE_INVALID, NO_SPACE, IO, CANCELLED
 */
export async function readArchive(
  root: StoreRoot,
  input: Readable,
  what: string,
  signal: AbortSignal,
  added: Set<Digest>,
): Promise<Archive> {
  const archive = new Archive(root, added);
  const sink = new BlobSink(root, archive, what);
  const reader = new TarReader(sink);
  try {
    for await (const chunk of decompressed(input)) {
      if (signal.aborted) throw new EngineError('CANCELLED', `loading ${what}: cancelled`);
      reader.push(chunk);
    }
    reader.end();
    return archive;
  } catch (error) {
    if (!(error instanceof EngineError) || !error.code.startsWith('LAYER_')) throw error;
    throw new EngineError('IMAGE_INVALID', `loading ${what}: not an image archive`, {
      cause: error,
      hint: 'it must be what "docker save", "podman save" or "skopeo copy" write: a docker archive or an OCI archive',
    });
  } finally {
    sink.close();
  }
}

/** Where links and names of an archive point, seen from its top; ".." stops there. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

interface Open {
  path: string;
  blob: NewBlob;
  start: Buffer;
}

class BlobSink implements EntrySink {
  readonly #root: StoreRoot;
  readonly #archive: Archive;
  /** The archive, for messages. */
  readonly #what: string;
  #open: Open | undefined;
  #entries = 0;

  constructor(root: StoreRoot, archive: Archive, what: string) {
    this.#root = root;
    this.#archive = archive;
    this.#what = what;
  }

  wholeFile(entry: TarEntry, chunk: Uint8Array, offset: number): void {
    this.beginFile(entry);
    if (entry.sizeBytes > 0) this.data(chunk, offset, entry.sizeBytes);
    this.endFile();
  }

  beginFile(entry: TarEntry): void {
    this.#count();
    if (entry.extents !== undefined)
      throw new EngineError('LAYER_INVALID', 'the archive holds a sparse file');
    const path = Buffer.from(entry.path, 'latin1').toString();
    this.#refuseRoot(path);
    this.#open = { path, blob: new NewBlob(this.#root), start: Buffer.alloc(0) };
  }

  data(chunk: Uint8Array, offset: number, length: number): void {
    const open = this.#open as Open;
    const bytes = chunk.subarray(offset, offset + length);
    if (open.start.length < START_BYTES) {
      open.start = Buffer.concat([open.start, bytes.subarray(0, START_BYTES - open.start.length)]);
    }
    open.blob.write(bytes);
  }

  endFile(): void {
    const { path, blob, start } = this.#open as Open;
    const { digest, size, isNew } = blob.commit();
    this.#open = undefined;
    this.#archive.addFile(path, { digest, size, start }, isNew);
  }

  other(entry: TarEntry): void {
    this.#count();
    const path = Buffer.from(entry.path, 'latin1').toString();
    const target = Buffer.from(entry.linkPath, 'latin1').toString();
    if (entry.type === 'link') this.#archive.addLink(path, target);
    if (entry.type === 'symlink')
      this.#archive.addLink(path, `${path.slice(0, path.lastIndexOf('/') + 1)}${target}`);
  }

  /** Ends the file in hand, if any; its temp file goes unless it became a blob. */
  close(): void {
    this.#open?.blob.discard();
    this.#open = undefined;
  }

  /** At once, and not after each of its files has become a blob. */
  #refuseRoot(path: string): void {
    if (!OF_A_ROOT.test(normalize(path))) return;
    throw new EngineError(
      'IMAGE_INVALID',
      `loading ${this.#what}: not an image archive: it holds ${JSON.stringify(path)}, as a root file system does`,
      { hint: '"skiff import" makes an image of a root file system' },
    );
  }

  #count(): void {
    if (++this.#entries > MAX_ENTRIES) {
      throw new EngineError('LAYER_INVALID', `the archive has more than ${MAX_ENTRIES} entries`);
    }
  }
}
