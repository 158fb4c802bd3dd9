// What a pull, a load or an unpack tells whoever shows progress. Rows below `commands` never print.

import type { Digest } from '../core/digest.ts';
import type { Platform } from '../oci/image.ts';

export type LayerState =
  | 'present' // nothing to do
  | 'queued'
  | 'waiting' // another process has it in hand; doneBytes is how far it is
  | 'downloading'
  | 'downloaded' // in the store, digest checked
  | 'unpacking'
  | 'done';

export type ImageEvent =
  | { type: 'begin'; reference: string }
  | {
      type: 'resolved';
      reference: string;
      /** Of what the name stands for in the registry: an index or a manifest. */
      digest: Digest;
      platform: Platform;
      /** Each blob once, bottom layer first. */
      layers: { digest: Digest; sizeBytes: number }[];
    }
  /** At most about ten a second for each layer while bytes arrive. */
  | { type: 'layer'; digest: Digest; state: LayerState; doneBytes: number; totalBytes: number }
  /** Everything is there and being made durable. */
  | { type: 'publishing'; reference: string }
  | { type: 'end'; reference: string; digest: Digest; imageId: Digest; changed: boolean };

export type OnImageEvent = (event: ImageEvent) => void;
