// oci/index.json (image-spec image-layout.md): which manifests have names. It is the only file that says what is kept.
// Each entry is one platform's manifest; its annotation org.opencontainers.image.ref.name is the full reference, so
// that other tools address it as oci:STORE/oci:NAME. An entry without that annotation is a dangling image.

import * as fs from 'node:fs';
import type { Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { ANNOTATION, MEDIA_TYPE, type Descriptor, type Index } from '../oci/image.ts';
import { publishFile, storeIo } from './io.ts';
import { indexFile, indexLockFile, type StoreRoot } from './layout.ts';
import { lock, type LockOptions } from './lock.ts';
import { parseIndex } from './parse.ts';

/** Our annotations on entries of index.json. */
export const ENTRY_ANNOTATION = {
  refName: ANNOTATION.refName,
  /** `repository@digest` as pulled, the digest being that of the multi-platform index where there was one. */
  repoDigests: 'io.skiff.image.repo-digests',
  /** RFC 3339: when the name was last set. */
  taggedAt: 'io.skiff.image.tagged-at',
} as const;

export type IndexEntries = readonly Descriptor[];

/**
 * The entries, empty when there is no store yet.
 * @throws STORE_INVALID when the file is torn: nothing here writes such a file, so nothing is guessed
 */
export function readIndex(root: StoreRoot): Descriptor[] {
  const file = indexFile(root);
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    return storeIo('reading', file, () => {
      throw error;
    });
  }
  try {
    return parseIndex(bytes, `"${file}"`).manifests;
  } catch (cause) {
    throw new EngineError('STORE_INVALID', `reading "${file}": no valid OCI index`, {
      cause,
      hint: 'another program changed it; restore it, or remove it to forget all images',
    });
  }
}

/** index.json while its lock is held: no entry changes under the holder. */
export interface IndexEdit {
  entries: Descriptor[];
  /** Replaces the entries, atomically. Writes nothing when nothing changed. */
  save: (after: Descriptor[]) => void;
}

/** Runs `work` under the lock of index.json, which also guards the records in images/. */
export async function editIndex<T>(
  root: StoreRoot,
  work: (edit: IndexEdit) => T,
  options: LockOptions = {},
): Promise<T> {
  const held = await lock(indexLockFile(root), 'exclusive', options);
  try {
    const entries = readIndex(root);
    const before = formatIndex(entries);
    return work({
      entries,
      save: (after) => {
        const text = formatIndex(after);
        if (text !== before) publishFile(indexFile(root), text);
      },
    });
  } finally {
    held.release();
  }
}

function formatIndex(manifests: Descriptor[]): string {
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
  return `${JSON.stringify(index)}\n`;
}

/** The full reference of an entry, undefined when it is dangling. */
export function nameOf(entry: Descriptor): string | undefined {
  return entry.annotations?.[ENTRY_ANNOTATION.refName];
}

export function repoDigestsOf(entry: Descriptor): string[] {
  const text = entry.annotations?.[ENTRY_ANNOTATION.repoDigests] ?? '';
  return text.split(' ').filter((part) => part !== '');
}

export interface NewName {
  reference: string;
  manifest: Descriptor;
  /** `docker.io/library/debian@sha256:…` */
  repoDigest?: string | undefined;
  /** Of an index: the manifests that it names. Without a name of their own they need no entry. */
  parts?: readonly Digest[];
}

/**
 * Gives a manifest a name. The name's earlier manifest, when it has no other, stays as a dangling entry. Pure.
 * repo digests known for the same manifest are kept.
 */
export function withName(
  entries: readonly Descriptor[],
  { reference, manifest, repoDigest, parts = [] }: NewName,
  now: Date,
): Descriptor[] {
  const same = entries.filter((entry) => entry.digest === manifest.digest);
  const repoDigests = new Set(same.flatMap(repoDigestsOf));
  if (repoDigest !== undefined) repoDigests.add(repoDigest);
  const named = entryFor(manifest, reference, [...repoDigests], now);
  // The same name for the same manifest is renewed; a dangling entry of this manifest is superseded by its new name.
  const kept = entries.filter((entry) => {
    const name = nameOf(entry);
    return entry.digest !== manifest.digest || (name !== undefined && name !== reference);
  });
  const others = withoutName(kept, reference, true);
  return [...others.filter((entry) => nameOf(entry) !== undefined || !parts.includes(entry.digest)), named];
}

/** Notes that a repository has the manifest: under this digest, which another form of it may have there. Pure. */
export function withRepoDigest(
  entries: readonly Descriptor[],
  manifest: Digest,
  repoDigest: string,
): Descriptor[] {
  return entries.map((entry) => {
    const known = repoDigestsOf(entry);
    if (entry.digest !== manifest || known.includes(repoDigest)) return entry;
    const text = [...known, repoDigest].join(' ');
    return { ...entry, annotations: { ...entry.annotations, [ENTRY_ANNOTATION.repoDigests]: text } };
  });
}

/**
 * Takes a name away. Pure. keepDangling: the manifest stays, without a name, when it was its last one.
 */
export function withoutName(
  entries: readonly Descriptor[],
  reference: string,
  keepDangling: boolean,
): Descriptor[] {
  const result: Descriptor[] = [];
  for (const entry of entries) {
    if (nameOf(entry) !== reference) {
      result.push(entry);
      continue;
    }
    const others = entries.some((other) => other !== entry && other.digest === entry.digest);
    if (keepDangling && !others) result.push(dangling(entry));
  }
  return result;
}

/** Takes the manifest away with all its names. Pure. */
export function withoutManifest(entries: readonly Descriptor[], digest: Digest): Descriptor[] {
  return entries.filter((entry) => entry.digest !== digest);
}

function dangling(entry: Descriptor): Descriptor {
  const annotations = Object.fromEntries(
    Object.entries(entry.annotations ?? {}).filter(([key]) => key !== ENTRY_ANNOTATION.refName),
  );
  return { ...entry, annotations };
}

function entryFor(manifest: Descriptor, reference: string, repoDigests: string[], now: Date): Descriptor {
  const { mediaType, digest, size, platform } = manifest;
  return {
    mediaType,
    digest,
    size,
    ...(platform === undefined ? {} : { platform }),
    annotations: {
      [ENTRY_ANNOTATION.refName]: reference,
      ...(repoDigests.length === 0 ? {} : { [ENTRY_ANNOTATION.repoDigests]: repoDigests.join(' ') }),
      [ENTRY_ANNOTATION.taggedAt]: now.toISOString(),
    },
  };
}
