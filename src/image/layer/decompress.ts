// Compressed layer bytes → tar bytes. What the bytes are is seen from their first ones: media types lie, and docker wrote
// wrong ones for years. Inflation runs in the thread pool, ahead of whoever reads, by up to AHEAD_BYTES.

import { PassThrough, type Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { EngineError } from '../../core/errors.ts';

const CHUNK_BYTES = 1 << 18;
const AHEAD_BYTES = 8 << 20;

export type Compression = 'gzip' | 'zstd' | 'none';
/** What images do not use, and `import` takes where the host has the program of that name. */
export type ForeignCompression = 'bzip2' | 'xz';

const MAGIC: readonly [name: 'gzip' | 'zstd' | ForeignCompression, bytes: readonly number[]][] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** @throws LAYER_INVALID for compressions that image-spec does not know */
export function detectCompression(start: Uint8Array): Compression {
  const found = detectAny(start);
  if (found !== 'bzip2' && found !== 'xz') return found;
  throw new EngineError('LAYER_INVALID', `reading a layer: compressed by ${found}, which images do not use`);
}

export function detectAny(start: Uint8Array): Compression | ForeignCompression {
  const found = MAGIC.find(([, bytes]) => bytes.every((byte, i) => start[i] === byte))?.[0];
  // RFC 8878, 3.1.2: a zstd stream may begin with a skippable frame, 0x184D2A5?.
  const skippable =
    start[0] !== undefined &&
    (start[0] & 0xf0) === 0x50 &&
    start[1] === 0x2a &&
    start[2] === 0x4d &&
    start[3] === 0x18;
  if (found === 'zstd' || skippable) return 'zstd';
  if (found === 'gzip') return found;
  // A tar that begins with a file called "BZh…" is a tar.
  if (
    found === undefined ||
    start.length < 262 ||
    Buffer.from(start.subarray(257, 262)).toString('latin1') === 'ustar'
  )
    return 'none';
  return found;
}

/**
 * The tar bytes of `input`, in large chunks. Other work of the process goes on between two chunks.
 * @throws LAYER_INVALID when the compressed data is damaged or cut off
 */
export async function* decompressed(input: Readable): AsyncGenerator<Buffer> {
  const { start, rest } = await readStart(input, 512);
  const compression = detectCompression(start);
  const through = decoder(compression);
  feed(start, rest, through);
  try {
    for await (const chunk of through as AsyncIterable<Buffer>) {
      yield chunk;
      // Lets the thread pool's results in, so that the next chunk is made while this one is used.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code === 'string' && /^(?:Z_|ZSTD_|ERR_ZSTD)/.test(code)) {
      throw new EngineError(
        'LAYER_INVALID',
        `reading a layer: its ${compression} data is damaged (${code})`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** Whole chunks until `wanted` bytes are there or the input ends. */
export async function readStart(
  input: AsyncIterable<Uint8Array>,
  wanted: number,
): Promise<{ start: Buffer; rest: AsyncIterator<Buffer> }> {
  const rest = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const parts: Buffer[] = [];
  let size = 0;
  while (size < wanted) {
    const next = await rest.next();
    if (next.done === true) break;
    parts.push(next.value);
    size += next.value.length;
  }
  return { start: Buffer.concat(parts), rest };
}

function decoder(compression: Compression): Transform {
  const options = { chunkSize: CHUNK_BYTES, highWaterMark: AHEAD_BYTES };
  if (compression === 'none') return new PassThrough({ highWaterMark: AHEAD_BYTES });
  if (compression === 'gzip') return zlib.createGunzip(options);
  const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => Transform };
  if (createZstdDecompress !== undefined) return createZstdDecompress(options);
  throw new EngineError('HOST_MISSING', 'reading a layer: this runtime has no zstd', {
    hint: 'use the built dist/skiff',
  });
}

/** Not pipeline(): an error of either side must come out at the reading end with its cause. */
function feed(start: Buffer, rest: AsyncIterator<Buffer>, into: Transform): void {
  const run = async () => {
    let chunk: Buffer | undefined = start;
    while (chunk !== undefined && !into.destroyed) {
      if (chunk.length > 0 && !into.write(chunk)) await drained(into);
      const next = await rest.next();
      chunk = next.done === true ? undefined : next.value;
    }
    if (into.destroyed) await rest.return?.();
    else into.end();
  };
  run().catch((error: unknown) => into.destroy(error as Error));
}

function drained(stream: Transform): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.once('drain', done).once('close', done);
  });
}
