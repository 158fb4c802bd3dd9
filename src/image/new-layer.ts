// A layer's tar as it is made → a compressed blob, hashed on the way: the tar itself is nowhere on disk.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createGzip, type Gzip } from 'node:zlib';
import { digestFromHex, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { MEDIA_TYPE, type Descriptor } from '../oci/image.ts';
import type { StoreRoot } from '../store/layout.ts';
import { NewBlob } from '../store/new-blob.ts';

const CHUNK_BYTES = 1 << 18;

export interface NewLayer {
  diffId: Digest;
  /** Of the tar. */
  sizeBytes: number;
  blob: Descriptor;
}

/**
 * Stores `tar`, gzipped: the same bytes for the same tar. The caller holds gc.lock shared until an image refers to it.
 * complete: awaited before the blob gets its name, so that a writer that failed half-way leaves none
 * @throws NO_SPACE, IO, CANCELLED, what `tar` and `complete` throw
 */
export async function storeLayerTar(
  root: StoreRoot,
  tar: AsyncIterable<Uint8Array>,
  { signal, complete }: { signal: AbortSignal; complete?: () => Promise<unknown> },
): Promise<NewLayer> {
  const hash = createHash('sha256');
  const gzip = createGzip({ chunkSize: CHUNK_BYTES });
  const blob = new NewBlob(root);
  let sizeBytes = 0;
  try {
    const feeding = feed(gzip, tar, (chunk) => {
      if (signal.aborted) throw new EngineError('CANCELLED', 'storing a layer: cancelled');
      hash.update(chunk);
      sizeBytes += chunk.length;
    });
    feeding.catch((error: unknown) => gzip.destroy(error as Error));
    for await (const part of gzip as AsyncIterable<Buffer>) blob.write(part);
    await feeding;
    await complete?.();
    const { digest, size } = blob.commit();
    const diffId = digestFromHex(hash.digest('hex'));
    return { diffId, sizeBytes, blob: { mediaType: MEDIA_TYPE.layerGzip, digest, size } };
  } finally {
    gzip.destroy();
    blob.discard();
  }
}

/** Each chunk belongs to the compressor until it has read it: whoever makes them does not use their memory again. */
async function feed(
  gzip: Gzip,
  tar: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void,
): Promise<void> {
  for await (const chunk of tar) {
    see(chunk);
    if (!gzip.write(chunk)) await once(gzip, 'drain');
  }
  gzip.end();
}
