// The caches of --cache-from while a build goes on. Of each, its document is read at the start; layers come when a step is
// needed that has them. No cache can make a build fail: what is wrong with one is a warning, and its steps are run.

import type { Digest } from '../../core/digest.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { storeLayers } from '../../image/store-layers.ts';
import type { IdMap } from '../../native/plan.ts';
import { createRegistryClient } from '../../registry/client.ts';
import type { BlobSource, RegistryClient, RegistryOptions } from '../../registry/types.ts';
import { MEDIA_TYPE, type Descriptor, type Manifest } from '../../oci/image.ts';
import { statBlob } from '../../store/blobs.ts';
import type { CachedLayer, StepRecord } from '../../store/build-cache.ts';
import type { StoreRoot } from '../../store/layout.ts';
import {
  isManifestType,
  parseArtifact,
  parseIndex,
  parseObject,
  MAX_MANIFEST_BYTES,
} from '../../store/parse.ts';
import type { OnBuildEvent } from '../events.ts';
import { baseOf, type StepVertex, type Vertex } from '../graph.ts';
import { stackOf } from '../layer-store.ts';
import type { BuildParts } from '../parts.ts';
import { describe, type CachedStep, type Lookup } from '../solve.ts';
import {
  CACHE_CONFIG_TYPE,
  INLINE_ANNOTATION,
  parseDocument,
  type CacheDocument,
  type MountIdentity,
  type TransferredLayer,
  type TransferredStep,
} from './document.ts';
import type { CacheSource } from './flags.ts';
import { restoreMount } from './mounts.ts';
import { directoryOrigin, registryOrigin, type CacheOrigin } from './origin.ts';

/** A registry that does not answer must not hold a build up for long that can do without. */
const RETRIES = 1;
/** An index has one for each platform. */
const MAX_MANIFESTS = 16;

/** One document, and where its blobs are. */
interface OpenCache {
  source: CacheSource;
  origin: CacheOrigin;
  document: CacheDocument;
}

export interface Taking {
  parts: BuildParts;
  idMap: IdMap | undefined;
  /** Gets the digests of blobs before they are here. */
  added: Set<Digest>;
  /** Once there is something to fetch. @returns the number of the vertex in events */
  start: () => number;
  onEvent: OnBuildEvent;
}

export interface Taken {
  step: CachedStep;
  /** Of it, and of others whose layers are here with it. */
  records: { key: string; record: StepRecord }[];
}

/** A blob that one of the caches has. */
export interface RemoteBlob {
  source: BlobSource;
  /** `registry/repository`; undefined: not in a registry. */
  place: { registry: string; repository: string } | undefined;
}

export class CacheImports {
  readonly #parts: BuildParts;
  readonly #sources: readonly CacheSource[];
  readonly #registry: RegistryOptions | undefined;
  readonly #clients: RegistryClient[] = [];
  readonly #caches: OpenCache[] = [];
  /** Those that something was wrong with. */
  readonly #given = new Set<OpenCache>();
  #opening: Promise<void> | undefined;
  #small: RegistryClient | undefined;
  #large: RegistryClient | undefined;

  /** Asks nothing of anybody yet. */
  constructor(parts: BuildParts, sources: readonly CacheSource[], registry: RegistryOptions | undefined) {
    this.#parts = parts;
    this.#sources = sources;
    this.#registry = registry;
  }

  /** Reads what the caches hold, once. @throws CANCELLED and nothing else */
  open(onEvent: OnBuildEvent, nextNumber: () => number): Promise<void> {
    this.#opening ??= this.#open(onEvent, nextNumber);
    return this.#opening;
  }

  close(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }

  /** What copied files of a stage were, by the same key as in build-cache/contents. */
  content(key: string): Digest | undefined {
    return this.#find(({ document }) => document.contents.get(key))?.found;
  }

  /** What is said of a step; its layers may be nowhere near. */
  step(key: string): TransferredStep | undefined {
    return this.#find(({ document }) => document.steps.get(key))?.found;
  }

  mount(wanted: MountIdentity): TransferredLayer | undefined {
    return this.#findMount(wanted)?.found;
  }

