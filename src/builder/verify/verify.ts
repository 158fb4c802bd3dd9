// --verify-repro: builds twice, the second time without the cache and for nothing but its digests, and compares step by step.

import { isDeepStrictEqual } from 'node:util';
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { addingBlobs } from '../../image/adding.ts';
import { decompressed } from '../../image/layer/decompress.ts';
import { chooseIdMap } from '../../runtime/idmap.ts';
import { readIdMapInput } from '../../runtime/idmap-input.ts';
import { openBlob } from '../../store/blobs.ts';
import type { CachedLayer } from '../../store/build-cache.ts';
import { collectGarbage } from '../../store/gc.ts';
import { idOf, targetOf } from '../../store/images.ts';
import { buildImage, type BuildRequest, type Built, type BuiltStep } from '../build.ts';
import type { BuildParts } from '../parts.ts';
import { chainsOf } from '../snapshot.ts';
import { describeDifferences, listLayer, type LayerListing } from './layer-difference.ts';

/** How many files are named; a step that differs in more differs in all. */
const MAX_LINES = 50;

/** Of a step's name, beside which its place is told anyway: a RUN may be a page long. */
const MAX_NAME = 80;

/** Numbers of the second build's vertices in events. */
const SECOND = 1000;

/**
 * @returns the first build, and what was proved
 * @throws BUILD_NOT_REPRODUCIBLE with exit status 1, after the image of the first build has got its names; what buildImage throws
 */
export async function verifyBuild(
  parts: BuildParts,
  request: BuildRequest,
): Promise<Built & { proof: string }> {
  const chainIds = new Set<Digest>();
  const blobs = new Set<Digest>();
  try {
    return await addingBlobs(parts.paths, parts.signal, async (added) => {
      const first = await buildImage(parts, { ...request, pass: 'first' }, added);
      const second = await buildImage(parts, secondOf(request), added);
      for (const { layers } of second.steps) chainsOf(layers).forEach((chainId) => chainIds.add(chainId));
      const difference = await findDifference(parts, first, second);
      if (difference !== undefined) {
        const { message, detail } = difference;
        throw new EngineError('BUILD_NOT_REPRODUCIBLE', `verifying the build: ${message}`, {
          detail,
          exitCode: 1,
        });
      }
      const count = second.steps.length;
      const proof = `reproducible: running ${count === 1 ? 'the step' : `all ${count} steps`} again gave the same image, ${targetOf(first.image)}`;
      return { ...first, proof };
    });
  } finally {
    // Trees of the second build that the first has none of.
    const { idMap } = chooseIdMap(readIdMapInput(parts, undefined));
    if (chainIds.size > 0) await collectGarbage(parts.paths, { idMap, only: { blobs, chainIds } });
  }
}

function secondOf(request: BuildRequest): BuildRequest {
  const { debug } = request;
  return {
    ...request,
    ...{ pass: 'second', noCache: true, tags: [], keepsImage: false, onContext: () => undefined },
    debug: debug && {
      signal: debug.signal,
      lend: (vertex, banner, work) => debug.lend(SECOND + vertex, banner, work),
    },
    onEvent: (event) => {
      const vertex = SECOND + event.vertex;
      request.onEvent(
        event.type === 'start' ? { ...event, vertex, name: `again: ${event.name}` } : { ...event, vertex },
      );
    },
  };
}

/** Of the first step that came to something else, which is the one to blame: its inputs were the same. */
async function findDifference(
  { paths }: Pick<BuildParts, 'paths'>,
  first: Built,
  second: Built,
): Promise<{ message: string; detail?: string } | undefined> {
  for (const [i, b] of second.steps.entries()) {
    const a = first.steps[i];
    // Made by an earlier build, and forgotten since: nothing to compare with.
    if (a?.layers.length === 0 || a === undefined) continue;
    const [before, after] = [ownLayer(a), ownLayer(b)];
    if (before?.diffId === after?.diffId) continue;
    const list = async (layer: CachedLayer | undefined): Promise<LayerListing> =>
      layer === undefined ? new Map() : await listLayer(decompressed(openBlob(paths, layer.blob.digest)));
    return blame(b, describeDifferences(await list(before), await list(after)));
  }
  // What came from a cache of elsewhere is compressed, and so another manifest of the same image.
  const imagesOf = ({ platforms }: Built): string[] => platforms.map(({ imageId }) => imageId);
  if (isDeepStrictEqual(imagesOf(first), imagesOf(second))) return undefined;
  const ids = `${idOf(first.image)} and ${idOf(second.image)}`;
  return { message: `the layers are the same, the configurations are not: ${ids}` };
}

/** All of them, since each further build to find the next one takes as long as two. */
function blame({ place, name }: BuiltStep, lines: string[]): { message: string; detail?: string } {
  const step = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
  const message = `${place}: ${step} is not reproducible: ${lines[0] ?? 'the archives differ'}`;
  if (lines.length <= 1) return { message };
  const shown = lines.slice(0, MAX_LINES);
  const rest = lines.length - shown.length;
  const detail = [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].map((line) => `  ${line}`);
  return {
    message: `${message}, and ${lines.length - 1} more`,
    detail: [`What two runs of ${place} left different:`, ...detail].join('\n'),
  };
}

function ownLayer({ layers, isMade }: BuiltStep): CachedLayer | undefined {
  return isMade ? layers.at(-1) : undefined;
}
