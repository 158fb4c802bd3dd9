// Layers → trees, for one id map. Two are unpacked at a time; all become durable with one syncfs and then get their names,
// bottom first. Locks are taken bottom first too, so that two processes that need the same layers in turn never wait for
// each other: whoever waits for a layer holds only layers below it.

import type { Writable } from 'node:stream';
import { EngineError } from '../core/errors.ts';
import type { IdMap } from '../native/plan.ts';
import type { ResolvedLayer } from '../store/images.ts';
import { mapKeyOf, treeDir, type StoreRoot } from '../store/layout.ts';
import { hasTree, syncStore, TreeStage, type TreeInfo } from '../store/layers.ts';
import { RestartedError } from './download.ts';
import type { LayerState } from './events.ts';
import { startUnpack } from './layer/unpack.ts';

const PARALLEL = 2;

export interface UnpackOptions {
  idMap: IdMap | undefined;
  /** The layer's bytes as stored; may still be arriving. Checked against the blob's digest by `verified`. */
  bytes: (layer: ResolvedLayer) => AsyncIterable<Uint8Array>;
  /** Resolves when the layer's bytes are known to be the right ones. */
  verified: (layer: ResolvedLayer) => Promise<void>;
  signal: AbortSignal;
  onState?: (layer: ResolvedLayer, state: LayerState) => void;
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
  options: UnpackOptions,
): Promise<void> {
  const mapKey = mapKeyOf(options.idMap);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const jobs: Job[] = [];
  const dirs: string[] = [];
  let failure: { error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort();
  };
  try {
    for (const layer of layers) {
      const stage = await openStage(root, mapKey, layer, { ...options, signal });
      dirs.push(stage?.dir ?? treeDir(root, mapKey, layer.chainId));
      if (stage === undefined) continue;
      await freeSlot(jobs);
      if (failure !== undefined) {
        await stage.discard();
        break;
      }
      const below = jobs.at(-1)?.done ?? Promise.resolve();
      const done = unpackOne(stage, layer, dirs.slice(0, -1), below, { ...options, signal });
      done.catch(fail);
      jobs.push({ layer, stage, done });
    }
  } catch (error) {
    fail(error);
  }
  await publish(root, jobs);
  if (failure !== undefined) throw failure.error;
}

async function openStage(
  root: StoreRoot,
  mapKey: string,
  layer: ResolvedLayer,
  { idMap, signal, onState }: UnpackOptions,
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
  lowerTrees: string[],
  below: Promise<void>,
  options: UnpackOptions,
): Promise<void> {
  options.onState?.(layer, 'unpacking');
  let info: TreeInfo;
  try {
    info = await unpackInto(stage.dir, layer, lowerTrees, options);
  } catch (error) {
    if (!(error instanceof RestartedError)) throw error;
    await stage.restart();
    info = await unpackInto(stage.dir, layer, lowerTrees, options);
  }
  await Promise.all([options.verified(layer), below]);
  stage.writeInfo(info);
  options.onState?.(layer, 'done');
}

async function unpackInto(
  dest: string,
  layer: ResolvedLayer,
  lowerTrees: string[],
  { idMap, bytes, signal }: UnpackOptions,
): Promise<TreeInfo> {
  const { mediaType } = layer.blob;
  const unpack = startUnpack({ mediaType, diffId: layer.diffId, dest, lowerTrees, idMap });
  const [fed, done] = await Promise.allSettled([feed(unpack.input, bytes(layer), signal), unpack.done]);
  // An unpacker that gives up closes its end; what it says then explains the broken pipe.
  if (fed.status === 'rejected' && !(fed.reason instanceof InputClosedError)) throw fed.reason;
  if (done.status === 'rejected') throw done.reason;
  return done.value;
}

class InputClosedError extends Error {}

/** Writes all chunks and ends the stream; destroys it when they cannot be had, which makes the reader give up. */
async function feed(input: Writable, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  let closed = false;
  let wake: (() => void) | undefined;
  const onClose = (): void => {
    closed = true;
    wake?.();
  };
  input.on('error', onClose);
  input.on('close', onClose);
  input.on('drain', () => wake?.());
  try {
    for await (const chunk of chunks) {
      if (signal.aborted) throw new EngineError('CANCELLED', 'unpacking layers: cancelled');
      if (closed) throw new InputClosedError();
      if (!input.write(chunk)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (closed) resolve();
        });
      }
    }
    if (closed) throw new InputClosedError();
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