  /** As another machine has left it, with its layers in the store. Undefined: no cache knows it, or it cannot be had. */
  async take(vertex: StepVertex, of: Pick<Lookup, 'key'>, taking: Taking): Promise<Taken | undefined> {
    const key = await of.key(vertex);
    for (;;) {
      const hit = this.#find(({ document }) => document.steps.get(key));
      if (hit === undefined) return undefined;
      const { cache, found } = hit;
      const { name } = cache.source;
      if (found.made.length !== stepsAbove(vertex)) {
        this.#giveUp(
          cache,
          `importing the cache from "${name}": what it says of ${JSON.stringify(vertex.name)} cannot be`,
        );
        continue;
      }
      try {
        const layers = await this.#fetch(cache, found, vertex, taking);
        const record = recordOf(vertex, found, layers);
        const records = [{ key, record }, ...(await this.#recordsBelow(vertex, layers, of))];
        return { step: { ...record, from: name }, records };
      } catch (error) {
        if (taking.parts.signal.aborted || !isFailure(error)) throw error;
        this.#giveUp(cache, inContext(error.message, name));
      }
    }
  }

  /** Of the steps that it stands on, as far as their layers came with it. */
  async #recordsBelow(
    vertex: StepVertex,
    layers: readonly CachedLayer[],
    of: Pick<Lookup, 'key'>,
  ): Promise<Taken['records']> {
    const records: Taken['records'] = [];
    const base = baseOf(vertex).image?.layers.length ?? 0;
    for (let below = vertex.parent; below.kind !== 'base'; below = below.parent) {
      const key = await of.key(below);
      const step = this.step(key);
      if (step?.made.length !== stepsAbove(below)) continue;
      if (step.layers.every(({ diffId }, i) => layers[base + i]?.diffId === diffId))
        records.push({ key, record: recordOf(below, step, layers.slice(0, base + step.layers.length)) });
    }
    return records;
  }

  /** Makes the directory `name` in a folder with what a cache knows of it. False: none does, or it cannot be had. */
  async restore(
    mount: MountIdentity,
    target: { folder: string; name: string },
    { parts, idMap, added }: Pick<Taking, 'parts' | 'idMap' | 'added'>,
  ): Promise<boolean> {
    const hit = this.#findMount(mount);
    if (hit === undefined) return false;
    const { cache, found } = hit;
    const doing = `importing the cache mount ${JSON.stringify(mount.id)} from "${cache.source.name}"`;
    try {
      await restoreMount(parts, found, { ...target, idMap, doing, added, fetch: cache.origin.fetch });
      return true;
    } catch (error) {
      if (parts.signal.aborted || !isFailure(error)) throw error;
      const message = error instanceof EngineError ? error.message : `${doing}: ${error.message}`;
      parts.log.warn(`${message}; it starts empty`);
      return false;
    }
  }

  /** A layer's blob as one of the caches has it, for another place. */
  blob(wanted: Descriptor, signal: AbortSignal): RemoteBlob | undefined {
    const hit = this.#find((cache) => (hasLayer(cache.document, wanted.digest) ? cache : undefined));
    if (hit === undefined) return undefined;
    const { origin, source } = hit.cache;
    const open = async function* (offset: number): AsyncGenerator<Uint8Array> {
      yield* await origin.fetch(wanted, { offset, signal, again: false });
    };
    return {
      source: { descriptor: wanted, open },
      place: source.location.kind === 'registry' ? source.location.ref : undefined,
    };
  }

  #find<T>(look: (cache: OpenCache) => T | undefined): { cache: OpenCache; found: T } | undefined {
    for (const cache of this.#caches) {
      const found = this.#given.has(cache) ? undefined : look(cache);
      if (found !== undefined) return { cache, found };
    }
    return undefined;
  }

  #findMount(wanted: MountIdentity): { cache: OpenCache; found: TransferredLayer } | undefined {
    return this.#find(({ source, document }) =>
      source.mounts ? document.mounts.find((one) => isSameMount(one, wanted))?.layer : undefined,
    );
  }

  async #fetch(
    { origin, source }: OpenCache,
    step: TransferredStep,
    vertex: StepVertex,
    { parts, idMap, added, start, onEvent }: Taking,
  ): Promise<CachedLayer[]> {
    const base = (baseOf(vertex).image?.layers ?? []).map(({ diffId, blob }) => ({ diffId, blob }));
    const layers = [...base, ...step.layers.map((layer) => ownLayer(parts.paths, layer))];
    const number = start();
    for (const { blob } of layers.slice(base.length)) added.add(blob.digest);
    await storeLayers(parts, stackOf(layers), {
      idMap,
      doing: `importing the cache from "${source.name}"`,
      fetch: origin.fetch,
      onEvent: (event) => onEvent({ type: 'image', vertex: number, event, atMs: Date.now() }),
    });
    return layers;
  }

  /** One line, whatever else is wrong with it. */
  #giveUp(cache: OpenCache, message: string): void {
    if (this.#given.has(cache)) return;
    this.#given.add(cache);
    this.#parts.log.warn(`${message}; the build goes on without it`);
  }

  async #open(onEvent: OnBuildEvent, nextNumber: () => number): Promise<void> {
    const opened = await Promise.all(
      this.#sources.map((source) => this.#openOne(source, onEvent, nextNumber())),
    );
    this.#caches.push(...opened.flat());
  }

  async #openOne(source: CacheSource, onEvent: OnBuildEvent, vertex: number): Promise<OpenCache[]> {
    const { name } = source;
    const at = (): { vertex: number; atMs: number } => ({ vertex, atMs: Date.now() });
    onEvent({
      ...{ type: 'start', work: 'cache', stage: undefined, ...at() },
      name: `importing cache manifest from ${name}`,
    });
    let opened: OpenCache[] = [];
    try {
      const origin = this.#originOf(source);
      opened = (await readDocuments(origin, name)).map((document) => ({ source, origin, document }));
      const steps = opened.reduce((sum, { document }) => sum + document.steps.size, 0);
      onEvent({ type: 'status', text: `${steps} ${steps === 1 ? 'step' : 'steps'}`, ...at() });
    } catch (error) {
      if (this.#parts.signal.aborted || !isFailure(error)) throw error;
      const isMissing = error instanceof EngineError && error.code === 'IMAGE_NOT_FOUND';
      if (isMissing && !source.isExpected) onEvent({ type: 'status', text: 'there is nothing yet', ...at() });
      else this.#parts.log.warn(`${inContext(error.message, name)}; the build goes on without it`);
    }
    onEvent({ type: 'done', ...at() });
    return opened;
  }

  #originOf({ location }: CacheSource): CacheOrigin {
    if (location.kind === 'directory') return directoryOrigin(location.path);
    this.#small ??= this.#client({ ...this.#registry, retries: this.#registry?.retries ?? RETRIES });
    return registryOrigin(location.ref, this.#small, () => {
      this.#large ??= this.#client(this.#registry);
      return this.#large;
    });
  }

  #client(options: RegistryOptions | undefined): RegistryClient {
    const { env, log, signal } = this.#parts;
    const config = this.#parts.config();
    const client = createRegistryClient({ config, env, log, signal, options, doing: IMPORTING });
    this.#clients.push(client);
    return client;
  }
}

