// Layers → trees, for one id map. Two are unpacked at a time; all become durable with one syncfs and then get their names,
// bottom first. Locks are taken bottom first too, so that two processes that need the same layers in turn never wait for
// each other: whoever waits for a layer holds only layers below it.

import type { Writable } from 'node:stream';
import { EngineError } from '../core/errors.ts';
import type { IdMap } from '../native/plan.ts';
import type { ResolvedLayer } from '../store/images.ts';
import { mapKeyOf, treeDir, type StoreRoot } from '../store/layout.ts';
import { hasTree, syncStore, TreeStage } from '../store/layers.ts';
import type { LayerState } from './events.ts';
import { FirstFailure } from './first-failure.ts';
import { startUnpack, startUnpackFile, type Unpacked, type Unpacking } from './layer/unpack.ts';

const PARALLEL = 2;

/** Bytes of a layer as stored: a file that is complete, or a stream that is still arriving. */
export type LayerSource =
  | { file: string }
  | {
      bytes: AsyncIterable<Uint8Array>;
      /** The bytes were wrong and are being fetched anew: what was made of them is void. */
      restarted: () => boolean;
    };

export interface UnpackLayersOptions {
  idMap: IdMap | undefined;
  /** First words of errors: `pulling "alpine:3"`. */
  doing: string;
  /** Asked for when the layer's turn comes. */
  source: (layer: ResolvedLayer) => LayerSource;
  /** Resolves when the layer's bytes are known to have the blob's digest. */
  verified: (layer: ResolvedLayer) => Promise<void>;
  signal: AbortSignal;
  onState?: (layer: ResolvedLayer, state: LayerState) => void;
  /** What could not be honoured, as a sentence. */
  onNote?: (note: string) => void;
}

interface Job {
  layer: ResolvedLayer;
  stage: TreeStage;
  done: Promise<void>;
}

/**
 * Makes the missing trees of `layers` (bottom first, the whole chain). After an error the trees below the failed layer
 * are kept. The caller holds gc.lock shared.
 * @throws LAYER_INVALID, LAYER_PATH_ESCAPE, DIGEST_MISMATCH (of the diff id), NO_SPACE, CANCELLED
 */
export async function unpackLayers(
  root: StoreRoot,
  layers: readonly ResolvedLayer[],
  options: UnpackLayersOptions,
): Promise<void> {
  const mapKey = mapKeyOf(options.idMap);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const jobs: Job[] = [];
  const dirs: string[] = [];
  const failures = new FirstFailure(() => stop.abort());
  try {
    for (const layer of layers) {
      const stage = await openStage(root, mapKey, layer, { ...options, signal });
      dirs.push(stage?.dir ?? treeDir(root, mapKey, layer.chainId));
      if (stage === undefined) continue;
      await freeSlot(jobs);
      if (failures.any) {
        await stage.discard();
        break;
      }
      const below = jobs.at(-1)?.done ?? Promise.resolve();
      const done = unpackOne(stage, layer, dirs.slice(0, -1), below, { ...options, signal });
      done.catch(failures.add);
      jobs.push({ layer, stage, done });
    }
  } catch (error) {
    failures.add(error);
  }
  await publish(root, jobs);
  failures.throwIfAny();
}

async function openStage(
  root: StoreRoot,
  mapKey: string,
  layer: ResolvedLayer,
  { idMap, signal, onState }: UnpackLayersOptions,
): Promise<TreeStage | undefined> {
  if (hasTree(root, mapKey, layer.chainId)) return undefined;
  return await TreeStage.open(root, idMap, layer.chainId, {
    signal,
    onWait: () => onState?.(layer, 'waiting'),
  });
}

/** Resolves when fewer than PARALLEL jobs run; their failures are not its business. */
async function freeSlot(jobs: readonly Job[]): Promise<void> {
  const running = new Set<Job>();
  for (const job of jobs) {
    running.add(job);
    const forget = (): void => void running.delete(job);
    job.done.then(forget, forget);
  }
  await Promise.resolve();
  while (running.size >= PARALLEL)
    await Promise.race([...running].map((job) => job.done.catch(() => undefined)));
}

