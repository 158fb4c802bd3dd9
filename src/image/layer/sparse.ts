// Sparse files in tar: the old GNU type 'S' (map in the header and in blocks after it) and the pax forms 0.0, 0.1 (map in
// records) and 1.0 (map in front of the data). All end as extents in ascending order that add up to the stored data.
// GNU tar manual, "Storing Sparse Files".

import { EngineError } from '../../core/errors.ts';
import type { Extent } from './entry.ts';
import { decimal, type PaxRecords } from './pax.ts';

/** More runs than this are an attack: GNU tar makes one per hole. */
const MAX_EXTENTS = 1_000_000;

/** How the map of a sparse entry is found. */
export type SparseForm =
  | { kind: 'map'; extents: Extent[]; realSize: number }
  /** Format 1.0: the map precedes the data. */
  | { kind: 'in-data'; realSize: number };

/** What the pax records of an entry say about holes. @throws LAYER_INVALID */
export function sparseFromPax({ values, sparsePairs }: PaxRecords): SparseForm | undefined {
  const major = values.get('GNU.sparse.major');
  if (major === '1' && values.get('GNU.sparse.minor') === '0') {
    return { kind: 'in-data', realSize: sizeOf(values.get('GNU.sparse.realsize')) };
  }
  const map = values.get('GNU.sparse.map');
  const size = values.get('GNU.sparse.size') ?? values.get('GNU.sparse.realsize');
  if (map === undefined && sparsePairs.length === 0) return undefined;
  const numbers = map === undefined ? sparsePairs : map === '' ? [] : map.split(',').map(decimal);
  return { kind: 'map', extents: toExtents(numbers), realSize: sizeOf(size) };
}

/** The name a pax sparse entry really has. */
export function sparseName({ values }: PaxRecords): string | undefined {
  return values.get('GNU.sparse.name');
}

/** The four entries in a type 'S' header, or the 21 in a block after it. Returns whether another block follows. */
export function readOldGnuMap(block: Buffer, first: boolean, extents: Extent[]): boolean {
  const [start, count, extended] = first ? [386, 4, 482] : [0, 21, 504];
  for (let i = 0; i < count; i++) {
    const at = start + i * 24;
    if (block[at] === 0) break;
    extents.push({ offset: tarNumber(block, at, 12), length: tarNumber(block, at + 12, 12) });
    if (extents.length > MAX_EXTENTS) invalid(`more than ${MAX_EXTENTS} runs of data`);
  }
  return block[extended] === 1;
}

/** Real size in a type 'S' header. */
export function oldGnuRealSize(block: Buffer): number {
  return tarNumber(block, 483, 12);
}

/** A number of the map and its newline: 2^53 has 16 digits. */
const MAX_NUMBER_BYTES = 24;

/**
 * The map of format 1.0 at the start of the data: "COUNT\nOFFSET\nLENGTH\n…", padded to 512. Each byte is looked at
 * once, however long the map is.
 */
export class MapReader {
  readonly #numbers: number[] = [];
  /** A number that the end of a block has cut. */
  #cut = '';

  /** Takes the next block. Returns the extents with the last one, undefined before. @throws LAYER_INVALID */
  push(block: Buffer): Extent[] | undefined {
    const lines = (this.#cut + block.toString('latin1')).split('\n');
    this.#cut = lines.pop() as string;
    for (const line of lines) {
      const value = decimal(line);
      if (Number.isNaN(value)) invalid('malformed map of holes');
      this.#numbers.push(value);
      const [count = 0] = this.#numbers;
      if (count > MAX_EXTENTS) invalid(`more than ${MAX_EXTENTS} runs of data`);
      if (this.#numbers.length === 1 + 2 * count) return toExtents(this.#numbers.slice(1));
    }
    if (this.#cut.length > MAX_NUMBER_BYTES) invalid('malformed map of holes');
    return undefined;
  }
}

/** Checks that the runs ascend inside `realSize` and hold exactly `stored` bytes. @throws LAYER_INVALID */
export function checkExtents(extents: readonly Extent[], realSize: number, stored: number): void {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of extents) {
    if (!(offset >= end) || !(length >= 0) || !(offset + length <= realSize))
      invalid('holes overlap or lie outside');
    end = offset + length;
    sum += length;
  }
  if (sum !== stored) invalid('the holes do not fit the stored size');
}

function toExtents(numbers: readonly number[]): Extent[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MAX_EXTENTS) invalid('malformed map of holes');
  const extents: Extent[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    extents.push({ offset: numbers[i] as number, length: numbers[i + 1] as number });
  }
  return extents;
}

function sizeOf(text: string | undefined): number {
  const value = decimal(text ?? '');
  if (Number.isNaN(value)) invalid('no valid size');
  return value;
}

/** A number field: octal, or base 256 when the first bit is set. */
export function tarNumber(block: Buffer, at: number, length: number): number {
  const first = block[at] as number;
  if ((first & 0x80) === 0) {
    const text = block
      .toString('latin1', at, at + length)
      .replace(/\0.*$/s, '')
      .trim();
    return text === '' ? 0 : /^[0-7]+$/.test(text) ? parseInt(text, 8) : NaN;
  }
  if (first !== 0x80) return NaN; // negative, or beyond what a double holds
  let value = 0;
  for (let i = at + 1; i < at + length; i++) value = value * 256 + (block[i] as number);
  return Number.isSafeInteger(value) ? value : NaN;
}

function invalid(why: string): never {
  throw new EngineError('LAYER_INVALID', `reading a sparse file of a layer: ${why}`);
}
