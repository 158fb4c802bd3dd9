// What `push` takes from the store: an image, or an index with all that it names.

import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { Paths } from '../core/paths.ts';
import { formatPlatform, platformNotFound } from '../core/platform.ts';
import { familiarRepository, formatFamiliar, parseReference, withDefaultTag } from '../core/reference.ts';
import type { Descriptor, Index, Platform } from '../oci/image.ts';
import { getBlob, statBlob } from '../store/blobs.ts';
import { alone, findStored, listImages, platformsOf, type ResolvedImage } from '../store/images.ts';
import { nameOf } from '../store/index-file.ts';
import { parseIndex } from '../store/parse.ts';
import { descriptorOf, imageFor } from '../store/platforms.ts';

/** @throws IMAGE_NOT_FOUND, PLATFORM_NOT_FOUND, USAGE for an id without a destination */
export function findToPush(
  paths: Paths,
  name: string,
  { destination, platform }: { destination?: string | undefined; platform?: Platform | undefined },
): { image: ResolvedImage; entry: Descriptor } {
  const found = findStored(paths, name);
  if (found === undefined) throw imageToPushNotFound(name);
  if (found.by === 'id' && destination === undefined)
    throw new EngineError('USAGE', `pushing ${JSON.stringify(name)}: an id does not say where to`, {
      exitCode: 1,
      hint: `give the destination too: skiff push ${name} REGISTRY/NAME:TAG`,
    });
  const fitting = imageFor(paths, found.image, platform);
  if (fitting === undefined)
    throw platformNotFound(
      `pushing "${name}"`,
      platform as Platform,
      platformsOf(paths, found.image).map((one) => one.platform),
    );
  const image = platform === undefined ? fitting : alone(fitting);
  const entry = descriptorOf(paths, image);
  if (entry === undefined) throw imageToPushNotFound(name);
  return { image, entry };
}

/** @throws IMAGE_INCOMPLETE: an index goes with all that it names, or not at all */
export function wholeIndex(paths: Paths, name: string, digest: Digest): Index {
  const index = parseIndex(getBlob(paths, digest), `image "${name}"`);
  const isHere = (one: Descriptor): boolean => statBlob(paths, one.digest) !== undefined;
  const missing = index.manifests.filter((one) => !isHere(one)).map(describePlatform);
  if (missing.length === 0) return index;
  const here = index.manifests.find((one) => isHere(one) && one.platform !== undefined);
  throw new EngineError(
    'IMAGE_INCOMPLETE',
    `pushing "${name}": not in the store are its images for ${[...new Set(missing)].join(', ')}`,
    {
      exitCode: 1,
      hint: `push one alone with --platform${here === undefined ? '' : ` ${describePlatform(here)}`}; "skiff pull --platform" fetches the missing ones`,
    },
  );
}

/** Every local name of a repository, for --all-tags. @throws IMAGE_NOT_FOUND, USAGE for a name with a tag */
export function listLocalTags(paths: Paths, name: string): string[] {
  const { registry, repository, tag, digest } = parseReference(name);
  if (tag !== undefined || digest !== undefined)
    throw new EngineError('USAGE', "tag can't be used with --all-tags/-a", { exitCode: 1 });
  const names = listImages(paths).images.flatMap(({ entry }) => nameOf(entry) ?? []);
  const found = names.filter((one) => {
    const ref = parseReference(one);
    return ref.registry === registry && ref.repository === repository && ref.tag !== undefined;
  });
  if (found.length > 0) return found.sort();
  throw new EngineError(
    'IMAGE_NOT_FOUND',
    `An image does not exist locally with the tag: ${familiarRepository({ registry, repository })}`,
    { exitCode: 1, hint: '"skiff images" lists what there is' },
  );
}

function describePlatform({ platform }: Descriptor): string {
  return platform === undefined ? 'no platform' : formatPlatform(platform);
}

/** docker's words. */
function imageToPushNotFound(name: string): EngineError {
  let shown = name;
  try {
    shown = formatFamiliar(withDefaultTag(parseReference(name)));
  } catch {
    // an id, perhaps
  }
  return new EngineError('IMAGE_NOT_FOUND', `An image does not exist locally with the tag: ${shown}`, {
    exitCode: 1,
    hint: '"skiff images" lists what there is; "skiff tag" gives an image a name to push it under',
  });
}
