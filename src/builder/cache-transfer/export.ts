// --cache-to: the cache of a build into a registry or a directory, as an OCI manifest whose config is the document
// (document.ts) and whose layers are the blobs. Layers go in parallel; what is there already is not sent.

import type { Digest } from '../../core/digest.ts';
import { digestOf } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { addingBlobs } from '../../image/adding.ts';
import { FirstFailure } from '../../image/first-failure.ts';
import { treatmentOf } from '../../image/push-manifest.ts';
import { sendCompressed } from '../../image/send-compressed.ts';
import type { IdMap } from '../../native/plan.ts';
import { createRegistryClient } from '../../registry/client.ts';
import type { BlobSource, RegistryOptions, UploadOptions, UploadOutcome } from '../../registry/types.ts';
import { MEDIA_TYPE, type Descriptor, type Manifest } from '../../oci/image.ts';
import { hasBlob, openBlob } from '../../store/blobs.ts';
import type { OnBuildEvent } from '../events.ts';
import type { BuildParts } from '../parts.ts';
import type { CacheContent } from './content.ts';
import {
  CACHE_CONFIG_TYPE,
  encodeDocument,
  type MountIdentity,
  type TransferredLayer,
  type TransferredMount,
  type TransferredStep,
} from './document.ts';
import type { CacheDestination } from './flags.ts';
import type { CacheImports } from './imports.ts';
import { hasMount, packMount } from './mounts.ts';
import { DirectoryTarget, registryTarget, type CacheTarget } from './target.ts';

/** As a push. */
const PARALLEL = 5;

export interface ExportOptions {
  registry: RegistryOptions | undefined;
  imports: CacheImports;
  idMap: IdMap | undefined;
  /** Of the next vertex in events. */
  nextNumber: () => number;
  onEvent: OnBuildEvent;
}

/**
 * To one destination after the other.
 * @param contents of the builds that make one result
 * @throws what the first one fails with that has no ignore-error
 */
export async function exportCaches(
  parts: BuildParts,
  destinations: readonly CacheDestination[],
  contents: readonly CacheContent[],
  options: ExportOptions,
): Promise<void> {
  const { onEvent, nextNumber } = options;
  for (const destination of destinations) {
    const vertex = nextNumber();
    const at = (): { vertex: number; atMs: number } => ({ vertex, atMs: Date.now() });
    const kind = destination.location.kind === 'registry' ? 'registry' : 'client directory';
    onEvent({ type: 'start', work: 'cache', stage: undefined, name: `exporting cache to ${kind}`, ...at() });
    try {
      const say = (text: string): void => onEvent({ type: 'status', text, ...at() });
      await exportCache(parts, destination, contents, { ...options, say });
      onEvent({ type: 'done', ...at() });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const isCancelled = parts.signal.aborted;
      if (destination.ignoreError && error instanceof EngineError && !isCancelled) {
        parts.log.warn(message);
        onEvent({ type: 'done', ...at() });
        continue;
      }
      onEvent({ type: 'error', message, canceled: isCancelled, ...at() });
      throw error;
    }
  }
}

async function exportCache(
  parts: BuildParts,
  destination: CacheDestination,
  contents: readonly CacheContent[],
  options: ExportOptions & { say: (text: string) => void },
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([parts.signal, stop.signal]);
  const target = await openTarget({ ...parts, signal }, destination, options.registry);
  try {
    // What packing leaves in the store is of no use afterwards.
    await addingBlobs(parts.paths, parts.signal, (added) =>
      new Exporting({ ...parts, signal }, destination, target, { ...options, added, stop }).run(contents),
    );
  } finally {
    target.close();
  }
}

async function openTarget(
  { config, env, log, signal }: BuildParts,
  { location }: CacheDestination,
  registry: RegistryOptions | undefined,
): Promise<CacheTarget> {
  if (location.kind === 'directory') return await DirectoryTarget.open(location.path, signal);
  const doing = 'exporting the cache to';
  return registryTarget(
    location.ref,
    createRegistryClient({ config: config(), env, log, signal, options: registry, doing }),
  );
}

interface ExportingOptions extends ExportOptions {
  say: (text: string) => void;
  added: Set<Digest>;
  stop: AbortController;
}

class Exporting {
  readonly #parts: BuildParts;
  readonly #destination: CacheDestination;
  readonly #target: CacheTarget;
  readonly #options: ExportingOptions;

  constructor(
    parts: BuildParts,
    destination: CacheDestination,
    target: CacheTarget,
    options: ExportingOptions,
  ) {
    this.#parts = parts;
    this.#destination = destination;
    this.#target = target;
    this.#options = options;
  }

