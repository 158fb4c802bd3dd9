// The files of one log, oldest first, followed through rotation: `log` is renamed to `log.1`, `log.1` to `log.2` … by the
// helper (json_log.cc). Whoever has a file open finds the one that came after it by where its name has gone.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../../core/errors.ts';

const CHUNK = 256 * 1024;

/** Complete lines in order, each once. */
export class LogFiles {
  readonly #path: string;
  readonly #maxFiles: number;
  #fd: number | undefined;
  #inode = 0;
  #position = 0;
  #rest = Buffer.alloc(0);
  #chunk = Buffer.allocUnsafe(CHUNK);

  /** path: of the current file; maxFiles: how many there can be. Opens the oldest. */
  constructor(path: string, maxFiles: number) {
    this.#path = path;
    this.#maxFiles = maxFiles;
    this.#open(this.#oldest());
  }

  /** The lines of the next chunk; undefined when there is no more for now. */
  next(): string[] | undefined {
    if (this.#fd === undefined) this.#open(this.#oldest()); // nothing had been written yet
    if (this.#fd === undefined) return undefined;
    // Asked before the read: once another file has the name, nothing is added to ours.
    const isComplete = this.#inodeAt(0) !== this.#inode;
    const count = readSync(this.#fd, this.#chunk, 0, CHUNK, this.#position);
    if (count > 0) return this.#split(this.#chunk.subarray(0, count));
    if (!isComplete || !this.#openSuccessor()) return undefined;
    return this.next();
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #split(bytes: Buffer): string[] {
    this.#position += bytes.length;
    const last = bytes.lastIndexOf(0x0a);
    if (last < 0) {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      return [];
    }
    const lines = Buffer.concat([this.#rest, bytes.subarray(0, last)])
      .toString('utf8')
      .split('\n');
    this.#rest = Buffer.from(bytes.subarray(last + 1));
    return lines;
  }

  #name(i: number): string {
    return i === 0 ? this.#path : `${this.#path}.${i}`;
  }

  #inodeAt(i: number): number | undefined {
    return statSync(this.#name(i), { throwIfNoEntry: false })?.ino;
  }

  #oldest(): number {
    for (let i = this.#maxFiles - 1; i > 0; i--) if (this.#inodeAt(i) !== undefined) return i;
    return 0;
  }

  #open(i: number): boolean {
    let fd: number;
    try {
      fd = openSync(this.#name(i), 'r');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
    this.close();
    this.#fd = fd;
    this.#inode = fstatSync(fd).ino;
    this.#position = 0;
    this.#rest = Buffer.alloc(0);
    return true;
  }

  #openSuccessor(): boolean {
    // The writer may rename while we look: then it is looked again, and it can only have moved on so often.
    for (let attempt = 0; attempt < 100; attempt++) {
      const mine = this.#find();
      // Already deleted, if there are so few files or we are so slow: goes on with what is left.
      if (mine === undefined) return this.#open(this.#oldest());
      const before = this.#inode;
      const position = this.#position;
      if (mine === 0) return false;
      if (!this.#open(mine - 1)) continue;
      if (this.#inodeAt(mine) === before) return true;
      // What we have opened is not what came next.
      if (!this.#reopen(before, position)) return true;
    }
    return false;
  }

  #find(): number | undefined {
    for (let i = 0; i < this.#maxFiles; i++) if (this.#inodeAt(i) === this.#inode) return i;
    return undefined;
  }

  #reopen(inode: number, position: number): boolean {
    const opened = this.#inode;
    this.#inode = inode;
    const at = this.#find();
    if (at !== undefined && this.#open(at) && this.#inode === inode) {
      this.#position = position;
      return true;
    }
    this.#inode = opened;
    return false;
  }
}
