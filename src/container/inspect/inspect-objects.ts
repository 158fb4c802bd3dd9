// `inspect` of names that may be containers, images or volumes: looked for in this order, as docker does.

import { EngineError } from '../../core/errors.ts';
import type { Paths } from '../../core/paths.ts';
import { containerDir } from '../../store/layout.ts';
import { inspectVolume } from '../../volume/inspect.ts';
import { findVolume } from '../../volume/records.ts';
import { readHealth } from '../health.ts';
import { inspectContainer } from './inspect.ts';
import { writableBytes } from '../list.ts';
import { findContainer } from '../records.ts';
import { readState } from '../state.ts';

export interface InspectRequest {
  /** 'container', 'image' or 'volume'; undefined: any. */
  type: string | undefined;
  /** Add SizeRw. */
  size: boolean;
}

/** @throws CONTAINER_AMBIGUOUS and what is no "not found" */
export async function inspectObjects(
  paths: Paths,
  references: readonly string[],
  request: InspectRequest,
): Promise<{ found: unknown[]; missing: string[] }> {
  const found: unknown[] = [];
  const missing: string[] = [];
  for (const reference of references) {
    const value = await inspectOne(paths, reference, request);
    if (value === undefined) missing.push(reference);
    else found.push(value);
  }
  return { found, missing };
}

async function inspectOne(paths: Paths, reference: string, { type, size }: InspectRequest): Promise<unknown> {
  if (type === undefined || type === 'container') {
    const container = unlessMissing(() => findContainer(paths, reference));
    if (container !== undefined) {
      const state = readState(paths, container.id);
      const json = inspectContainer({
        spec: container,
        state,
        health: readHealth(paths, container, state),
        dir: containerDir(paths, container.id),
      });
      return size ? { ...json, SizeRw: writableBytes(paths, container) } : json;
    }
  }
  if (type === 'container') return undefined;
  if (type !== 'volume') {
    const { inspectImage } = await import('../../image/inspect.ts');
    const image = unlessMissing(() => inspectImage(paths, reference));
    if (image !== undefined || type === 'image') return image;
  }
  const volume = findVolume(paths, reference);
  return volume === undefined ? undefined : inspectVolume(volume);
}

function unlessMissing<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (
      error instanceof EngineError &&
      (error.code === 'CONTAINER_NOT_FOUND' ||
        error.code === 'IMAGE_NOT_FOUND' ||
        error.code === 'REFERENCE_INVALID')
    )
      return undefined;
    throw error;
  }
}
