// A blob that is arriving: tmp/blobs/<hex>.part, written in order by whoever holds its flock. Killed writers leave their
// bytes for the next one, which goes on at the end of the file. Two processes that want one blob make one download: the
// second waits for the lock and then finds the blob, or takes over.

import * as fs from 'node:fs';
import { promisify } from 'node:util';
import type { Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { fsyncDirectory } from '../core/fs.ts';
import { hasBlob, statBlob } from './blobs.ts';
import { storeError, storeIo } from './io.ts';
import { blobFile, blobsDir, partFile, type StoreRoot } from './layout.ts';
import { waitForFlock } from './lock.ts';

const write = promisify(fs.write);
const fdatasync = promisify(fs.fdatasync);

export interface PartOptions {
  signal?: AbortSignal | undefined;
  /** Somebody else is at it; called about once a second with the bytes that are there. */
  onWait?: ((sizeBytes: number) => void) | undefined;
}

/** The only writer of one part file, until `commit`, `discard` or `close`. */
export class BlobPart {
  readonly path: string;
  /** Bytes written so far, those of earlier writers included. */
  sizeBytes: number;
  readonly #root: StoreRoot;
  readonly #digest: Digest;
  readonly #expectedBytes: number;
  #fd: number | undefined;

  private constructor(
    root: StoreRoot,
    descriptor: { digest: Digest; size: number },
    fd: number,
    sizeBytes: number,
  ) {
    this.#root = root;
    this.#digest = descriptor.digest;
    this.#expectedBytes = descriptor.size;
    this.#fd = fd;
    this.path = partFile(root, descriptor.digest);
    this.sizeBytes = sizeBytes;
  }

  /** Waits for the lock; undefined when the blob is in the store by then. */
  static async open(
    root: StoreRoot,
    descriptor: { digest: Digest; size: number },
    { signal, onWait }: PartOptions = {},
  ): Promise<BlobPart | undefined> {
    const path = partFile(root, descriptor.digest);
    for (;;) {
      if (hasBlob(root, descriptor)) return undefined;
      const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
      const fd = storeIo('opening', path, () => fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o644));
      try {
        await waitForFlock(fd, 'exclusive', { signal, onWait: () => onWait?.(fs.fstatSync(fd).size) });
      } catch (error) {
        fs.closeSync(fd);
        throw error;
      }
      // The file may have become the blob, or been removed, while we waited for it: only the one with the name counts.
      const mine = fs.fstatSync(fd);
      const named = fs.statSync(path, { throwIfNoEntry: false });
      if (named?.ino === mine.ino && !hasBlob(root, descriptor)) {
        if (mine.size > descriptor.size) fs.ftruncateSync(fd, 0);
        return new BlobPart(root, descriptor, fd, mine.size > descriptor.size ? 0 : mine.size);
      }
      if (named?.ino === mine.ino) fs.rmSync(path, { force: true });
      fs.closeSync(fd);
    }
  }

  /** Appends. @throws NO_SPACE, IO */
  async write(chunk: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < chunk.length) {
        const { bytesWritten } = await write(this.#open(), chunk, done, chunk.length - done, this.sizeBytes);
        done += bytesWritten;
        this.sizeBytes += bytesWritten;
      }
    } catch (error) {
      throw storeError('writing', this.path, error, this.#expectedBytes - this.sizeBytes);
    }
  }

  /** Bytes [offset, offset+length) that were written already; fewer at the end of the file. */
  async read(buffer: Uint8Array, offset: number): Promise<number> {
    return await new Promise((resolve, reject) => {
      fs.read(this.#open(), buffer, 0, buffer.length, offset, (error, bytesRead) =>
        error === null ? resolve(bytesRead) : reject(storeError('reading', this.path, error) as Error),
      );
    });
  }

  /** Starts again from nothing. */
  truncate(): void {
    storeIo('truncating', this.path, () => fs.ftruncateSync(this.#open(), 0));
    this.sizeBytes = 0;
  }

  /** Makes it the blob, durably. The caller has checked digest and size. Readers of `path` go on reading the same file. */
  async commit(): Promise<void> {
    const fd = this.#open();
    const target = blobFile(this.#root, this.#digest);
    try {
      await fdatasync(fd);
      fs.renameSync(this.path, target);
      fsyncDirectory(blobsDir(this.#root));
    } catch (error) {
      throw storeError('writing', target, error);
    } finally {
      this.close();
    }
  }

  /** Removes it: its bytes are wrong. */
  discard(): void {
    fs.rmSync(this.path, { force: true });
    this.close();
  }

  /** Leaves the bytes, if any, for whoever goes on. Idempotent. */
  close(): void {
    if (this.#fd === undefined) return;
    if (this.sizeBytes === 0) fs.rmSync(this.path, { force: true });
    fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    if (this.#fd === undefined) throw new EngineError('IO', `using "${this.path}": it is closed`);
    return this.#fd;
  }
}

/** Bytes of a blob that need not be fetched again: all of it, or what an earlier download left. */
export function bytesAtHand(root: StoreRoot, digest: Digest): number {
  const size = statBlob(root, digest);
  if (size !== undefined) return size;
  try {
    return fs.statSync(partFile(root, digest)).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
