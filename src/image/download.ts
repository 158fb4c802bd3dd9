// A blob on its way into the store. Its bytes can be read while they arrive, from the part file, so that unpacking
// starts at once, a slow unpacker never holds up the download, and a resumed download looks like any other.

import { createHash, type Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { digestFromHex, type Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Descriptor } from '../oci/image.ts';
import { blobFile, type StoreRoot } from '../store/layout.ts';
import { BlobPart } from '../store/part.ts';
import type { LayerState } from './events.ts';
import type { LayerSource } from './unpack-layers.ts';
import { readRange } from './read-range.ts';

const READ_BYTES = 1 << 20;
const EVENT_PERIOD_MS = 100;

export interface FetchOptions {
  /** First byte wanted. */
  offset: number;
  signal: AbortSignal;
  /** What came before had the wrong digest: ask the origin itself. */
  again: boolean;
}

/** Where missing blobs come from: a registry, or an archive. Resolves to exactly the bytes from `offset` on. */
export type FetchBlob = (blob: Descriptor, options: FetchOptions) => Promise<AsyncIterable<Uint8Array>>;

export interface DownloadOptions {
  fetch: FetchBlob;
  signal: AbortSignal;
  /** First words of errors: `pulling "alpine:3"`. */
  doing: string;
  /** Waits for a turn; resolves to what ends it. */
  slot?: () => Promise<() => void>;
  onState?: (state: LayerState, doneBytes: number) => void;
}

/** One blob being downloaded by this process or by another; starts at once. */
export class Download {
  readonly blob: Descriptor;
  /** Settles when the blob is in the store with the right digest, or with why not. Never unhandled. */
  readonly done: Promise<void>;
  readonly #root: StoreRoot;
  readonly #options: DownloadOptions;
  #path: string | undefined;
  #availableBytes = 0;
  #failure: { error: unknown } | undefined;
  #finished = false;
  /** Grows by one with each restart from nothing: readers of the discarded bytes must start again too. */
  #generation = 0;
  #wake: (() => void)[] = [];
  #reportTimer: NodeJS.Timeout | undefined;

  constructor(root: StoreRoot, blob: Descriptor, options: DownloadOptions) {
    this.#root = root;
    this.blob = blob;
    this.#options = options;
    this.done = this.#takeTurn().then(
      () => this.#finish(undefined),
      (error: unknown) => {
        this.#finish({ error });
        throw error;
      },
    );
    this.done.catch(() => undefined);
  }

  /** The blob's file when it is complete, else its bytes while they arrive. */
  source(): LayerSource {
    const complete = this.#finished && this.#failure === undefined;
    const generation = this.#generation;
    return complete
      ? { file: blobFile(this.#root, this.blob.digest) }
      : { bytes: this.bytes(), restarted: () => this.#generation !== generation };
  }

  /**
   * The blob's bytes from the first, as they arrive. Not verified: wait for `done` before trusting what was made of them.
   * Throws what the download failed with, or DIGEST_MISMATCH when it had to start again after bytes were handed out.
   */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#path === undefined && !this.#finished) await this.#progress();
    this.#throwFailure();
    const generation = this.#generation;
    const file = await this.#openFile();
    try {
      for (let offset = 0; offset < this.blob.size;) {
        while (this.#availableBytes <= offset && !this.#finished && this.#generation === generation)
          await this.#progress();
        this.#throwFailure();
        if (this.#generation !== generation) throw new RestartedError(this.#options.doing, this.blob.digest);
        const length = Math.min(READ_BYTES, this.#availableBytes - offset);
        const chunk = await readRange(file, offset, length);
        offset += chunk.length;
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  /** The part file, or the blob it has become a moment ago. */
  async #openFile(): Promise<fs.promises.FileHandle> {
    try {
      return await fs.promises.open(this.#path as string, 'r');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return await fs.promises.open(blobFile(this.#root, this.blob.digest), 'r');
    }
  }

  async #takeTurn(): Promise<void> {
    const end = await this.#options.slot?.();
    try {
      await this.#run();
    } finally {
      end?.();
    }
  }

  async #run(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const part = await BlobPart.open(this.#root, this.blob, {
        signal: this.#options.signal,
        onWait: (sizeBytes) => this.#options.onState?.('waiting', sizeBytes),
      });
      if (part === undefined) {
        this.#advance(blobFile(this.#root, this.blob.digest), this.blob.size);
        return;
      }
      const resumed = part.sizeBytes > 0;
      try {
        await this.#receive(part, attempt > 0);
        return;
      } catch (error) {
        part.close();
        // The wrong bytes may have been there from an earlier, broken run, or come from a mirror: once more, all of it.
        if (attempt > 0 || !(error instanceof WrongContentError)) throw error;
        if (!resumed && error.code !== 'DIGEST_MISMATCH') throw error;
        this.#restart();
      }
    }
  }

  async #receive(part: BlobPart, again: boolean): Promise<void> {
    const hash = createHash('sha256');
    this.#advance(part.path, part.sizeBytes);
    this.#options.onState?.('downloading', part.sizeBytes);
    await hashPrefix(part, hash);
    if (part.sizeBytes < this.blob.size) {
      const { signal } = this.#options;
      const chunks = await this.#options.fetch(this.blob, { offset: part.sizeBytes, signal, again });
      for await (const chunk of chunks) {
        if (signal.aborted) throw new EngineError('CANCELLED', `${this.#options.doing}: cancelled`);
        if (part.sizeBytes + chunk.length > this.blob.size)
          this.#reject(part, 'SIZE_MISMATCH', 'it is longer');
        hash.update(chunk);
        await part.write(chunk);
        this.#advance(part.path, part.sizeBytes);
        this.#report();
      }
      if (part.sizeBytes < this.blob.size) {
        // The client mends broken connections; an answer that ends early and well is the registry's word.
        throw new EngineError(
          'SIZE_MISMATCH',
          this.#text(`it ends after ${part.sizeBytes} of ${this.blob.size} bytes`),
        );
      }
    }
    const found = digestFromHex(hash.digest('hex'));
    if (found !== this.blob.digest) this.#reject(part, 'DIGEST_MISMATCH', `its content has digest ${found}`);
    await part.commit();
    this.#options.onState?.('downloaded', this.blob.size);
  }

  #reject(part: BlobPart, code: 'SIZE_MISMATCH' | 'DIGEST_MISMATCH', cause: string): never {
    part.discard();
    throw new WrongContentError(code, this.#text(cause));
  }

  #text(cause: string): string {
    return `${this.#options.doing}: blob "${this.blob.digest}" of ${this.blob.size} bytes: ${cause}`;
  }

  /** Often enough to watch, and never silent about the last bytes before a pause. */
  #report(): void {
    if (this.#reportTimer !== undefined) return;
    this.#reportTimer = setTimeout(() => {
      this.#reportTimer = undefined;
      if (!this.#finished) this.#options.onState?.('downloading', this.#availableBytes);
    }, EVENT_PERIOD_MS);
    this.#reportTimer.unref();
  }

  #advance(path: string, availableBytes: number): void {
    this.#path = path;
    this.#availableBytes = availableBytes;
    this.#notify();
  }

  #restart(): void {
    this.#generation++;
    this.#path = undefined;
    this.#availableBytes = 0;
    this.#notify();
  }

  #finish(failure: { error: unknown } | undefined): void {
    this.#finished = true;
    clearTimeout(this.#reportTimer);
    this.#failure = failure;
    this.#notify();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

/** The bytes are not what the descriptor says. */
class WrongContentError extends EngineError {
  constructor(code: 'SIZE_MISMATCH' | 'DIGEST_MISMATCH', message: string) {
    super(code, message, {
      hint: 'the registry, a mirror or a proxy on the way sends wrong data; try again later',
    });
  }
}

/** Bytes were handed out that had to be thrown away: begin again with `bytes()`. */
class RestartedError extends EngineError {
  constructor(doing: string, digest: Digest) {
    super('DIGEST_MISMATCH', `${doing}: blob "${digest}": its download had to start again`);
  }
}

async function hashPrefix(part: BlobPart, hash: Hash): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  for (let offset = 0; offset < part.sizeBytes;) {
    const length = await part.read(buffer, offset);
    if (length === 0) throw new EngineError('IO', `reading "${part.path}": it got shorter`);
    hash.update(buffer.subarray(0, length));
    offset += length;
  }
}