async function unpackOne(
  stage: TreeStage,
  layer: ResolvedLayer,
  lowerTrees: readonly string[],
  below: Promise<void>,
  options: UnpackLayersOptions,
): Promise<void> {
  options.onState?.(layer, 'unpacking');
  // Only asked for after the layer's own bytes, which is why layers can be unpacked side by side.
  const lower = below.then(() => lowerTrees);
  lower.catch(() => undefined);
  const source = options.source(layer);
  let unpacked: Unpacked;
  try {
    unpacked = await unpackInto(stage.dir, layer, source, lower, options);
  } catch (error) {
    if (!mayBeOfWrongBytes(error)) throw inContext(error, layer, options.doing);
    // Whether the layer is bad or only what arrived of it so far, the blob's digest tells.
    await options.verified(layer);
    if ('file' in source || !source.restarted()) throw inContext(error, layer, options.doing);
    await stage.restart();
    unpacked = await unpackInto(stage.dir, layer, options.source(layer), lower, options);
  }
  await Promise.all([options.verified(layer), below]);
  const { diffId, sizeBytes, entries, notes } = unpacked;
  for (const note of notes) options.onNote?.(note);
  stage.writeInfo({ diffId, sizeBytes, entries });
  options.onState?.(layer, 'done');
}

async function unpackInto(
  dest: string,
  layer: ResolvedLayer,
  from: LayerSource,
  lowerTrees: Promise<readonly string[]>,
  { idMap, signal }: UnpackLayersOptions,
): Promise<Unpacked> {
  if (signal.aborted) throw cancelled();
  const options = { mediaType: layer.blob.mediaType, diffId: layer.diffId, dest, lowerTrees, idMap };
  if ('file' in from) return await cancellable(startUnpackFile(options, from.file), signal);
  const unpacking = startUnpack(options);
  const feeding = feed(unpacking.input, from.bytes, signal);
  // An unpacker that closed its end is about to say why: not to be killed before it has.
  feeding.catch((error: unknown) => {
    if (!(error instanceof InputClosedError)) unpacking.cancel();
  });
  const [fed, unpacked] = await Promise.allSettled([feeding, cancellable(unpacking, signal)]);
  // An unpacker that gives up closes its end; what it says then explains the broken pipe.
  if (fed.status === 'rejected' && !(fed.reason instanceof InputClosedError)) throw fed.reason;
  if (unpacked.status === 'rejected') throw unpacked.reason;
  return unpacked.value;
}

async function cancellable(
  unpacking: Pick<Unpacking, 'done' | 'cancel'>,
  signal: AbortSignal,
): Promise<Unpacked> {
  const cancel = (): void => unpacking.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await unpacking.done;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function cancelled(): EngineError {
  return new EngineError('CANCELLED', 'unpacking layers: cancelled');
}

/** The unpacker knows neither the image nor which of its layers it has in hand. */
function inContext(error: unknown, { blob }: ResolvedLayer, doing: string): unknown {
  if (!(error instanceof EngineError) || error.message.startsWith(doing) || error.code === 'CANCELLED')
    return error;
  return new EngineError(error.code, `${doing}: layer "${blob.digest}": ${error.message}`, {
    hint: error.hint,
    cause: error.cause,
  });
}

function mayBeOfWrongBytes(error: unknown): boolean {
  return (
    error instanceof EngineError && (error.code.startsWith('LAYER_') || error.code === 'DIGEST_MISMATCH')
  );
}

class InputClosedError extends Error {}

/** Writes all chunks and ends the stream; destroys it when they cannot be had, which makes the reader give up. */
async function feed(input: Writable, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const gone = new Promise<never>((_resolve, reject) => {
    const closed = (): void => reject(new InputClosedError());
    input.on('error', closed);
    input.on('close', closed);
  });
  gone.catch(() => undefined);
  try {
    for await (const chunk of chunks) {
      if (signal.aborted) throw cancelled();
      if (input.destroyed) throw new InputClosedError();
      if (!input.write(chunk))
        await Promise.race([new Promise((resolve) => input.once('drain', resolve)), gone]);
    }
    input.end();
  } catch (error) {
    input.destroy();
    throw error;
  }
}

/** Names the trees that are complete down to the bottom; discards the others. */
async function publish(root: StoreRoot, jobs: readonly Job[]): Promise<void> {
  const results = await Promise.allSettled(jobs.map((job) => job.done));
  const failed = results.findIndex((result) => result.status === 'rejected');
  const complete = failed === -1 ? jobs : jobs.slice(0, failed);
  if (complete.length > 0) {
    syncStore(root);
    for (const { stage } of complete) stage.publish();
  }
  for (const { stage } of jobs.slice(complete.length)) await stage.discard();
}
