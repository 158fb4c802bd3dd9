// Looks whether an image's files are what they should be. Reads only.

import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { IdMap } from '../native/plan.ts';
import type { Descriptor } from '../oci/image.ts';
import { getBlob, statBlob, verifyBlob } from './blobs.ts';
import { presentPlatforms } from './platforms.ts';
import { mapKeyOf, type StoreRoot } from './layout.ts';
import { hasTree } from './layers.ts';
import { chainIdsOf, isIndexType, parseConfig, parseManifest } from './parse.ts';

export interface Problem {
  kind: 'blob-missing' | 'blob-damaged' | 'tree-missing' | 'invalid';
  /** The blob; for a tree its chain id. */
  digest: Digest;
  text: string;
}

export interface CheckEntryOptions {
  /** Existence and size of layers, without hashing them. */
  quick: boolean;
  idMap: IdMap | undefined;
  /** Blobs hashed already: true is good. Gets what is found. */
  known: Map<Digest, boolean>;
  signal: AbortSignal;
}

/** Manifest first, then config, then layers; what cannot be read any more hides what it points at. */
export async function checkEntry(
  root: StoreRoot,
  entry: Descriptor,
  options: CheckEntryOptions,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  if (!(await checkBlob(root, entry, options, problems, false))) return problems;
  try {
    const what = `manifest "${entry.digest}"`;
    if (isIndexType(entry.mediaType)) {
      for (const one of presentPlatforms(root, entry.digest))
        problems.push(...(await checkEntry(root, one, options)));
      return problems;
    }
    const manifest = parseManifest(getBlob(root, entry.digest), what);
    for (const layer of manifest.layers) await checkBlob(root, layer, options, problems, options.quick);
    if (!(await checkBlob(root, manifest.config, options, problems, false))) return problems;
    const config = parseConfig(getBlob(root, manifest.config.digest), manifest, `config of ${what}`);
    for (const chainId of new Set(chainIdsOf(config.rootfs.diff_ids))) {
      if (hasTree(root, mapKeyOf(options.idMap), chainId)) continue;
      problems.push({ kind: 'tree-missing', digest: chainId, text: `layer ${chainId} is not unpacked` });
    }
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'CANCELLED') throw error;
    problems.push({ kind: 'invalid', digest: entry.digest, text: error.message });
  }
  return problems;
}

async function checkBlob(
  root: StoreRoot,
  { digest, size }: Descriptor,
  { known, signal }: CheckEntryOptions,
  problems: Problem[],
  quick: boolean,
): Promise<boolean> {
  const found = statBlob(root, digest);
  if (found === undefined) {
    problems.push({ kind: 'blob-missing', digest, text: `blob ${digest} is missing` });
    return false;
  }
  const good = found === size && (quick || (known.get(digest) ?? (await verifyBlob(root, digest, signal))));
  if (!quick) known.set(digest, good);
  if (!good) problems.push({ kind: 'blob-damaged', digest, text: `blob ${digest} is damaged` });
  return good;
}
