// `build --push`: the names of the new image, one after the other, into their registries.

import type { Digest } from '../core/digest.ts';
import { chooseCompression } from '../image/compress.ts';
import { pushImage } from '../image/push.ts';
import type { RegistryOptions } from '../registry/types.ts';
import type { OnBuildEvent } from './events.ts';
import type { BuildParts } from './parts.ts';

/** @throws what pushImage throws; the image stays in the store */
export async function pushBuilt(
  parts: BuildParts,
  { references, registry }: { references: readonly string[]; registry: RegistryOptions | undefined },
  { vertex, onEvent }: { vertex: number; onEvent: OnBuildEvent },
): Promise<void> {
  const say = (text: string): void => onEvent({ type: 'status', vertex, text, atMs: Date.now() });
  onEvent({ type: 'start', vertex, work: 'push', stage: undefined, name: 'pushing', atMs: Date.now() });
  try {
    for (const reference of references) {
      const digest: Digest = await pushImage(parts, reference, {
        compression: chooseCompression('gzip', undefined),
        registry,
        onEvent: (event) => {
          if (event.type === 'begin') say(`pushing layers to ${event.repository}`);
        },
      });
      say(`pushing manifest for ${reference}@${digest} done`);
    }
    onEvent({ type: 'done', vertex, atMs: Date.now() });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    onEvent({ type: 'error', vertex, message, canceled: parts.signal.aborted, atMs: Date.now() });
    throw error;
  }
}
