// `system check`: is what the store promises there and intact? Blobs are hashed anew, trees must exist. `--repair` fetches
// what is bad, and only that, from the registry the image came from, by digest.

import { EngineError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { parseReference, type ImageReference } from '../core/reference.ts';
import { displayReference } from '../image/names.ts';
import { registryClient, type PullParts } from '../image/pull.ts';
import { storeLayers } from '../image/store-layers.ts';
import type { OnImageEvent } from '../image/events.ts';
import type { IdMap } from '../native/plan.ts';
import type { RegistryClient, RegistryOptions } from '../registry/types.ts';
import type { Descriptor } from '../oci/image.ts';
import { putBlob, readBlob, removeBlob, statBlob } from '../store/blobs.ts';
import { nameOf, readIndex, repoDigestsOf } from '../store/index-file.ts';
import { platformEntries, resolveImage, type ResolvedImage } from '../store/images.ts';
import { ensureStore } from '../store/init.ts';
import { gcLockFile } from '../store/layout.ts';
import { withLock } from '../store/lock.ts';
import { isIndexType, parseConfig, parseManifest } from '../store/parse.ts';
import { checkEntry, type Problem } from '../store/verify.ts';

export interface CheckOptions {
  /** Do not hash layers: existence and size alone. */
  quick: boolean;
  repair: boolean;
  idMap: IdMap | undefined;
  registry?: RegistryOptions | undefined;
  onEvent?: OnImageEvent | undefined;
  /** For tests. */
  client?: RegistryClient | undefined;
}

export interface CheckedImage {
  /** Short name, or digest of the manifest. */
  name: string;
  problems: Problem[];
  /** Undefined: nothing to repair, or not asked to. */
  repaired: boolean | undefined;
  /** Why it could not be repaired. */
  error?: EngineError;
}

/** One result an entry of index.json. Each blob is hashed once, however many images share it. */
export async function checkStore(parts: PullParts, options: CheckOptions): Promise<CheckedImage[]> {
  const { paths, signal } = parts;
  ensureStore(paths);
  return await withLock(
    gcLockFile(paths),
    'shared',
    async () => {
      const known = new Map<Digest, boolean>();
      const results: CheckedImage[] = [];
      const entries = readIndex(paths);
      // Those that can be repaired first: what they share with others is mended then.
      entries.sort((a, b) => repoDigestsOf(b).length - repoDigestsOf(a).length);
      for (const entry of entries) {
        const problems = await checkEntry(paths, entry, {
          quick: options.quick,
          idMap: options.idMap,
          known,
          signal,
        });
        const result: CheckedImage = { name: displayName(entry), problems, repaired: undefined };
        if (options.repair && problems.length > 0) await repair(parts, entry, result, options);
        results.push(result);
        if (result.repaired === true) for (const { digest } of problems) known.set(digest, true);
      }
      return results;
    },
    { signal },
  );
}

function displayName(entry: Descriptor): string {
  return displayReference(nameOf(entry) ?? repoDigestsOf(entry)[0] ?? entry.digest);
}

async function repair(
  parts: PullParts,
  entry: Descriptor,
  result: CheckedImage,
  options: CheckOptions,
): Promise<void> {
  try {
    await repairImage(parts, entry, result, options);
    result.repaired = true;
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'CANCELLED') throw error;
    result.repaired = false;
    result.error = error;
  }
}

async function repairImage(
  parts: PullParts,
  entry: Descriptor,
  { name, problems }: Pick<CheckedImage, 'name' | 'problems'>,
  options: CheckOptions,
): Promise<void> {
  const { paths } = parts;
  for (const problem of problems) {
    if (problem.kind !== 'tree-missing' && statBlob(paths, problem.digest) !== undefined)
      removeBlob(paths, problem.digest);
  }
  const origin = originOf(entry);
  let client: RegistryClient | undefined;
  const registry = (digest: Digest): { client: RegistryClient; ref: ImageReference } => {
    if (origin === undefined) {
      throw new EngineError(
        'STORE_INVALID',
        `repairing "${name}": blob "${digest}" is damaged, and the image came from no registry`,
        {
          hint: 'load or build the image again',
        },
      );
    }
    client ??= options.client ?? registryClient(parts, options.registry);
    return { client, ref: { registry: origin.registry, repository: origin.repository } };
  };
  try {
    const manifestBytes =
      readBlob(paths, entry.digest) ?? (await fetchManifest(registry(entry.digest), entry.digest));
    putBlob(paths, manifestBytes);
    if (isIndexType(entry.mediaType)) {
      // Their manifests were there, or are the problem.
      const bad = new Set(problems.map(({ digest }) => digest));
      for (const one of platformEntries(paths, entry.digest))
        if (bad.has(one.digest) || statBlob(paths, one.digest) !== undefined)
          await repairImage(
            parts,
            { ...one, annotations: entry.annotations ?? {} },
            { name, problems: [] },
            options,
          );
      return;
    }
    const manifest = parseManifest(manifestBytes, `the manifest of "${name}"`);
    let configBytes = readBlob(paths, manifest.config.digest);
    if (configBytes === undefined) {
      const { client: from, ref } = registry(manifest.config.digest);
      configBytes = await from.fetchBlobBytes(ref, manifest.config);
      putBlob(paths, configBytes);
    }
    const config = parseConfig(configBytes, manifest, `the config of "${name}"`);
    const image: ResolvedImage = resolveImage(paths, nameOf(entry) ?? '', entry.digest, manifest, config);
    await storeLayers(parts, image, {
      idMap: options.idMap,
      doing: `repairing "${name}"`,
      fetch: async (blob, { offset, signal, again }) => {
        const { client: from, ref } = registry(blob.digest);
        return (await from.fetchBlob(ref, blob, { offset, signal, skipMirrors: again })).body;
      },
      onEvent: options.onEvent,
    });
  } finally {
    if (options.client === undefined) client?.close();
  }
}

async function fetchManifest(
  { client, ref }: { client: RegistryClient; ref: ImageReference },
  digest: Digest,
): Promise<Uint8Array> {
  return (await client.fetchManifest({ ...ref, digest })).bytes;
}

/** Where it was pulled from. */
function originOf(entry: Descriptor): ImageReference | undefined {
  const [first] = repoDigestsOf(entry);
  return first === undefined ? undefined : parseReference(first);
}
