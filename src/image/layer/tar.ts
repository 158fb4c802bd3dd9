// Reads a layer's tar from chunks and calls a sink. Header blocks are decoded by header.ts; this file is the frame:
// which bytes are headers, metadata, content or padding. Hostile input: every size is bounded before it is believed.

import { EngineError } from '../../core/errors.ts';
import { showPath, type EntrySink, type Extent, type TarEntry } from './entry.ts';
import { BLOCK, decodeHeader, isZeroBlock, toEntry, type RawHeader } from './header.ts';
import { parsePax, type PaxRecords } from './pax.ts';
import { checkExtents, oldGnuRealSize, MapReader, readOldGnuMap, sparseFromPax } from './sparse.ts';

/** Go's limit, which docker's and podman's archives live with, for a pax header or a GNU long name. */
const MAX_META_BYTES = 1 << 20;
/** All metadata together, and all headers: more than any image has, and what a bomb of empty entries is stopped by. */
const MAX_ALL_META_BYTES = 2 ** 32;
const MAX_HEADERS = 20_000_000;
/**
 * Bytes that end nowhere: after the end of the archive (a tape block's padding is 10 KiB), or said to be the content of
 * something that has none. A bomb could hide there, which the free space would not stop.
 */
const MAX_WASTE_BYTES = 2 ** 30;

type State = 'header' | 'meta' | 'sparse-blocks' | 'sparse-map' | 'body' | 'skip' | 'end';

/** What came before an entry and belongs to it. */
interface Pending {
  pax: PaxRecords | undefined;
  longPath: string | undefined;
  longLink: string | undefined;
}

export class TarReader {
  readonly #sink: EntrySink;
  #state: State = 'header';
  /** Bytes of a header or metadata that were cut by the end of a chunk. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes of content or metadata still to come, and the padding after it. */
  #left = 0;
  #padding = 0;
  #metaType = '';
  #pending: Pending = { pax: undefined, longPath: undefined, longLink: undefined };
  #zeroBlocks = 0;
  #headers = 0;
  #metaBytes = 0;
  #wasteBytes = 0;
  /** The sparse entry whose map is being read, then the file being written. */
  #entry: TarEntry | undefined;
  #map: MapReader | undefined;
  #extents: Extent[] = [];
  #extent = 0;
  #extentDone = 0;
  #entries = 0;

  constructor(sink: EntrySink) {
    this.#sink = sink;
  }

  /** Entries seen so far. */
  get entries(): number {
    return this.#entries;
  }

