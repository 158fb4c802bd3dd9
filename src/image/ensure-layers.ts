// The trees a container's root filesystem is stacked from. Nearly always they are there, and this is one stat a layer.

import type { Config } from '../core/config.ts';
import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import type { IdMap } from '../native/plan.ts';
import type { ResolvedImage } from '../store/images.ts';
import { gcLockFile, mapKeyOf, treeDir } from '../store/layout.ts';
import { hasTree } from '../store/layers.ts';
import { withLock } from '../store/lock.ts';
import type { OnImageEvent } from './events.ts';

export interface EnsureLayersParts {
  paths: Paths;
  config: () => Pick<Config, 'parallelDownloads'>;
  log: Log;
  signal: AbortSignal;
}

/**
 * Host paths of the image's trees for containers with `idMap`, bottom layer first. Missing ones (another --userns than
 * that of the pull) are unpacked from the blobs; nothing is fetched.
 * @throws STORE_INVALID when a blob is missing or damaged too, NO_SPACE, CANCELLED
 */
export async function ensureLayerTrees(
  parts: EnsureLayersParts,
  image: ResolvedImage,
  idMap: IdMap | undefined,
  onEvent?: OnImageEvent,
): Promise<string[]> {
  const mapKey = mapKeyOf(idMap);
  if (!image.layers.every(({ chainId }) => hasTree(parts.paths, mapKey, chainId))) {
    await unpackMissing(parts, image, idMap, onEvent);
  }
  return image.layers.map(({ chainId }) => treeDir(parts.paths, mapKey, chainId));
}

async function unpackMissing(
  parts: EnsureLayersParts,
  image: ResolvedImage,
  idMap: IdMap | undefined,
  onEvent: OnImageEvent | undefined,
): Promise<void> {
  const { storeLayers } = await import('./store-layers.ts');
  const name = image.reference === '' ? image.imageId : image.reference;
  await withLock(
    gcLockFile(parts.paths),
    'shared',
    () =>
      storeLayers(parts, image, {
        idMap,
        doing: `unpacking "${name}"`,
        fetch: (blob) =>
          Promise.reject(
            new EngineError(
              'STORE_INVALID',
              `unpacking "${name}": blob "${blob.digest}" is missing from the store`,
              {
                hint: `fetch it again with "skiff pull ${name}"`,
              },
            ),
          ),
        onEvent,
      }),
    { signal: parts.signal },
  );
}
