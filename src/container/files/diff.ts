// `diff`: what a container changed in the file system of its image.

import type { Paths } from '../../core/paths.ts';
import { listChanges, type Change } from '../../image/layer/changes.ts';
import { findContainer } from '../records.ts';
import { upperOf } from './layers.ts';

export type { Change, ChangeKind } from '../../image/layer/changes.ts';

/** Sorted by path. @throws CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS, CONTAINER_STATE, IO */
export async function diffContainer(paths: Paths, reference: string): Promise<Change[]> {
  const spec = findContainer(paths, reference);
  const doing = `comparing container ${JSON.stringify(spec.name)}`;
  return await listChanges(upperOf(paths, spec, 'comparing'), spec.idMap, doing);
}
