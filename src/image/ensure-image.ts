// `--pull always|missing|never|newer`: the image a run, create or build starts from. The hot path (it is there, and that
// is enough) reads one file and loads no registry code.

import { EngineError } from '../core/errors.ts';
import type { RegistryOptions } from '../registry/types.ts';
import type { Platform } from '../oci/image.ts';
import type { IdMap } from '../native/plan.ts';
import { findStored, platformsOf, type ResolvedImage } from '../store/images.ts';
import { imageFor } from '../store/platforms.ts';
import type { OnImageEvent } from './events.ts';
import { formatPlatform } from '../core/platform.ts';
import type { PullParts } from './pull.ts';

export const PULL_POLICIES = ['always', 'missing', 'never', 'newer'] as const;
export type PullPolicy = (typeof PULL_POLICIES)[number];

export interface EnsureImageOptions {
  idMap: IdMap | undefined;
  /** As asked for; undefined: whatever is there. */
  platform?: Platform | undefined;
  registry?: RegistryOptions | undefined;
  onEvent?: OnImageEvent | undefined;
}

/**
 * missing: the local image if there is one (of that platform), else pull. always: pull, and fail if that fails. newer:
 * pull when the registry has another digest; a registry out of reach is no error while there is a local image. never:
 * the local image; opens no socket. Ids are local, whatever the policy.
 * @throws IMAGE_NOT_FOUND (never, or an unknown id), and what pullImage throws
 */
export async function ensureImage(
  parts: PullParts,
  text: string,
  policy: PullPolicy,
  options: EnsureImageOptions,
): Promise<ResolvedImage> {
  const found = findStored(parts.paths, text);
  const local = found === undefined ? undefined : imageFor(parts.paths, found.image, options.platform);
  if (found?.by === 'id' && local !== undefined) return local;
  if (policy === 'never') {
    if (local !== undefined) return local;
    throw notFound(text, found === undefined ? [] : platformsOf(parts.paths, found.image), options.platform);
  }
  if (policy === 'missing' && local !== undefined) return local;
  if (looksLikeId(text)) throw notFound(text, [], undefined);
  const { pullImage } = await import('./pull.ts');
  try {
    return await pullImage(parts, text, options);
  } catch (error) {
    if (policy !== 'newer' || local === undefined || !isOutOfReach(error)) throw error;
    parts.log.warn(`using the local image "${text}": ${(error as Error).message}`);
    return local;
  }
}

/** A full id is nothing a registry knows. */
function looksLikeId(text: string): boolean {
  return /^(sha256:)?[0-9a-f]{64}$/.test(text);
}

const OUT_OF_REACH: readonly string[] = ['NETWORK_FAILED', 'REGISTRY', 'OFFLINE', 'AUTH_FAILED'];

function isOutOfReach(error: unknown): boolean {
  return error instanceof EngineError && OUT_OF_REACH.includes(error.code);
}

function notFound(
  text: string,
  others: readonly ResolvedImage[],
  platform: Platform | undefined,
): EngineError {
  if (others.length > 0 && platform !== undefined) {
    const there = others.map((other) => formatPlatform(other.platform)).join(', ');
    return new EngineError(
      'IMAGE_NOT_FOUND',
      `finding image "${text}": it is in the store for ${there}, not for ${formatPlatform(platform)}`,
      { hint: `fetch it with "skiff pull --platform ${formatPlatform(platform)} ${text}"` },
    );
  }
  return new EngineError('IMAGE_NOT_FOUND', `finding image "${text}": no such image in the store`, {
    hint: looksLikeId(text) ? '"skiff images" lists what there is' : `fetch it with "skiff pull ${text}"`,
  });
}
