// What a build has for other machines: the results of its steps, as far as they are known, and what makes them hits there.

import type { Digest } from '../../core/digest.ts';
import { hasBlob } from '../../store/blobs.ts';
import { readStep } from '../../store/build-cache.ts';
import type { StoreRoot } from '../../store/layout.ts';
import { baseOf, stepsBelow, type StepVertex, type Vertex } from '../graph.ts';
import type { Lookup } from '../solve.ts';
import {
  encodeDocument,
  INLINE_ANNOTATION,
  type MountIdentity,
  type TransferredLayer,
  type TransferredStep,
} from './document.ts';
import type { CacheImports } from './imports.ts';

export interface CacheContent {
  steps: ReadonlyMap<string, TransferredStep & { isOfResult: boolean }>;
  contents: ReadonlyMap<string, Digest>;
  /** `isUsed`: a step had it just now, so it may have changed. */
  mounts: readonly (MountIdentity & { isUsed: boolean })[];
}

export interface ContentInput {
  root: StoreRoot;
  /** After the last instruction. */
  top: Vertex;
  of: Pick<Lookup, 'key'>;
  imports: CacheImports | undefined;
  contents: ReadonlyMap<string, Digest>;
  /** Steps that were run. */
  ran: ReadonlySet<StepVertex>;
}

export async function contentOf({
  root,
  top,
  of,
  imports,
  contents,
  ran,
}: ContentInput): Promise<CacheContent> {
  const steps = new Map<string, TransferredStep & { isOfResult: boolean }>();
  const mounts = new Map<string, MountIdentity & { isUsed: boolean }>();
  const chain = chainOf(top);
  for (const vertex of stepsBelow(top)) {
    const key = await of.key(vertex);
    const step = ownStep(root, key, vertex) ?? imports?.step(key);
    const isOfResult = chain.has(vertex) || steps.get(key)?.isOfResult === true;
    if (step !== undefined) steps.set(key, { ...step, isOfResult });
    for (const { id, uid, gid, mode } of cacheMountsOf(vertex)) {
      const name = JSON.stringify([id, uid, gid, mode]);
      const isUsed = ran.has(vertex) || mounts.get(name)?.isUsed === true;
      mounts.set(name, { id, uid, gid, mode, isUsed });
    }
  }
  return { steps, contents, mounts: [...mounts.values()] };
}

/** --cache-to type=inline: the annotation of an image with these layers. */
export function inlineCache(
  { steps, contents }: CacheContent,
  layers: readonly TransferredLayer[],
): Record<string, string> {
  const own = new Map<string, TransferredStep>();
  for (const [key, { isOfResult, ...step }] of steps) if (isOfResult) own.set(key, step);
  return { [INLINE_ANNOTATION]: encodeDocument({ steps: own, contents, mounts: [] }, layers).toString() };
}

function chainOf(top: Vertex): ReadonlySet<Vertex> {
  const chain = new Set<Vertex>();
  for (let below = top; below.kind !== 'base'; below = below.parent) chain.add(below);
  return chain;
}

/** As it is here: without what the stage is built on. Undefined: forgotten, or a blob of it is not here any more. */
function ownStep(root: StoreRoot, key: string, vertex: StepVertex): TransferredStep | undefined {
  const record = readStep(root, key);
  if (record === undefined) return undefined;
  const { made, sizeBytes } = record;
  const layers = record.layers.slice(baseOf(vertex).image?.layers.length ?? 0);
  return layers.every(({ blob }) => hasBlob(root, blob)) ? { layers, made, sizeBytes } : undefined;
}

function cacheMountsOf(vertex: StepVertex): MountIdentity[] {
  if (vertex.kind !== 'run') return [];
  return vertex.mounts.flatMap(({ mount }) => (mount.type === 'cache' ? [mount] : []));
}
