// Events of images, with docker's actors.

import { formatFamiliar, type ImageReference } from '../core/reference.ts';
import { logEvent } from '../store/event-log.ts';
import type { ResolvedImage } from '../store/images.ts';
import type { StoreRoot } from '../store/layout.ts';

type Told = Pick<ResolvedImage, 'imageId' | 'index' | 'config'>;

/** `name`: as docker has it, the new name for `tag`, and the id for everything else that is done to an image. */
export function logImageEvent(
  root: StoreRoot,
  { imageId, index, config }: Told,
  action: 'delete' | 'import' | 'load' | 'save' | 'tag' | 'untag',
  name: string = index ?? imageId,
): void {
  logEvent(root, { type: 'image', id: index ?? imageId, attributes: { ...config.Labels, name } }, action);
}

/** What comes from or goes to a registry is known by its name there. */
export function logTransfer(
  root: StoreRoot,
  { config }: Pick<Told, 'config'>,
  action: 'pull' | 'push',
  ref: ImageReference,
): void {
  const name = formatFamiliar({ registry: ref.registry, repository: ref.repository });
  const attributes = { ...config.Labels, name };
  logEvent(root, { type: 'image', id: formatFamiliar(ref), attributes }, action);
}
