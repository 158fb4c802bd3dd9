// A blob whose digest is known only when all of it is written. Nothing has a name in oci/ before that.

import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { digestFromHex, type Digest } from '../core/digest.ts';
import { fsyncDirectory, writeAll } from '../core/fs.ts';
import { hasBlob } from './blobs.ts';
import { storeIo } from './io.ts';
import { blobFile, blobsDir, tmpDir, type StoreRoot } from './layout.ts';

export class NewBlob {
  readonly #root: StoreRoot;
  readonly #temp: string;
  readonly #hash = createHash('sha256');
  #fd: number | undefined;
  #sizeBytes = 0;

  /** The caller holds gc.lock shared until something refers to the blob. @throws NO_SPACE, IO */
  constructor(root: StoreRoot) {
    this.#root = root;
    // The form of the store's own temp files, so that what a killed process leaves is found and removed.
    this.#temp = `${tmpDir(root)}/.blob-${randomBytes(4).toString('hex')}.${process.pid}.0.tmp`;
    this.#fd = storeIo('making', this.#temp, () => fs.openSync(this.#temp, 'wx', 0o644));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Appends. @throws NO_SPACE, IO */
  write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    storeIo('writing', this.#temp, () => writeAll(this.#fd as number, bytes));
    this.#sizeBytes += bytes.length;
  }

  /** Where another process writes the bytes, hashes them and says what came of it: `commitAs` then, not `write`. */
  get fd(): number {
    return this.#fd as number;
  }

  /** Makes it a blob, durably, unless the store has it already. Once, after the last `write`. */
  commit(): { digest: Digest; size: number; isNew: boolean } {
    return this.commitAs(digestFromHex(this.#hash.digest('hex')), this.#sizeBytes);
  }

  /** As `commit`, with what is known of the bytes. */
  commitAs(digest: Digest, size: number): { digest: Digest; size: number; isNew: boolean } {
    const isNew = !hasBlob(this.#root, { digest, size });
    if (isNew) {
      storeIo('writing', blobFile(this.#root, digest), () => {
        fs.fdatasyncSync(this.#fd as number);
        fs.renameSync(this.#temp, blobFile(this.#root, digest));
        fsyncDirectory(blobsDir(this.#root));
      });
    }
    this.discard();
    return { digest, size, isNew };
  }

  /** Removes what did not become a blob. Idempotent. */
  discard(): void {
    if (this.#fd === undefined) return;
    fs.closeSync(this.#fd);
    fs.rmSync(this.#temp, { force: true });
    this.#fd = undefined;
  }
}
