// A layer's tar from the store as it is sent: compressed on the way, and nowhere on disk. The same tar gives the same bytes
// at every try, so that what was once made need not be made again where it has arrived.

import { createHash } from 'node:crypto';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { digestFromHex, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { StoreRoot } from '../store/layout.ts';
import { openBlob } from '../store/blobs.ts';

export const COMPRESSIONS = ['gzip', 'zstd'] as const;
export type LayerCompression = (typeof COMPRESSIONS)[number];

export interface CompressionChoice {
  format: LayerCompression;
  level: number;
}

const CHUNK_BYTES = 1 << 18;
const LEVELS: Readonly<Record<LayerCompression, { least: number; most: number; usual: number }>> = {
  gzip: { least: 1, most: 9, usual: 6 },
  zstd: { least: 1, most: 20, usual: 3 },
};

/** (pure) level: undefined for the usual one. @throws USAGE */
export function chooseCompression(format: LayerCompression, level: number | undefined): CompressionChoice {
  const { least, most, usual } = LEVELS[format];
  if (level === undefined) return { format, level: usual };
  if (Number.isInteger(level) && level >= least && level <= most) return { format, level };
  throw new EngineError(
    'USAGE',
    `reading --compression-level ${JSON.stringify(String(level))}: ${format} has levels ${least} to ${most}`,
  );
}

/** Name of a choice in the records of the store. */
export function compressionKey({ format, level }: CompressionChoice): string {
  return `${format}-${level}`;
}

/** One reading of a tar after another, each from its start. */
export class CompressedTar {
  readonly #root: StoreRoot;
  readonly #tar: Digest;
  readonly #choice: CompressionChoice;
  #made: { digest: Digest; size: number } | undefined;

  constructor(root: StoreRoot, tar: Digest, choice: CompressionChoice) {
    this.#root = root;
    this.#tar = tar;
    this.#choice = choice;
  }

  /** What all of it came to; undefined until it has been read to its end. */
  get made(): { digest: Digest; size: number } | undefined {
    return this.#made;
  }

  /** The compressed bytes from `offset` on. @throws STORE_INVALID when the tar is not what its digest says */
  async *open(offset: number): AsyncGenerator<Uint8Array> {
    const compressor = createCompressor(this.#choice);
    const input = openBlob(this.#root, this.#tar);
    const read = createHash('sha256');
    input.on('data', (chunk: Buffer | string) => read.update(chunk));
    input.on('error', (error) => compressor.destroy(error));
    input.pipe(compressor);
    const written = createHash('sha256');
    let size = 0;
    try {
      for await (const chunk of compressor as AsyncIterable<Buffer>) {
        written.update(chunk);
        const skip = Math.min(Math.max(0, offset - size), chunk.length);
        size += chunk.length;
        if (skip < chunk.length) yield chunk.subarray(skip);
      }
    } finally {
      input.destroy();
      compressor.destroy();
    }
    if (digestFromHex(read.digest('hex')) !== this.#tar)
      throw new EngineError('STORE_INVALID', `reading blob "${this.#tar}": its content is damaged`, {
        hint: 'mend the store with "skiff system check --repair"',
      });
    this.#made = { digest: digestFromHex(written.digest('hex')), size };
  }
}

function createCompressor({ format, level }: CompressionChoice): Transform {
  if (format === 'gzip') return zlib.createGzip({ level, chunkSize: CHUNK_BYTES });
  const { createZstdCompress } = zlib as { createZstdCompress?: (options: object) => Transform };
  if (createZstdCompress === undefined)
    throw new EngineError('HOST_MISSING', 'compressing a layer: this runtime has no zstd', {
      hint: 'use the built dist/skiff',
    });
  /** ZSTD_c_compressionLevel of zstd.h */
  return createZstdCompress({ chunkSize: CHUNK_BYTES, params: { 100: level } });
}