  /** @throws LAYER_INVALID, and whatever the sink throws. `chunk` may be reused afterwards. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'header':
        case 'sparse-blocks':
          at = this.#takeBlock(chunk, at);
          break;
        case 'meta':
          at = this.#takeMeta(chunk, at);
          break;
        case 'sparse-map':
          at = this.#takeSparseMap(chunk, at);
          break;
        case 'body':
          at = this.#takeBody(chunk, at);
          break;
        case 'skip':
          at = this.#takeSkip(chunk, at);
          break;
        case 'end':
          this.#waste(chunk.length - at);
          return;
      }
    }
  }

  /** The stream has ended. @throws LAYER_INVALID when that is in the middle of something. */
  end(): void {
    const whole = this.#state === 'end' || (this.#state === 'header' && this.#heldBytes === 0);
    // The padding of the last file may be missing: docker reads such archives.
    if (!whole && !(this.#state === 'skip' && this.#left === 0)) invalid('the archive is cut off');
    if (this.#pending.pax !== undefined || this.#pending.longPath !== undefined)
      invalid('the archive is cut off');
  }

  #takeBlock(chunk: Buffer, at: number): number {
    if (this.#heldBytes === 0 && at + BLOCK <= chunk.length) {
      // Usual case: the block lies within the chunk. A file's content then often does too.
      return this.#onBlock(chunk.subarray(at, at + BLOCK), chunk, at + BLOCK);
    }
    const next = this.#hold(chunk, at, BLOCK);
    return this.#heldBytes < BLOCK ? next : this.#onBlock(this.#takeHeld(), chunk, next);
  }

  #onBlock(block: Buffer, chunk: Buffer, next: number): number {
    if (this.#state === 'sparse-blocks') {
      if (!readOldGnuMap(block, false, this.#extents)) this.#beginSparse();
      return next;
    }
    if (isZeroBlock(block)) {
      if (++this.#zeroBlocks === 2) this.#state = 'end';
      return next;
    }
    if (this.#zeroBlocks > 0) invalid('a block of zeros in the middle');
    if (++this.#headers > MAX_HEADERS) invalid(`more than ${MAX_HEADERS} headers`);
    const header = decodeHeader(block);
    if (header.meta !== undefined) {
      this.#beginMeta(header);
      return next;
    }
    this.#entries++;
    const { pax, longPath, longLink } = this.#pending;
    this.#pending = { pax: undefined, longPath: undefined, longLink: undefined };
    const entry = toEntry(header, pax, longPath, longLink);
    if (entry.type !== 'file') {
      this.#sink.other(entry);
      // Only some types carry data that is not theirs to use; links never do, whatever their size says.
      const skipped = header.hasData ? storedSize(header, pax) : 0;
      this.#waste(skipped);
      this.#beginSkip(skipped);
      return next;
    }
    return this.#beginFile(entry, header, block, pax, chunk, next);
  }

  #beginFile(
    entry: TarEntry,
    header: RawHeader,
    block: Buffer,
    pax: PaxRecords | undefined,
    chunk: Buffer,
    next: number,
  ) {
    const stored = storedSize(header, pax);
    this.#left = stored;
    this.#padding = paddingOf(stored);
    const sparse = pax === undefined ? undefined : sparseFromPax(pax);
    if (header.typeflag === 'S') {
      this.#entry = { ...entry, sizeBytes: oldGnuRealSize(block) };
      this.#extents = [];
      if (readOldGnuMap(block, true, this.#extents)) this.#state = 'sparse-blocks';
      else this.#beginSparse();
    } else if (sparse?.kind === 'map') {
      this.#entry = { ...entry, sizeBytes: sparse.realSize };
      this.#extents = sparse.extents;
      this.#beginSparse();
    } else if (sparse?.kind === 'in-data') {
      this.#entry = { ...entry, sizeBytes: sparse.realSize };
      this.#map = new MapReader();
      this.#state = 'sparse-map';
    } else if (next + stored <= chunk.length) {
      this.#sink.wholeFile({ ...entry, sizeBytes: stored }, chunk, next);
      this.#beginSkip(0, this.#padding);
      return next + stored;
    } else {
      this.#entry = { ...entry, sizeBytes: stored };
      this.#extents = [{ offset: 0, length: stored }];
      this.#startBody(this.#entry);
    }
    return next;
  }

  #beginSparse(): void {
    const entry = this.#entry as TarEntry;
    if (Number.isNaN(entry.sizeBytes)) invalid(`bad size of ${showPath(entry.path)}`);
    checkExtents(this.#extents, entry.sizeBytes, this.#left);
    this.#startBody({ ...entry, extents: this.#extents });
  }

  #startBody(entry: TarEntry): void {
    this.#extent = 0;
    this.#extentDone = 0;
    this.#sink.beginFile(entry);
    this.#state = 'body';
    if (this.#left === 0) this.#endBody();
  }

  #takeBody(chunk: Buffer, at: number): number {
    let extent = this.#extents[this.#extent];
    while (extent?.length === this.#extentDone) {
      this.#extentDone = 0;
      extent = this.#extents[++this.#extent];
    }
    if (extent === undefined) return invalid('the holes do not fit the stored size');
    const length = Math.min(extent.length - this.#extentDone, chunk.length - at);
    this.#sink.data(chunk, at, length, extent.offset + this.#extentDone);
    this.#extentDone += length;
    this.#left -= length;
    if (this.#left === 0) this.#endBody();
    return at + length;
  }

  #endBody(): void {
    this.#entry = undefined;
    this.#sink.endFile();
    this.#beginSkip(0, this.#padding);
  }

  /** Sparse format 1.0: whole blocks until the map is complete. */
  #takeSparseMap(chunk: Buffer, at: number): number {
    if (this.#left < BLOCK) invalid('malformed map of holes');
    const next = this.#hold(chunk, at, BLOCK);
    if (this.#heldBytes < BLOCK) return next;
    this.#left -= BLOCK;
    const extents = this.#map?.push(this.#takeHeld());
    if (extents === undefined) return next;
    this.#map = undefined;
    this.#extents = extents;
    this.#beginSparse();
    return next;
  }

  #beginMeta(header: RawHeader): void {
    const size = header.sizeBytes;
    if (!(size <= MAX_META_BYTES)) invalid(`a ${header.meta} record of ${size} bytes`);
    this.#metaBytes += size;
    if (this.#metaBytes > MAX_ALL_META_BYTES) invalid('more than 4 GiB of metadata');
    this.#metaType = header.meta as string;
    this.#left = size;
    this.#padding = paddingOf(size);
    this.#state = 'meta';
    if (size === 0) this.#endMeta();
  }

  #takeMeta(chunk: Buffer, at: number): number {
    const before = this.#heldBytes;
    const next = this.#hold(chunk, at, before + this.#left);
    this.#left -= this.#heldBytes - before;
    if (this.#left === 0) this.#endMeta();
    return next;
  }

  #endMeta(): void {
    const bytes = this.#takeHeld();
    const text = () => bytes.toString('latin1').replace(/\0.*$/s, '');
    // A second record of a kind replaces the first, as in Go. 'global' headers are ignored: no image tool needs them, and
    // they would let one entry change all others.
    if (this.#metaType === 'pax') this.#pending.pax = parsePax(bytes);
    else if (this.#metaType === 'long-path') this.#pending.longPath = text();
    else if (this.#metaType === 'long-link') this.#pending.longLink = text();
    this.#beginSkip(0, this.#padding);
  }

  #waste(bytes: number): void {
    this.#wasteBytes += bytes;
    if (this.#wasteBytes > MAX_WASTE_BYTES) invalid('more than 1 GiB that belongs to no file');
  }

  #beginSkip(stored: number, padding = paddingOf(stored)): void {
    this.#left = stored;
    this.#padding = padding;
    this.#state = stored + padding > 0 ? 'skip' : 'header';
  }

  #takeSkip(chunk: Buffer, at: number): number {
    const content = Math.min(this.#left, chunk.length - at);
    this.#left -= content;
    const padding = Math.min(this.#padding, chunk.length - at - content);
    this.#padding -= padding;
    if (this.#left + this.#padding === 0) this.#state = 'header';
    return at + content + padding;
  }

  /** Copies up to `until` held bytes in all; returns where the chunk goes on. */
  #hold(chunk: Buffer, at: number, until: number): number {
    const length = Math.min(until - this.#heldBytes, chunk.length - at);
    this.#held.push(Buffer.from(chunk.subarray(at, at + length)));
    this.#heldBytes += length;
    return at + length;
  }

  #takeHeld(): Buffer {
    const held = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }
}

function storedSize(header: RawHeader, pax: PaxRecords | undefined): number {
  const text = pax?.values.get('size');
  const size =
    text === undefined || text === '' ? header.sizeBytes : /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(size) || size < 0) invalid('an entry without a valid size');
  return size;
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function invalid(why: string): never {
  throw new EngineError('LAYER_INVALID', `reading a layer: ${why}`);
}
