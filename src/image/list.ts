// The rows of `images`, with docker's filters. Reading is in store/images.ts; here it is chosen and ordered.

import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import type { Digest } from '../core/digest.ts';
import { hasLabel } from '../core/labels.ts';
import type { Descriptor } from '../oci/image.ts';
import { ENTRY_ANNOTATION, nameOf, repoDigestsOf } from '../store/index-file.ts';
import { idOf, listImages, type ResolvedImage, type StoredImage } from '../store/images.ts';
import { getImage } from './get.ts';
import { matchesPattern } from './match.ts';
import { displayParts, displayReference, NONE } from './names.ts';

export interface ImageRow {
  /** `debian`, or `<none>` */
  repository: string;
  tag: string;
  /** `sha256:…` of the registry, or `<none>` */
  digest: string;
  id: Digest;
  image: ResolvedImage;
  /** All that it is of an index, else the image alone. */
  platforms: readonly ResolvedImage[];
  /** Milliseconds since the epoch; 0 when the image does not say. */
  createdMs: number;
  sizeBytes: number;
}

export interface ListOptions {
  /** `debian`, `debian:12` or a pattern; undefined: all. */
  name?: string | undefined;
  /** `key=value` as given on the command line. */
  filters: readonly string[];
  /** A row for each digest the name was pulled by. */
  digests?: boolean;
}

/** Newest image first; one row a name, and one an image without any. Damaged images are said and left out. @throws USAGE for an unknown filter */
export function listImageRows({ paths, log }: { paths: Paths; log: Log }, options: ListOptions): ImageRow[] {
  const { images, damaged } = listImages(paths);
  for (const { entry, error } of damaged) {
    log.warn(`image "${displayReference(nameOf(entry) ?? entry.digest)}" is damaged: ${error.message}`);
  }
  const tests = options.filters.map((filter) => filterTest(paths, filter));
  if (options.name !== undefined) tests.push(nameTest(options.name));
  const kept = withoutRepeated(images).filter((stored) => tests.every((test) => test(stored)));
  const rows = kept.flatMap((stored) => rowsOf(stored, options.digests === true));
  return rows.sort(
    (a, b) => b.createdMs - a.createdMs || compare(`${a.repository}:${a.tag}`, `${b.repository}:${b.tag}`),
  );
}

/**
 * One image can have several manifests: loaded from archives of two kinds, say. Those without a name say nothing that the
 * image's named one, or else the first of them, does not say.
 */
function withoutRepeated(images: readonly StoredImage[]): StoredImage[] {
  const shown = new Set(images.flatMap(({ image }) => (image.reference === '' ? [] : [idOf(image)])));
  return images.filter(({ image }) => {
    if (image.reference !== '') return true;
    const isNew = !shown.has(idOf(image));
    shown.add(idOf(image));
    return isNew;
  });
}

type Test = (stored: StoredImage) => boolean;

const FILTERS: Readonly<Record<string, (paths: Paths, value: string) => Test>> = {
  dangling: (_paths, value) => {
    const wanted = parseBoolean('dangling', value);
    return ({ image }) => (image.reference === '') === wanted;
  },
  label:
    (_paths, value) =>
    ({ image }) =>
      hasLabel(image.config.Labels ?? {}, value),
  before: (paths, value) => {
    const limit = createdMs(getImage(paths, value));
    return ({ image }) => createdMs(image) < limit;
  },
  since: (paths, value) => {
    const limit = createdMs(getImage(paths, value));
    return ({ image }) => createdMs(image) > limit;
  },
  reference: (_paths, value) => nameTest(value),
  id: (_paths, value) => {
    const prefix = value.startsWith('sha256:') ? value : `sha256:${value}`;
    return ({ image, platforms }) =>
      [idOf(image), ...platforms.map(({ imageId }) => imageId)].some((id) => id.startsWith(prefix));
  },
};

function filterTest(paths: Paths, filter: string): Test {
  const equals = filter.indexOf('=');
  const key = equals === -1 ? filter : filter.slice(0, equals);
  const make = Object.hasOwn(FILTERS, key) ? FILTERS[key] : undefined;
  if (make === undefined || equals === -1) {
    throw new EngineError(
      'USAGE',
      `reading filter "${filter}": ${make === undefined ? 'unknown filter' : 'no value'}`,
      {
        hint: `filters are ${Object.keys(FILTERS).join(', ')}, each as KEY=VALUE`,
      },
    );
  }
  return make(paths, filter.slice(equals + 1));
}

/** The pattern may be for the name with or without its tag, in the short or the full form. */
function nameTest(pattern: string): Test {
  return ({ image }) => {
    if (image.reference === '') return false;
    const { repository, tag } = displayParts(image.reference);
    const full = image.reference;
    const fullRepository = full.replace(/(@[^/]*|:[^/:]*)$/, '');
    return [repository, `${repository}:${tag}`, full, fullRepository].some((name) =>
      matchesPattern(pattern, name),
    );
  };
}

function rowsOf({ entry, image, platforms }: StoredImage, eachDigest: boolean): ImageRow[] {
  const { repository, tag } = namesOf(entry, image);
  const digests = digestsFor(entry, image.reference);
  return (eachDigest && digests.length > 0 ? digests : [digests[0] ?? NONE]).map((digest) => ({
    repository,
    tag,
    digest,
    id: idOf(image),
    image,
    platforms,
    createdMs: createdMs(image),
    sizeBytes: platforms.reduce((sum, one) => sum + one.sizeBytes, 0),
  }));
}

/** A dangling image still shows the repository it was pulled from. */
function namesOf(entry: Descriptor, image: ResolvedImage): { repository: string; tag: string } {
  if (image.reference !== '') return displayParts(image.reference);
  const [from] = repoDigestsOf(entry);
  return from === undefined ? { repository: NONE, tag: NONE } : { ...displayParts(from), tag: NONE };
}

function digestsFor(entry: Descriptor, reference: string): string[] {
  const repository = reference === '' ? undefined : displayParts(reference).repository;
  return repoDigestsOf(entry)
    .filter((text) => repository === undefined || displayParts(text).repository === repository)
    .map((text) => text.slice(text.indexOf('@') + 1));
}

/** Milliseconds since the epoch; 0 when the image does not say or says nonsense. */
export function createdMs(image: Pick<ResolvedImage, 'created'>): number {
  const time = Date.parse(image.created ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** When a name was given, as far as index.json says. */
export function taggedAt(entry: Descriptor): string | undefined {
  return entry.annotations?.[ENTRY_ANNOTATION.taggedAt];
}

function parseBoolean(key: string, value: string): boolean {
  if (['1', 'true', 't', 'True', 'TRUE'].includes(value)) return true;
  if (['0', 'false', 'f', 'False', 'FALSE'].includes(value)) return false;
  throw new EngineError('USAGE', `reading filter "${key}=${value}": neither true nor false`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
