// Stops an unpack before the disk is full. A full disk hurts everybody on the machine, so some room is left, and a bomb is
// stopped by what it would write, not by how well it was compressed.

import { EngineError } from '../../core/errors.ts';
import type { Space } from '../../native/addon.ts';

const CHECK_EVERY_BYTES = 32 << 20;
const CHECK_EVERY_FILES = 2048;
const MAX_RESERVE_BYTES = 256 << 20;
/** What a small file takes at least. */
const FILE_COST_BYTES = 4096;

export class SpaceGuard {
  readonly #measure: () => Space;
  #allowedBytes = 0;
  #allowedFiles = 0;
  #nextBytes = 0;
  #nextFiles = 0;

  /** @param measure looks at the file system anew */
  constructor(measure: () => Space) {
    this.#measure = measure;
    this.#look();
  }

  /** One more file, which will take `bytes`. @throws NO_SPACE before it is written */
  file(bytes: number): void {
    const cost = bytes + FILE_COST_BYTES;
    if (cost > this.#nextBytes || this.#nextFiles < 1) this.#look();
    if (cost > this.#allowedBytes || this.#allowedFiles < 1) this.#refuse(cost);
    this.#nextBytes -= cost;
    this.#allowedBytes -= cost;
    this.#nextFiles--;
    this.#allowedFiles--;
  }

  #look(): void {
    const { sizeBytes, availableBytes, files, freeFiles } = this.#measure();
    // Part of the disk, so that small file systems are of use too.
    this.#allowedBytes = availableBytes - Math.min(MAX_RESERVE_BYTES, sizeBytes / 50);
    this.#allowedFiles = files === 0 ? Infinity : freeFiles - Math.min(10_000, files / 50);
    this.#nextBytes = Math.min(CHECK_EVERY_BYTES, this.#allowedBytes);
    this.#nextFiles = Math.min(CHECK_EVERY_FILES, this.#allowedFiles);
  }

  #refuse(bytes: number): never {
    const what =
      this.#allowedFiles < 1 ? 'no inodes are left' : `${Math.ceil(bytes / 1e6)} MB more would fill the disk`;
    throw new EngineError('NO_SPACE', `unpacking a layer: ${what}`, {
      hint: 'free some space (skiff system prune) or put the store elsewhere (--root, SKIFF_ROOT)',
    });
  }
}
