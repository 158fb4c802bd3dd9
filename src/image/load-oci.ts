// An OCI image layout (image-spec image-layout.md), as a folder or in a tar: which images it holds, and under which names.

import type { Digest } from '../core/digest.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { ANNOTATION, type Descriptor, type Platform } from '../oci/image.ts';
import {
  isAttestation,
  isIndexType,
  MAX_MANIFEST_BYTES,
  parseIndex,
  parseManifestOrIndex,
} from '../store/parse.ts';
import type { LoadableImage } from './load-docker.ts';
import { choosePlatform, hostPlatform } from '../core/platform.ts';

/** Written by containerd and buildkit: the whole name, where ref.name holds the tag alone. */
export const CONTAINERD_NAME = 'io.containerd.image.name';
const MAX_DEPTH = 4;

/** Content of a small file of the layout, by its path. */
export type ReadFile = (path: string, limit: number) => Uint8Array | undefined;

/** One image of a layout's folder. Neither tag nor digest: "latest", or the only one there is. */
export interface Layout {
  /** Host path. */
  path: string;
  tag: string | undefined;
  digest: string | undefined;
}

/**
 * @param wanted one platform of each image; undefined: an index with all of its platforms that are there, if those are several
 * @param only of the entries of index.json; all without it
 * @returns undefined: no OCI layout
 * @throws IMAGE_INVALID, DIGEST_MISMATCH, PLATFORM_NOT_FOUND
 */
export function readOciLayout(
  read: ReadFile,
  wanted: Platform | undefined,
  what: string,
  only: (entries: readonly Descriptor[]) => readonly Descriptor[] = (entries) => entries,
): LoadableImage[] | undefined {
  if (read('oci-layout', 4096) === undefined) return undefined;
  const bytes = read('index.json', MAX_MANIFEST_BYTES);
  if (bytes === undefined) throw invalid(what, 'it has no index.json');
  const groups = new Map<string, Descriptor[]>();
  const { manifests } = parseIndex(bytes, `index.json of ${what}`);
  for (const entry of only(manifests.filter((one) => !isAttestation(one)))) {
    const key = namesOf(entry).join(' ') || entry.digest;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  // Several entries of one name are its platforms.
  return [...groups.values()].map((entries) => {
    const platform = wanted ?? hostPlatform(process.arch);
    const entry =
      entries.length === 1
        ? (entries[0] as Descriptor)
        : choosePlatform(entries, platform, `loading ${what}`);
    const names = namesOf(entry);
    const whole = wanted === undefined ? readWholeIndex(read, entry, what) : undefined;
    return { names, ...(whole ?? readManifest(read, entry, platform, what)) };
  });
}

/** undefined: no index, or one with less than two images here. */
function readWholeIndex(
  read: ReadFile,
  { digest, mediaType }: Descriptor,
  what: string,
): Omit<LoadableImage, 'names'> | undefined {
  if (!isIndexType(mediaType)) return undefined;
  const bytes = readBlobFile(read, digest, what);
  const platforms = parseIndex(bytes, `index "${digest}" of ${what}`)
    .manifests.filter((entry) => !isAttestation(entry) && !isIndexType(entry.mediaType))
    .filter((entry) => read(blobPath(entry.digest), MAX_MANIFEST_BYTES) !== undefined)
    .map((entry) => ({
      names: [],
      mediaType: entry.mediaType,
      manifest: readBlobFile(read, entry.digest, what),
    }));
  return platforms.length < 2 ? undefined : { mediaType, manifest: bytes, platforms };
}

function readManifest(
  read: ReadFile,
  entry: Descriptor,
  wanted: Platform,
  what: string,
): Pick<LoadableImage, 'mediaType' | 'manifest'> {
  let current = entry;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const bytes = readBlobFile(read, current.digest, what);
    const parsed = parseManifestOrIndex(bytes, current.mediaType, `manifest "${current.digest}" of ${what}`);
    if (parsed.kind === 'manifest') {
      const mediaType = parsed.manifest.mediaType ?? current.mediaType;
      return { mediaType: isIndexType(mediaType) ? current.mediaType : mediaType, manifest: bytes };
    }
    current = choosePlatform(parsed.index.manifests, wanted, `loading ${what}`);
  }
  throw invalid(what, `its indexes are nested more than ${MAX_DEPTH} deep`);
}

/** Entries of the image that is asked for: its platforms, or their index. (pure) */
export function entriesOf(
  entries: readonly Descriptor[],
  { tag, digest }: Pick<Layout, 'tag' | 'digest'>,
): readonly Descriptor[] {
  if (digest !== undefined) return entries.filter((entry) => entry.digest === digest);
  const tagged = entries.filter(({ annotations }) => {
    const name = annotations?.[ANNOTATION.refName] ?? annotations?.[CONTAINERD_NAME] ?? '';
    return name === (tag ?? 'latest') || name.endsWith(`:${tag ?? 'latest'}`);
  });
  return tag === undefined && tagged.length === 0 && entries.length === 1 ? entries : tagged;
}

/** Small blobs: manifests and configs. */
export function readBlobFile(read: ReadFile, digest: Digest, what: string): Uint8Array {
  const bytes = read(blobPath(digest), MAX_MANIFEST_BYTES);
  if (bytes === undefined) throw invalid(what, `blob "${digest}" is missing`);
  const found = digestOf(bytes);
  if (found === digest) return bytes;
  throw new EngineError('DIGEST_MISMATCH', `loading ${what}: blob "${digest}" has digest ${found}`);
}

export function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** ref.name is a whole reference or, by the spec's own habit, a tag alone, which names no image. */
function namesOf({ annotations }: Descriptor): string[] {
  const name = annotations?.[CONTAINERD_NAME] ?? annotations?.[ANNOTATION.refName];
  return name === undefined || name === '' || TAG_ALONE.test(name) ? [] : [name];
}

const TAG_ALONE = /^(latest|v?\d[\w.-]*)$/;

function invalid(what: string, cause: string): EngineError {
  return new EngineError('IMAGE_INVALID', `loading ${what}: ${cause}`);
}
