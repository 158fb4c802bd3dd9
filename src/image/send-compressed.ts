// A layer's tar of the store to where compressed layers are wanted, as little of it as possible (docs/decisions/0026).

import type { BlobSource } from '../registry/types.ts';
import type { Descriptor } from '../oci/image.ts';
import {
  forgetCompressed,
  readCompressed,
  rememberCompressed,
  type Compressed,
} from '../store/compressed.ts';
import type { StoreRoot } from '../store/layout.ts';
import { CompressedTar, compressionKey, type CompressionChoice } from './compress.ts';
import { layerTypeOf } from './push-manifest.ts';

/**
 * Digest and size of an earlier time are tried first: where the other side has that blob, nothing is compressed.
 * send: of a source whose digest is not known before it was read, `finish` tells it
 * @returns what it is on the other side
 */
export async function sendCompressed(
  root: StoreRoot,
  tar: Descriptor,
  compression: CompressionChoice,
  send: (source: BlobSource, finish: () => Compressed) => Promise<void>,
): Promise<Descriptor> {
  const key = compressionKey(compression);
  const content = new CompressedTar(root, tar.digest, compression);
  const known = readCompressed(root, tar.digest, key);
  const source: BlobSource = { open: (offset) => content.open(offset), descriptor: known };
  try {
    await send(source, () => content.made as Compressed);
  } catch (error) {
    const { made } = content;
    if (known === undefined || made === undefined || made.digest === known.digest) throw error;
    // Another version of the compressor made that record.
    forgetCompressed(root, tar.digest, key);
    return await sendCompressed(root, tar, compression, send);
  }
  const { digest, size } = (content.made ?? known) as Compressed;
  if (known?.digest !== digest) rememberCompressed(root, tar.digest, key, { digest, size });
  return { ...tar, mediaType: layerTypeOf(compression.format), digest, size };
}
