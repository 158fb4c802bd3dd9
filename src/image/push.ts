// `push`: an image of the store into a registry. Blobs go in parallel, those that are there already do not go at all, and
// the manifest goes last, an index after those that it names: until then the registry knows nothing of the image.

import type { Config } from '../core/config.ts';
import { digestOf, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import {
  formatFamiliar,
  formatReference,
  parseReference,
  withDefaultTag,
  type ImageReference,
} from '../core/reference.ts';
import { createRegistryClient } from '../registry/client.ts';
import type { BlobSource, Env, RegistryClient, RegistryOptions, UploadOutcome } from '../registry/types.ts';
import type { Descriptor, Index, Manifest, Platform } from '../oci/image.ts';
import { getBlob, openBlob, statBlob } from '../store/blobs.ts';
import type { Compressed } from '../store/compressed.ts';
import { listImages, type StoredImage } from '../store/images.ts';
import { editIndex, repoDigestsOf, withRepoDigest } from '../store/index-file.ts';
import { gcLockFile } from '../store/layout.ts';
import { withLock } from '../store/lock.ts';
import { parseConfig, parseManifest } from '../store/parse.ts';
import type { CompressionChoice } from './compress.ts';
import { FirstFailure } from './first-failure.ts';
import { logTransfer } from './log-event.ts';
import { findToPush, wholeIndex } from './push-source.ts';
import {
  indexToPush,
  isDockerFormat,
  manifestToPush,
  treatmentOf,
  type ManifestFormat,
} from './push-manifest.ts';
import { sendCompressed } from './send-compressed.ts';

export interface PushParts {
  paths: Paths;
  config: () => Config;
  env: Env;
  log: Log;
  signal: AbortSignal;
}

export interface PushOptions {
  /** NAME[:TAG] in a registry, perhaps with `docker://` in front; undefined: the name of the image. */
  destination?: string | undefined;
  /** Undefined: as the image is. */
  format?: ManifestFormat | undefined;
  /** Of layers that are not compressed in the store. */
  compression: CompressionChoice;
  /** Of an image of several, this one alone; any other must be for it. */
  platform?: Platform | undefined;
  registry?: RegistryOptions | undefined;
  onEvent?: OnPushEvent | undefined;
}

export type PushEvent =
  /** docker.io/library/app */
  | { type: 'begin'; repository: string }
  /** Of a layer, by the digest of its tar. Bytes that the registry has of it by now. */
  | { type: 'progress'; diffId: Digest; doneBytes: number }
  | { type: 'layer'; diffId: Digest; outcome: UploadOutcome }
  | { type: 'end'; reference: string; tag: string; digest: Digest; sizeBytes: number };

export type OnPushEvent = (event: PushEvent) => void;

/** As docker. */
const PARALLEL_UPLOADS = 5;
const MAX_MOUNT_CANDIDATES = 3;

/**
 * @param name of the image, or with a destination its id
 * @throws IMAGE_NOT_FOUND (exit status 1), REFERENCE_INVALID, USAGE, STORE_INVALID, what the registry client throws
 */
export async function pushImage(parts: PushParts, name: string, options: PushOptions): Promise<Digest> {
  const { paths, env, log, signal } = parts;
  const target = targetOf(name, options.destination);
  const stop = new AbortController();
  const client = createRegistryClient({
    config: parts.config(),
    env,
    log,
    signal: AbortSignal.any([signal, stop.signal]),
    options: options.registry,
    doing: 'pushing',
  });
  try {
    const work = (): Promise<Digest> => new Push(parts, client, target, options, stop).run(name);
    return await withLock(gcLockFile(paths), 'shared', work, { signal });
  } finally {
    client.close();
  }
}

function targetOf(name: string, destination: string | undefined): ImageReference & { tag: string } {
  const text = (destination ?? name).replace(/^docker:\/\//, '');
  const { registry, repository, tag, digest } = withDefaultTag(parseReference(text));
  if (digest !== undefined || tag === undefined)
    throw new EngineError('USAGE', `pushing to ${JSON.stringify(text)}: cannot push a digest reference`, {
      exitCode: 1,
      hint: 'give a tag instead: the digest follows from the content',
    });
  return { registry, repository, tag };
}

/** A manifest or index as it goes. */
interface ToPut {
  bytes: Uint8Array;
  mediaType: string;
}

class Push {
  readonly #parts: PushParts;
  readonly #client: RegistryClient;
  readonly #target: ImageReference & { tag: string };
  readonly #options: PushOptions;
  readonly #stop: AbortController;
  /** All that are stored. */
  readonly #images: readonly StoredImage[];

  /** stop: ends all requests of `client`. */
  constructor(
    parts: PushParts,
    client: RegistryClient,
    target: ImageReference & { tag: string },
    options: PushOptions,
    stop: AbortController,
  ) {
    this.#stop = stop;
    this.#parts = parts;
    this.#client = client;
    this.#target = target;
    this.#options = options;
    this.#images = listImages(parts.paths).images;
  }

  async run(name: string): Promise<Digest> {
    const { paths } = this.#parts;
    const { onEvent } = this.#options;
    const { image, entry } = findToPush(paths, name, this.#options);
    const index = image.index === undefined ? undefined : wholeIndex(paths, name, image.index);
    onEvent?.({ type: 'begin', repository: `${this.#target.registry}/${this.#target.repository}` });
    const [only, ...others] = await this.#manifests(name, index?.manifests ?? [entry]);
    const pushed =
      index === undefined
        ? (only as ToPut)
        : await this.#index(entry, index, only === undefined ? [] : [only, ...others]);
    await this.#client.putManifest(this.#target, pushed);
    const digest = digestOf(pushed.bytes);
    await this.#note(entry.digest, digest);
    logTransfer(paths, image, 'push', this.#target);
    onEvent?.({
      type: 'end',
      reference: formatReference(this.#target),
      tag: this.#target.tag,
      digest,
      sizeBytes: pushed.bytes.length,
    });
    return digest;
  }

  /** Blobs and manifests of the images, all but the last word: as they are to be put. */
  async #manifests(name: string, entries: readonly Descriptor[]): Promise<ToPut[]> {
    const { paths } = this.#parts;
    const { format, compression } = this.#options;
    const images = entries.map((entry) => {
      const bytes = getBlob(paths, entry.digest);
      const manifest = parseManifest(bytes, `image "${name}"`);
      const config = parseConfig(getBlob(paths, manifest.config.digest), manifest, `image "${name}"`);
      return {
        ...{ entry, bytes, manifest, diffIds: config.rootfs.diff_ids },
        isDocker: isDockerFormat(entry.mediaType, format, manifest.layers, compression.format),
      };
    });
    const sent = await this.#layers(images);
    const puts: ToPut[] = [];
    for (const { entry, bytes, manifest, isDocker } of images) {
      await this.#client.uploadBlob(this.#target, this.#stored(manifest.config));
      const layers = manifest.layers.map(({ digest }) => sent.get(digest) as Descriptor);
      const wanted = manifestToPush(manifest, layers, isDocker);
      const isSame = JSON.stringify(wanted) === JSON.stringify({ ...manifest, mediaType: entry.mediaType });
      puts.push({
        bytes: isSame ? bytes : Buffer.from(JSON.stringify(wanted)),
        mediaType: wanted.mediaType ?? entry.mediaType,
      });
    }
    return puts;
  }

  /** Puts the manifests, which have no tag, and makes the index of them, which stays byte for byte if they do. */
  async #index(entry: Descriptor, index: Index, manifests: readonly ToPut[]): Promise<ToPut> {
    const { registry, repository } = this.#target;
    for (const one of manifests)
      await this.#client.putManifest({ registry, repository, digest: digestOf(one.bytes) }, one);
    const { bytes, mediaType } = indexToPush(index, entry.mediaType, manifests);
    return { bytes: bytes ?? getBlob(this.#parts.paths, entry.digest), mediaType };
  }

  /** All layers of the images as the registry has them, by the digests they have here. One that fails stops the others. */
  async #layers(
    images: readonly { manifest: Manifest; diffIds: readonly Digest[] }[],
  ): Promise<Map<Digest, Descriptor>> {
    const failure = new FirstFailure(() => this.#stop.abort());
    const sent = new Map<Digest, Descriptor>();
    const waiting = new Map(
      images.flatMap(({ manifest, diffIds }) =>
        manifest.layers.map((blob, i) => [blob.digest, { blob, diffId: diffIds[i] as Digest }] as const),
      ),
    );
    const work = async (): Promise<void> => {
      for (const [digest, { blob, diffId }] of waiting) {
        if (failure.any) return;
        waiting.delete(digest);
        sent.set(digest, await this.#layer(blob, diffId));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_UPLOADS }, () => work().catch(failure.add)));
    failure.throwIfAny();
    return sent;
  }

  async #layer(blob: Descriptor, diffId: Digest): Promise<Descriptor> {
    const treatment = treatmentOf(blob);
    if (treatment === 'leave-out') return blob;
    if (treatment === 'compress') return await this.#compressed(blob, diffId);
    await this.#upload(this.#stored(blob), diffId, this.#mountCandidates(blob.digest));
    return blob;
  }

  async #compressed(tar: Descriptor, diffId: Digest): Promise<Descriptor> {
    return await sendCompressed(this.#parts.paths, tar, this.#options.compression, (source, finish) =>
      this.#upload(source, diffId, [], finish),
    );
  }

  async #upload(
    source: BlobSource,
    diffId: Digest,
    mountFrom: readonly string[],
    finish?: () => Compressed,
  ): Promise<void> {
    const { onEvent } = this.#options;
    const outcome = await this.#client.uploadBlob(this.#target, source, {
      mountFrom,
      onProgress: (doneBytes) => onEvent?.({ type: 'progress', diffId, doneBytes }),
      ...(finish === undefined ? {} : { finish }),
    });
    onEvent?.({ type: 'layer', diffId, outcome });
  }

  #stored({ digest, size }: Descriptor): BlobSource {
    const { paths } = this.#parts;
    if (statBlob(paths, digest) !== size)
      throw new EngineError(
        'STORE_INVALID',
        `pushing ${JSON.stringify(formatFamiliar(this.#target))}: blob "${digest}" is missing or damaged`,
        { hint: 'mend the store with "skiff system check --repair"' },
      );
    return { descriptor: { digest, size }, open: (offset) => openBlob(paths, digest, offset) };
  }

  /** Repositories of the same registry that images with this layer came from or went to. */
  #mountCandidates(digest: Digest): string[] {
    const { registry, repository } = this.#target;
    const found = new Set<string>();
    for (const { entry, platforms } of this.#images) {
      if (!platforms.some(({ layers }) => layers.some(({ blob }) => blob.digest === digest))) continue;
      for (const text of repoDigestsOf(entry)) {
        const ref = parseReference(text);
        if (ref.registry === registry && ref.repository !== repository) found.add(ref.repository);
      }
    }
    return [...found].sort().slice(0, MAX_MOUNT_CANDIDATES);
  }

  async #note(manifest: Digest, pushed: Digest): Promise<void> {
    const { paths, signal } = this.#parts;
    const repoDigest = `${this.#target.registry}/${this.#target.repository}@${pushed}`;
    await editIndex(paths, ({ entries, save }) => save(withRepoDigest(entries, manifest, repoDigest)), {
      signal,
    });
  }
}
