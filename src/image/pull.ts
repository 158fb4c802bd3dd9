// pull: registry → store. Name → manifest or index → platform → config and layers, downloaded and unpacked at once →
// published. Whatever is in the store already is neither asked for nor made again. A kill at any instant leaves part
// files and .part trees, which the next pull goes on with or replaces.

import { EngineError } from '../core/errors.ts';
import type { Config } from '../core/config.ts';
import type { Digest } from '../core/digest.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import {
  formatFamiliar,
  formatReference,
  parseReference,
  withDefaultTag,
  type ImageReference,
} from '../core/reference.ts';
import type { IdMap } from '../native/plan.ts';
import { createRegistryClient } from '../registry/client.ts';
import type { FetchedManifest, RegistryClient, RegistryOptions } from '../registry/types.ts';
import type { Descriptor, Manifest, Platform } from '../oci/image.ts';
import { hasBlob, putBlob, readBlob } from '../store/blobs.ts';
import { nameOf, readIndex, repoDigestsOf } from '../store/index-file.ts';
import { sweepLeftovers } from '../store/gc.ts';
import { ensureStore } from '../store/init.ts';
import {
  platformOf,
  platformsOf,
  publishImage,
  publishIndex,
  readNamed,
  resolveImage,
  targetOf,
  type ResolvedImage,
} from '../store/images.ts';
import { imageFor } from '../store/platforms.ts';
import { gcLockFile, mapKeyOf } from '../store/layout.ts';
import { hasTree } from '../store/layers.ts';
import { withLock } from '../store/lock.ts';
import { isIndexType, parseConfig, parseIndex, parseManifestOrIndex } from '../store/parse.ts';
import type { OnImageEvent } from './events.ts';
import { logTransfer } from './log-event.ts';
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  platformNotFound,
  rankPlatform,
} from '../core/platform.ts';
import { storeLayers } from './store-layers.ts';

/** An index may point at an index; more nesting than this is a trap. */
const MAX_INDEX_DEPTH = 4;

export interface PullParts {
  paths: Paths;
  config: () => Config;
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
  signal: AbortSignal;
}

export interface PullOptions {
  /** Whose trees to unpack: the map of the containers to come. */
  idMap: IdMap | undefined;
  /** Undefined: the host's; another one is then accepted with a warning if there is no choice. */
  platform?: Platform | undefined;
  registry?: RegistryOptions | undefined;
  onEvent?: OnImageEvent | undefined;
  /** For tests. */
  client?: RegistryClient | undefined;
}

/**
 * Makes the image `text` names complete and current in the store, and gives it that name there. Idempotent; asks the
 * registry for the digest alone when nothing changed. A name with a digest that is complete needs no registry.
 * @throws REFERENCE_INVALID, IMAGE_NOT_FOUND…: what the registry client throws; PLATFORM_NOT_FOUND, IMAGE_INVALID,
 *   DIGEST_MISMATCH, SIZE_MISMATCH, LAYER_INVALID, LAYER_PATH_ESCAPE, NO_SPACE, CANCELLED
 */
export async function pullImage(
  parts: PullParts,
  text: string,
  options: PullOptions,
): Promise<ResolvedImage> {
  const ref = nameToKeep(withDefaultTag(parseReference(text)));
  ensureStore(parts.paths);
  const client = options.client ?? registryClient(parts, options.registry);
  try {
    // Shared: what this pull adds is referred to by nothing until its end.
    const image = await withLock(
      gcLockFile(parts.paths),
      'shared',
      () => pull(parts, client, ref, text, options),
      { signal: parts.signal },
    );
    logTransfer(parts.paths, image, 'pull', ref);
    return image;
  } finally {
    if (options.client === undefined) client.close();
  }
}

export function registryClient(parts: PullParts, options: RegistryOptions | undefined): RegistryClient {
  const { env, log, signal } = parts;
  return createRegistryClient({ config: parts.config(), env, log, signal, options, doing: 'pulling' });
}

