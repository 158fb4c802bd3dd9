// build-cache/: what earlier builds found out. Every file is small, replaced as a whole, and may be deleted at any time:
// then a step is run again. Only steps/ keeps anything else alive: the layers that a record names (gc.ts).
//
//   steps/<key>.json       StepRecord: what a step with that key came to
//   files/<digest>.json    the files behind a content digest, to say later which of them changed
//   contents/<key>         content digest of what a COPY --from selects in a stage with that key
//   urls/<hash>.json       what a server said of the file of a URL, and the content digests that it came to
//   builds/<hash>.json     the last build of one target, step by step: why the next one misses
//   history/<id>/          pictures of the last builds (build-history.ts)
//   mounts/<hash>/         contents of RUN --mount=type=cache

import * as fs from 'node:fs';
import { isDigest, type Digest } from '../core/digest.ts';
import { errnoOf } from '../core/errors.ts';
import { namesIn } from '../core/fs.ts';
import { isObject } from '../core/json.ts';
import type { Descriptor } from '../oci/image.ts';
import { publishFile, storeIo } from './io.ts';
import type { StoreRoot } from './layout.ts';

/** Raised when the meaning of keys or layers changes. */
export const BUILD_CACHE_VERSION = 1;

/** Those that hold records, one small file each. */
export const RECORD_SHELVES = ['steps', 'files', 'contents', 'urls', 'builds'] as const;
export type CacheShelf = (typeof RECORD_SHELVES)[number] | 'mounts';

export interface CachedLayer {
  diffId: Digest;
  blob: Descriptor;
}

/** The result of one step: all layers of its root file system, bottom first. */
export interface StepRecord {
  layers: readonly CachedLayer[];
  /** Of each step since the base, this one last: whether it made a layer, or changed nothing. */
  made: readonly boolean[];
  /** Content of the own layer's files. */
  sizeBytes: number;
  /** "RUN make" */
  description: string;
  /** RFC 3339 */
  createdAt: string;
}

export function buildCacheDir({ graphRoot }: StoreRoot): string {
  return `${graphRoot}/build-cache`;
}

export function shelfDir(root: StoreRoot, shelf: CacheShelf): string {
  return `${buildCacheDir(root)}/${shelf}`;
}

/** Undefined: no such record, or one of another version. Notes that it was of use. */
export function readStep(root: StoreRoot, key: string): StepRecord | undefined {
  const value = readCached(root, 'steps', key);
  if (!isStepRecord(value)) return undefined;
  const now = Date.now() / 1000;
  try {
    fs.utimesSync(fileOf(root, 'steps', key), now, now);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error; // a read-only store is no reason to miss
  }
  return value;
}

export function writeStep(root: StoreRoot, key: string, record: StepRecord): void {
  writeCached(root, 'steps', key, record);
}

/** What was written there; undefined when nothing was, or something torn. */
export function readCached(root: StoreRoot, shelf: CacheShelf, key: string): unknown {
  try {
    const stored: unknown = JSON.parse(fs.readFileSync(fileOf(root, shelf, key), 'utf8'));
    return isObject(stored) && stored['version'] === BUILD_CACHE_VERSION ? stored['value'] : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT') return undefined;
    return storeIo('reading', fileOf(root, shelf, key), () => {
      throw error;
    });
  }
}

export function hasCached(root: StoreRoot, shelf: CacheShelf, key: string): boolean {
  return fs.existsSync(fileOf(root, shelf, key));
}

export function writeCached(root: StoreRoot, shelf: CacheShelf, key: string, value: unknown): void {
  const dir = shelfDir(root, shelf);
  storeIo('making', dir, () => fs.mkdirSync(dir, { recursive: true, mode: 0o700 }));
  publishFile(fileOf(root, shelf, key), `${JSON.stringify({ version: BUILD_CACHE_VERSION, value })}\n`);
}

export interface StoredStep {
  key: string;
  record: StepRecord;
  lastUsedMs: number;
}

export function listSteps(root: StoreRoot): StoredStep[] {
  return listCached(root, 'steps').flatMap(({ key, lastUsedMs }) => {
    const record = readCached(root, 'steps', key);
    return isStepRecord(record) ? [{ key, record, lastUsedMs }] : [];
  });
}

export function listCached(root: StoreRoot, shelf: CacheShelf): { key: string; lastUsedMs: number }[] {
  return namesIn(shelfDir(root, shelf)).flatMap((name) => {
    const key = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
    const stat = fs.statSync(`${shelfDir(root, shelf)}/${name}`, { throwIfNoEntry: false });
    return key === undefined || stat === undefined ? [] : [{ key, lastUsedMs: stat.mtimeMs }];
  });
}

export function removeCached(root: StoreRoot, shelf: CacheShelf, key: string): void {
  fs.rmSync(fileOf(root, shelf, key), { force: true });
}

/** @param key 64 hex digits */
function fileOf(root: StoreRoot, shelf: CacheShelf, key: string): string {
  return `${shelfDir(root, shelf)}/${key}.json`;
}

function isStepRecord(value: unknown): value is StepRecord {
  if (!isObject(value) || !Array.isArray(value['layers']) || !Array.isArray(value['made'])) return false;
  return (value['layers'] as unknown[]).every(
    (layer) =>
      isObject(layer) &&
      typeof layer['diffId'] === 'string' &&
      isDigest(layer['diffId']) &&
      isObject(layer['blob']) &&
      typeof layer['blob']['digest'] === 'string' &&
      isDigest(layer['blob']['digest']),
  );
}