/** Anything but a mistake of ours. */
function isFailure(error: unknown): error is Error {
  return error instanceof EngineError || (error instanceof Error && errnoOf(error) !== undefined);
}

const IMPORTING = 'importing the cache from';

function inContext(message: string, name: string): string {
  return message.startsWith(IMPORTING) ? message : `${IMPORTING} "${name}": ${message}`;
}

/** @throws IMAGE_INVALID for what has no cache in it, and what `origin` throws */
async function readDocuments(origin: CacheOrigin, name: string): Promise<CacheDocument[]> {
  const what = `the cache "${name}"`;
  const top = await origin.top();
  if (!('manifests' in parseObject(top, what, MAX_MANIFEST_BYTES)))
    return [await readDocument(origin, parseArtifact(top, what), what)];
  const entries = parseIndex(top, what).manifests.filter(({ mediaType }) => isManifestType(mediaType));
  const documents: CacheDocument[] = [];
  let failure: unknown = noCache(what, 'an index that names none');
  for (const { digest } of entries.slice(0, MAX_MANIFESTS)) {
    try {
      documents.push(await readDocument(origin, parseArtifact(await origin.manifest(digest), what), what));
    } catch (error) {
      failure = error;
    }
  }
  if (documents.length === 0) throw failure;
  return documents;
}

async function readDocument(origin: CacheOrigin, manifest: Manifest, what: string): Promise<CacheDocument> {
  const { config, layers, annotations } = manifest;
  if (config.mediaType === CACHE_CONFIG_TYPE) return parseDocument(await origin.config(config), layers, what);
  const inline = annotations?.[INLINE_ANNOTATION];
  if (inline !== undefined) return parseDocument(Buffer.from(inline), layers, what);
  throw noCache(what, FOUND[config.mediaType] ?? JSON.stringify(config.mediaType.slice(0, 100)));
}

const FOUND: Readonly<Record<string, string>> = {
  [MEDIA_TYPE.config]: 'an image without one',
  [MEDIA_TYPE.dockerConfig]: 'an image without one',
  'application/vnd.buildkit.cacheconfig.v0': 'one of BuildKit, whose keys are others',
};

function noCache(what: string, found: string): EngineError {
  return new EngineError('IMAGE_INVALID', `reading ${what}: there is no cache of skiff's, but ${found}`);
}

function recordOf(
  vertex: StepVertex,
  { made, sizeBytes }: TransferredStep,
  layers: readonly CachedLayer[],
): StepRecord {
  return { layers, made, sizeBytes, description: describe(vertex), createdAt: new Date().toISOString() };
}

/** Instructions that make files, from the base to this one. */
function stepsAbove(vertex: Vertex): number {
  let count = 0;
  for (let below = vertex; below.kind !== 'base'; below = below.parent) count++;
  return count;
}

/** The tar may be here already, from a build of our own. */
function ownLayer(root: StoreRoot, { diffId, blob }: TransferredLayer): CachedLayer {
  const size = statBlob(root, diffId);
  return size === undefined
    ? { diffId, blob }
    : { diffId, blob: { mediaType: MEDIA_TYPE.layerTar, digest: diffId, size } };
}

function isSameMount(a: MountIdentity, b: MountIdentity): boolean {
  return a.id === b.id && a.uid === b.uid && a.gid === b.gid && a.mode === b.mode;
}

function hasLayer({ steps, mounts }: CacheDocument, digest: Digest): boolean {
  const has = ({ blob }: TransferredLayer): boolean => blob.digest === digest;
  return mounts.some(({ layer }) => has(layer)) || [...steps.values()].some(({ layers }) => layers.some(has));
}