/** `name:tag@digest` is kept as `name@digest`: the tag was not looked up, so it would promise too much. */
function nameToKeep(ref: ImageReference): ImageReference {
  const { registry, repository, digest } = ref;
  return digest === undefined ? ref : { registry, repository, digest };
}

async function pull(
  parts: PullParts,
  client: RegistryClient,
  ref: ImageReference,
  text: string,
  options: PullOptions,
): Promise<ResolvedImage> {
  const reference = formatReference(ref);
  const doing = `pulling "${text}"`;
  options.onEvent?.({ type: 'begin', reference });
  const current = await upToDate(parts, client, ref, options);
  if (current !== undefined) {
    options.onEvent?.({
      type: 'end',
      reference,
      digest: current.digest,
      imageId: current.image.imageId,
      changed: false,
    });
    return current.image;
  }
  const wanted = options.platform ?? hostPlatform(process.arch);
  const top = await client.fetchManifest(ref);
  const { descriptor, bytes, manifest } = await chooseManifest(client, ref, top, wanted, doing);
  if (!hasBlob(parts.paths, manifest.config))
    putBlob(parts.paths, await client.fetchBlobBytes(ref, manifest.config));
  const config = parseConfig(configBytes(parts, manifest.config), manifest, `the config of "${text}"`);
  checkPlatform(parts.log, text, options.platform, platformOf(config));
  const image = resolveImage(parts.paths, reference, descriptor.digest, manifest, config);
  options.onEvent?.({
    type: 'resolved',
    reference,
    digest: top.descriptor.digest,
    platform: image.platform,
    layers: distinctBlobs(image),
  });
  await storeLayers(parts, image, {
    idMap: options.idMap,
    doing,
    fetch: async (blob, { offset, signal, again }) =>
      (await client.fetchBlob(ref, blob, { offset, signal, skipMirrors: again })).body,
    onEvent: options.onEvent,
  });
  options.onEvent?.({ type: 'publishing', reference });
  putBlob(parts.paths, bytes);
  const before = readNamed(parts.paths, reference);
  const stored = resolveImage(parts.paths, reference, descriptor.digest, manifest, config);
  const changed =
    before === undefined ||
    !platformsOf(parts.paths, before).some((one) => one.manifestDigest === descriptor.digest);
  const repoDigest = `${ref.registry}/${ref.repository}@${top.descriptor.digest}`;
  if (before !== undefined && joins(parts.paths, before, top, descriptor.digest)) {
    putBlob(parts.paths, top.bytes);
    await publishIndex(parts.paths, [reference], top.descriptor, repoDigest);
  } else
    await publishImage(parts.paths, stored, {
      ...{ reference, repoDigest },
      manifest: { ...descriptor, platform: stored.platform },
    });
  await sweep(parts, options.idMap);
  options.onEvent?.({
    type: 'end',
    reference,
    digest: top.descriptor.digest,
    imageId: stored.imageId,
    changed,
  });
  return stored;
}

/**
 * Whether the name is to mean the registry's index from now on: the image that it means until now is of the same index,
 * and for another platform. Both are kept then.
 */
function joins(paths: Paths, before: ResolvedImage, top: FetchedManifest, manifest: Digest): boolean {
  if (!isIndexType(top.descriptor.mediaType)) return false;
  const { manifests } = parseIndex(top.bytes, 'the index');
  const named = new Set(manifests.map(({ digest }) => digest));
  const there = platformsOf(paths, before).map(({ manifestDigest }) => manifestDigest);
  return (
    [manifest, ...there].every((digest) => named.has(digest)) && there.some((digest) => digest !== manifest)
  );
}

/** What killed pulls left, but for the downloads they began: those can still be gone on with. */
async function sweep({ paths, log }: PullParts, idMap: IdMap | undefined): Promise<void> {
  try {
    await sweepLeftovers(paths, { idMap, parts: false });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    log.debug(`cleaning the store: ${error.message}`);
  }
}

