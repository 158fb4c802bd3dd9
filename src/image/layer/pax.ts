// pax extended headers (POSIX pax, "pax Header Block"): records "LENGTH KEY=VALUE\n". node-tar's own reader splits at
// newlines, decodes as UTF-8 and knows no xattrs, so records are read here, byte for byte; values may hold anything.

import { EngineError } from '../../core/errors.ts';
import type { ByteString } from './entry.ts';

/** Key → value, both byte strings. The same key again: the last wins, except for the pairs of GNU sparse 0.0. */
export interface PaxRecords {
  values: Map<ByteString, ByteString>;
  /** GNU.sparse.offset and GNU.sparse.numbytes in order (format 0.0 repeats them). */
  sparsePairs: number[];
}

const NAMES = new Set(['path', 'linkpath', 'GNU.sparse.name']);

/** @throws LAYER_INVALID when a record is malformed. */
export function parsePax(bytes: Buffer): PaxRecords {
  const values = new Map<ByteString, ByteString>();
  const sparsePairs: number[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === 0) break; // padding of sloppy writers
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? NaN : decimal(bytes.toString('latin1', at, space));
    const end = at + length;
    if (!(length > space - at + 2) || end > bytes.length || bytes[end - 1] !== 0x0a) malformed();
    const equals = bytes.indexOf(0x3d, space + 1);
    if (equals < 0 || equals > end - 2 || equals === space + 1) malformed();
    const key = bytes.toString('latin1', space + 1, equals);
    const value = bytes.toString('latin1', equals + 1, end - 1);
    // Only attributes may hold any byte: a name with a NUL would mean another file to the kernel.
    if (key.includes('\0') || (NAMES.has(key) && value.includes('\0'))) malformed();
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparsePairs.push(decimal(value));
    else values.set(key, value);
    at = end;
  }
  return { values, sparsePairs };
}

/** A non-negative decimal integer that a double holds exactly, else NaN. */
export function decimal(text: string): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : NaN;
}

/** "-1.5" → floor and nanoseconds, cut after nine digits; undefined when it is no time. */
export function parseTime(text: string): { sec: number; nsec: number } | undefined {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (match === null) return undefined;
  const [, minus, whole, fraction = ''] = match;
  const sec = Number(whole);
  const nsec = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (minus !== '-') return { sec, nsec };
  return nsec === 0 ? { sec: 0 - sec, nsec: 0 } : { sec: -sec - 1, nsec: 1_000_000_000 - nsec };
}

function malformed(): never {
  throw new EngineError('LAYER_INVALID', 'reading a layer: malformed pax record');
}
