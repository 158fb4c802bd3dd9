// Reading the event log while others write and rotate it (native/common/event_file.h). Who opened a file before it was
// renamed may still add a line to it afterwards, so every file is read as long as it has one of the names.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { storeError } from './io.ts';

/** kEventFiles of event_file.h. */
const EVENT_FILES = 4;
const CHUNK = 256 * 1024;

interface OpenFile {
  fd: number;
  inode: number;
  position: number;
  /** What has no newline yet: it is being written, or was cut off. */
  rest: Buffer;
}

export class EventFiles {
  readonly #path: string;
  /** Oldest first. */
  #files: OpenFile[] = [];
  readonly #chunk = Buffer.allocUnsafe(CHUNK);

  /** path: of the current file, which need not be there yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The lines that are new since the last call, each once; those of one writer in the order in which it wrote them. So the
   * newest file's end is looked up first: what was written before that, to an older file, is there when that is read.
   */
  *lines(): Generator<string> {
    const gone = this.#update();
    try {
      const ends = [...gone, ...this.#files]
        .reverse()
        .map((file) => ({ file, end: fstatSync(file.fd).size }));
      for (const { file, end } of ends.reverse()) yield* this.#linesOf(file, end);
    } finally {
      for (const { fd } of gone) closeSync(fd);
    }
  }

  close(): void {
    for (const { fd } of this.#files.splice(0)) closeSync(fd);
  }

  /** Opens what is new; returns the files that have no name any more and are to be read for the last time. */
  #update(): OpenFile[] {
    if (this.#files.length > 0 && this.#inodeAt(0) === this.#files.at(-1)?.inode) return [];
    const named: OpenFile[] = [];
    // From the newest on: a file that is renamed meanwhile has moved to where we still look.
    for (let n = 0; n < EVENT_FILES; n++) {
      const inode = this.#inodeAt(n);
      if (inode === undefined || named.some((file) => file.inode === inode)) continue;
      const file = this.#files.find((known) => known.inode === inode) ?? this.#open(n, named);
      if (file !== undefined) named.unshift(file);
    }
    const gone = this.#files.filter((file) => !named.includes(file));
    this.#files = named;
    return gone;
  }

  #open(n: number, named: readonly OpenFile[]): OpenFile | undefined {
    let fd: number;
    try {
      fd = openSync(this.#name(n), 'r');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw storeError('reading', this.#name(n), error);
    }
    const inode = fstatSync(fd).ino;
    // Renamed between the look and now.
    if ([...named, ...this.#files].some((file) => file.inode === inode)) {
      closeSync(fd);
      return undefined;
    }
    return { fd, inode, position: 0, rest: Buffer.alloc(0) };
  }

  *#linesOf(file: OpenFile, upTo: number): Generator<string> {
    while (file.position < upTo) {
      const length = Math.min(CHUNK, upTo - file.position);
      const count = readSync(file.fd, this.#chunk, 0, length, file.position);
      if (count === 0) return;
      file.position += count;
      const bytes = Buffer.concat([file.rest, this.#chunk.subarray(0, count)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      file.rest = bytes.subarray(end);
      for (const line of bytes.toString('utf8', 0, end).split('\n')) if (line !== '') yield line;
    }
  }

  #name(n: number): string {
    return n === 0 ? this.#path : `${this.#path}.${n}`;
  }

  #inodeAt(n: number): number | undefined {
    return statSync(this.#name(n), { throwIfNoEntry: false })?.ino;
  }
}
