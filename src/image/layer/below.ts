// The entries of one tar as those of another, all below one folder.

import type { ByteString, EntrySink, TarEntry } from './entry.ts';
import { encodeEntry, paddingOf } from './encode-entry.ts';
import type { TarWriter } from './tar-writer.ts';

/** What our own packer wrote: paths within, and hard links to such. */
export class EntriesBelow implements EntrySink {
  readonly #folder: ByteString;
  readonly #out: TarWriter;
  #padding = 0;

  constructor(folder: ByteString, out: TarWriter) {
    this.#folder = folder;
    this.#out = out;
  }

  wholeFile(entry: TarEntry, chunk: Uint8Array, offset: number): void {
    this.beginFile(entry);
    this.data(chunk, offset, entry.sizeBytes);
    this.endFile();
  }

  beginFile(entry: TarEntry): void {
    const { head, storedBytes } = encodeEntry(this.#moved(entry));
    this.#out.bytes(head);
    this.#padding = paddingOf(storedBytes);
  }

  data(chunk: Uint8Array, offset: number, length: number): void {
    this.#out.bytes(chunk.subarray(offset, offset + length));
  }

  endFile(): void {
    this.#out.bytes(new Uint8Array(this.#padding));
  }

  other(entry: TarEntry): void {
    this.#out.bytes(encodeEntry(this.#moved(entry)).head);
  }

  #moved(entry: TarEntry): TarEntry {
    // encodeEntry puts the slash of a directory there again.
    const path = `${this.#folder}/${entry.path.replace(/\/$/, '')}`;
    return entry.type === 'link'
      ? { ...entry, path, linkPath: `${this.#folder}/${entry.linkPath}` }
      : { ...entry, path };
  }
}