function configBytes(parts: PullParts, descriptor: Descriptor): Uint8Array {
  const bytes = readBlob(parts.paths, descriptor.digest);
  if (bytes !== undefined) return bytes;
  throw new EngineError('STORE_INVALID', `reading blob "${descriptor.digest}": it was removed meanwhile`);
}

/** What is in the store under this name, if it is what the registry has, fits the platform and is complete. */
async function upToDate(
  { paths }: PullParts,
  client: RegistryClient,
  ref: ImageReference,
  { platform, idMap }: PullOptions,
): Promise<{ image: ResolvedImage; digest: Descriptor['digest'] } | undefined> {
  const named = readNamed(paths, formatReference(ref));
  const wanted = platform ?? hostPlatform(process.arch);
  const image = named === undefined ? undefined : imageFor(paths, named, wanted);
  if (image === undefined || !isComplete(paths, image, idMap)) return undefined;
  if (ref.digest !== undefined) return { image, digest: ref.digest };
  const { digest } = await client.resolve(ref);
  const entry = readIndex(paths).find((e) => nameOf(e) === image.reference && e.digest === targetOf(image));
  const known = entry === undefined ? [] : repoDigestsOf(entry);
  return known.includes(`${ref.registry}/${ref.repository}@${digest}`) ? { image, digest } : undefined;
}

/** Every blob of the right size and every tree are there. */
export function isComplete(paths: Paths, image: ResolvedImage, idMap: IdMap | undefined): boolean {
  const mapKey = mapKeyOf(idMap);
  const manifest = readBlobQuietly(paths, image.manifestDigest);
  return (
    manifest &&
    readBlobQuietly(paths, image.imageId) &&
    image.layers.every(({ blob, chainId }) => hasBlob(paths, blob) && hasTree(paths, mapKey, chainId))
  );
}

function readBlobQuietly(paths: Paths, digest: Descriptor['digest']): boolean {
  try {
    return readBlob(paths, digest) !== undefined;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'STORE_INVALID') return false;
    throw error;
  }
}

async function chooseManifest(
  client: RegistryClient,
  ref: ImageReference,
  top: FetchedManifest,
  wanted: Platform,
  doing: string,
): Promise<FetchedManifest & { manifest: Manifest }> {
  let current = top;
  for (let depth = 0; depth < MAX_INDEX_DEPTH; depth++) {
    const parsed = parseManifestOrIndex(
      current.bytes,
      current.descriptor.mediaType,
      `the manifest of ${formatFamiliar(ref)}`,
    );
    if (parsed.kind === 'manifest') return { ...current, manifest: parsed.manifest };
    const { digest } = choosePlatform(parsed.index.manifests, wanted, doing);
    current = await client.fetchManifest({ registry: ref.registry, repository: ref.repository, digest });
  }
  throw new EngineError(
    'IMAGE_INVALID',
    `${doing}: its indexes are nested more than ${MAX_INDEX_DEPTH} deep`,
  );
}

/** A single image has no choice to offer: asked for another platform it is refused, else taken with a warning. */
function checkPlatform(log: Log, text: string, asked: Platform | undefined, found: Platform): void {
  const wanted = asked ?? hostPlatform(process.arch);
  if (rankPlatform(wanted, found) !== undefined) return;
  if (asked !== undefined) throw platformNotFound(`pulling "${text}"`, asked, [found]);
  log.warn(
    `"${text}" is an image for ${formatPlatform(found)}, not for this machine (${formatPlatform(wanted)})`,
  );
}

function distinctBlobs(image: ResolvedImage): { digest: Descriptor['digest']; sizeBytes: number }[] {
  const seen = new Map(image.layers.map(({ blob }) => [blob.digest, blob.size]));
  return [...seen].map(([digest, sizeBytes]) => ({ digest, sizeBytes }));
}
