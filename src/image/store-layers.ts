// The layers of one image into the store: downloads of the missing blobs, a few at a time, and trees from their bytes as
// they arrive. Blobs that are finished stay, whatever fails afterwards.

import type { Config } from '../core/config.ts';
import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import type { IdMap } from '../native/plan.ts';
import { hasBlob, removeBlob, verifyBlob } from '../store/blobs.ts';
import type { ResolvedImage, ResolvedLayer } from '../store/images.ts';
import { blobFile, mapKeyOf, type StoreRoot } from '../store/layout.ts';
import { hasTree } from '../store/layers.ts';
import { bytesAtHand } from '../store/part.ts';
import { checkFreeSpace } from '../store/space.ts';
import { Download, type FetchBlob } from './download.ts';
import type { LayerState, OnImageEvent } from './events.ts';
import { FirstFailure } from './first-failure.ts';
import { unpackLayers } from './unpack-layers.ts';

export interface StoreLayersParts {
  paths: Paths;
  config: () => Pick<Config, 'parallelDownloads'>;
  log: Log;
  signal: AbortSignal;
}

export interface StoreLayersOptions {
  idMap: IdMap | undefined;
  /** First words of errors: `pulling "alpine:3"`. */
  doing: string;
  fetch: FetchBlob;
  onEvent?: OnImageEvent | undefined;
}

/** Makes every blob and every tree of `image` present. The caller holds gc.lock shared. */
export async function storeLayers(
  parts: StoreLayersParts,
  image: ResolvedImage,
  options: StoreLayersOptions,
): Promise<void> {
  try {
    await downloadAndUnpack(parts, image, options);
  } catch (error) {
    // What the store already had may have rotted: then it is fetched anew, once.
    if (!(error instanceof EngineError) || !DAMAGE.includes(error.code)) throw error;
    if (!(await dropDamaged(parts, image, options.idMap))) throw error;
    await downloadAndUnpack(parts, image, options);
  }
}

const DAMAGE: readonly string[] = ['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'LAYER_INVALID'];

async function downloadAndUnpack(
  { paths, config, log, signal: cancel }: StoreLayersParts,
  image: ResolvedImage,
  { idMap, doing, fetch, onEvent }: StoreLayersOptions,
): Promise<void> {
  const report = reporter(onEvent);
  const blobs = [...new Map(image.layers.map(({ blob }) => [blob.digest, blob])).values()];
  const missing = blobs.filter((blob) => !hasBlob(paths, blob));
  const missingBytes = missing.reduce((sum, blob) => sum + blob.size - bytesAtHand(paths, blob.digest), 0);
  checkFreeSpace(paths, doing, missingBytes);

  const treeless = new Set(treelessLayers(paths, image, idMap).map(({ blob }) => blob.digest));
  for (const blob of blobs) {
    if (!missing.includes(blob))
      report(blob, treeless.has(blob.digest) ? 'downloaded' : 'present', blob.size);
    else report(blob, 'queued', bytesAtHand(paths, blob.digest));
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([cancel, stop.signal]);
  const slots = new Slots(config().parallelDownloads);
  const downloads = new Map<Digest, Download>();
  for (const blob of missing) {
    const onState = (state: LayerState, doneBytes: number): void => report(blob, state, doneBytes);
    downloads.set(
      blob.digest,
      new Download(paths, blob, { fetch, signal, doing, slot: () => slots.take(), onState }),
    );
  }
  const work = [...downloads.values()].map((download) => download.done);
  work.push(
    unpackLayers(paths, image.layers, {
      idMap,
      doing,
      source: ({ blob }) => downloads.get(blob.digest)?.source() ?? { file: blobFile(paths, blob.digest) },
      onNote: (note) => log.warn(note),
      verified: async ({ blob }) => await downloads.get(blob.digest)?.done,
      signal,
      onState: ({ blob }, state) => report(blob, state, blob.size),
    }),
  );
  // The first failure stops the rest, but all of it is waited for: nothing of ours is still writing when this returns.
  const failures = new FirstFailure(() => stop.abort());
  for (const one of work) one.catch(failures.add);
  await Promise.allSettled(work);
  failures.throwIfAny();
}

function treelessLayers(root: StoreRoot, image: ResolvedImage, idMap: IdMap | undefined): ResolvedLayer[] {
  return image.layers.filter(({ chainId }) => !hasTree(root, mapKeyOf(idMap), chainId));
}

/** Removes blobs of layers without a tree whose content is not what their name says. True if there were any. */
async function dropDamaged(
  { paths, signal }: StoreLayersParts,
  image: ResolvedImage,
  idMap: IdMap | undefined,
): Promise<boolean> {
  let dropped = false;
  for (const { blob } of treelessLayers(paths, image, idMap)) {
    if (!hasBlob(paths, blob) || (await verifyBlob(paths, blob.digest, signal))) continue;
    removeBlob(paths, blob.digest);
    dropped = true;
  }
  return dropped;
}

type Report = (blob: { digest: Digest; size: number }, state: LayerState, doneBytes: number) => void;

function reporter(onEvent: OnImageEvent | undefined): Report {
  return ({ digest, size }, state, doneBytes) =>
    onEvent?.({ type: 'layer', digest, state, doneBytes, totalBytes: size });
}

/** Lets `count` holders in at a time, in order of asking. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = Math.max(1, count);
  }

  /** Resolves to the function that gives the slot back; call it once. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    };
  }
}