  async run(contents: readonly CacheContent[]): Promise<void> {
    const { say } = this.#options;
    say('preparing build cache for export');
    const steps = this.#stepsOf(contents);
    const mounts = this.#destination.mounts ? await this.#mounts(contents) : [];
    const layers = distinct([
      ...[...steps.values()].flatMap((step) => step.layers),
      ...mounts.map(({ layer }) => layer),
    ]);
    const sent = await this.#sendAll(layers);
    const document = { steps, mounts, contents: new Map(contents.flatMap((one) => [...one.contents])) };
    const config = encodeDocument(document, layers);
    const digest = digestOf(config);
    await this.#target.put({
      descriptor: { digest, size: config.length },
      open: (offset) => chunkOf(config.subarray(offset)),
    });
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: { mediaType: CACHE_CONFIG_TYPE, digest, size: config.length },
      layers: sent,
    };
    const { name } = this.#destination;
    say(
      (await this.#target.publish(manifest))
        ? `writing cache manifest to ${name} done`
        : `${name} is up to date`,
    );
  }

  /** Those of this destination whose layers can be had. */
  #stepsOf(contents: readonly CacheContent[]): Map<string, TransferredStep> {
    const steps = new Map<string, TransferredStep>();
    for (const [key, step] of contents.flatMap((one) => [...one.steps])) {
      const { isOfResult, layers, made, sizeBytes } = step;
      if (!isOfResult && !this.#destination.allStages) continue;
      if (layers.every((layer) => this.#sourceOf(layer.blob) !== undefined))
        steps.set(key, { layers, made, sizeBytes });
    }
    return steps;
  }

  /** Packed anew where a step has used it, or no cache has it; else as it was. */
  async #mounts(contents: readonly CacheContent[]): Promise<TransferredMount[]> {
    const { idMap, imports, added, say } = this.#options;
    const mounts: TransferredMount[] = [];
    for (const { isUsed, ...mount } of contents.flatMap((one) => one.mounts)) {
      if (mounts.some((one) => isSame(one, mount))) continue;
      const before = imports.mount(mount);
      let layer: TransferredLayer | undefined = before;
      if ((isUsed || before === undefined) && hasMount(this.#parts, mount, idMap)) {
        const packed = await packMount(this.#parts, mount, idMap);
        if (packed === 'in-use')
          this.#parts.log.warn(
            `the cache mount ${JSON.stringify(mount.id)} is not exported: another build uses it`,
          );
        else if (packed !== 'empty') layer = packed;
        if (typeof packed === 'object') added.add(packed.blob.digest);
        say(`packing cache mount ${mount.id} done`);
      }
      if (layer !== undefined) mounts.push({ ...mount, layer });
    }
    return mounts;
  }

  /** As they are there, in the same order. One that fails stops the others. */
  async #sendAll(layers: readonly TransferredLayer[]): Promise<Descriptor[]> {
    const failure = new FirstFailure(() => this.#options.stop.abort());
    const waiting = [...layers.entries()];
    const sent: Descriptor[] = [];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined && !failure.any; next = waiting.shift())
        sent[next[0]] = await this.#send(next[1]);
    };
    await Promise.all(Array.from({ length: PARALLEL }, () => work().catch(failure.add)));
    failure.throwIfAny();
    return sent;
  }

  async #send({ blob }: TransferredLayer): Promise<Descriptor> {
    const { paths } = this.#parts;
    const { say } = this.#options;
    let outcome: UploadOutcome = 'present';
    let sent = blob;
    if (hasBlob(paths, blob) && treatmentOf(blob) === 'compress') {
      const { compression } = this.#destination;
      sent = await sendCompressed(paths, blob, compression, async (source, finish) => {
        outcome = await this.#target.put(source, { finish });
      });
    } else {
      const found = this.#sourceOf(blob);
      if (found === undefined)
        throw new EngineError(
          'STORE_INVALID',
          `exporting the cache to "${this.#destination.name}": blob "${blob.digest}" was removed meanwhile`,
        );
      outcome = await this.#target.put(found.source, found.options);
    }
    const { mediaType, digest, size } = sent;
    if (outcome !== 'present') say(`writing layer ${digest} done`);
    return { mediaType, digest, size };
  }

  /** From the store, else from where it was imported from. */
  #sourceOf(blob: Descriptor): { source: BlobSource; options: UploadOptions } | undefined {
    const { paths, signal } = this.#parts;
    if (hasBlob(paths, blob))
      return {
        source: { descriptor: blob, open: (offset) => openBlob(paths, blob.digest, offset) },
        options: {},
      };
    const remote = this.#options.imports.blob(blob, signal);
    if (remote === undefined) return undefined;
    const { place } = this.#target;
    const near = remote.place?.registry === place?.registry ? remote.place : undefined;
    return { source: remote.source, options: near === undefined ? {} : { mountFrom: [near.repository] } };
  }
}

function isSame(a: MountIdentity, b: MountIdentity): boolean {
  return a.id === b.id && a.uid === b.uid && a.gid === b.gid && a.mode === b.mode;
}

function distinct(layers: readonly TransferredLayer[]): TransferredLayer[] {
  return [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
}

async function* chunkOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
