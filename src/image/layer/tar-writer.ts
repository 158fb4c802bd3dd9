// Tar entries and their content to a stream of large chunks. Content is read straight into the chunk that goes out, so
// each byte is copied once. tar.ts is the other direction.

import type { TarEntry } from './entry.ts';
import { encodeEntry, paddingOf } from './encode-entry.ts';

const CHUNK_BYTES = 1 << 20;
/** Two blocks of zeros end an archive. */
const END_BYTES = 1024;

/** Puts up to `length` bytes of the content into `buffer` at `offset`; the place in the content is `position`. */
export type ReadContent = (buffer: Buffer, offset: number, length: number, position: number) => number;

export class TarWriter {
  readonly #write: (chunk: Uint8Array) => void;
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #used = 0;

  /** `write` takes all of the chunk before it returns: its memory is used again. */
  constructor(write: (chunk: Uint8Array) => void) {
    this.#write = write;
  }

  /**
   * One entry. `read` is called for files alone, in order, until all content is there; a content that ends early is filled
   * up with zeros, since its size was said already.
   * @returns whether the content was whole
   */
  entry(entry: TarEntry, read?: ReadContent): boolean {
    const { head, storedBytes } = encodeEntry(entry);
    this.bytes(head);
    if (entry.type !== 'file' || storedBytes === 0) return true;
    let whole = true;
    for (const { offset, length } of entry.extents ?? [{ offset: 0, length: storedBytes }]) {
      whole = this.#content(offset, length, read) && whole;
    }
    this.#zeros(paddingOf(storedBytes));
    return whole;
  }

  bytes(data: Uint8Array): void {
    for (let done = 0; done < data.length;) {
      const part = data.subarray(done, done + this.#room());
      this.#buffer.set(part, this.#used);
      this.#used += part.length;
      done += part.length;
    }
  }

  /** Ends the archive. */
  end(): void {
    this.#zeros(END_BYTES);
    this.#flush();
  }

  #content(from: number, length: number, read: ReadContent | undefined): boolean {
    for (let done = 0; done < length;) {
      const room = Math.min(this.#room(), length - done);
      const got = read?.(this.#buffer, this.#used, room, from + done) ?? 0;
      if (got === 0) {
        this.#zeros(length - done);
        return false;
      }
      this.#used += got;
      done += got;
    }
    return true;
  }

  #zeros(count: number): void {
    for (let left = count; left > 0;) {
      const part = Math.min(left, this.#room());
      this.#buffer.fill(0, this.#used, this.#used + part);
      this.#used += part;
      left -= part;
    }
  }

  /** Free bytes at the end of the buffer: never none. */
  #room(): number {
    if (this.#used === CHUNK_BYTES) this.#flush();
    return CHUNK_BYTES - this.#used;
  }

  #flush(): void {
    if (this.#used > 0) this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}
