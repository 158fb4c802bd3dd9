// `manifest inspect`: what a registry has under a name, without fetching the image.

import type { Config } from '../core/config.ts';
import type { Log } from '../core/log.ts';
import { formatReference, parseReference, withDefaultTag, type ImageReference } from '../core/reference.ts';
import { createRegistryClient } from '../registry/client.ts';
import type { Env, FetchedManifest, RegistryClient, RegistryOptions } from '../registry/types.ts';
import { MEDIA_TYPE, type Descriptor, type Manifest } from '../oci/image.ts';
import { isIndexType, parseConfigAlone, parseManifestOrIndex } from '../store/parse.ts';

export interface RemoteParts {
  config: () => Config;
  env: Env;
  log: Log;
  signal: AbortSignal;
}

/** docker's words for one image. */
export interface VerboseManifest {
  Ref: string;
  Descriptor: Descriptor;
  /** base64 */
  Raw: string;
  SchemaV2Manifest?: Manifest;
  OCIManifest?: Manifest;
}

export interface RemoteManifest {
  /** As the registry sent it. */
  bytes: Uint8Array;
  /** Of an index one for each image that it names. Undefined: not asked for. */
  images: VerboseManifest | VerboseManifest[] | undefined;
}

/** @throws REFERENCE_INVALID, IMAGE_INVALID, what the registry client throws */
export async function inspectRemoteManifest(
  { config, env, log, signal }: RemoteParts,
  text: string,
  { verbose, registry }: { verbose: boolean; registry: RegistryOptions | undefined },
): Promise<RemoteManifest> {
  const ref = withDefaultTag(parseReference(text));
  const client = createRegistryClient({
    ...{ config: config(), env, log, signal, options: registry, doing: 'inspecting' },
  });
  try {
    const top = await client.fetchManifest(ref);
    return { bytes: top.bytes, images: verbose ? await describe(client, ref, top, text) : undefined };
  } finally {
    client.close();
  }
}

async function describe(
  client: RegistryClient,
  ref: ImageReference,
  top: FetchedManifest,
  text: string,
): Promise<VerboseManifest | VerboseManifest[]> {
  const parsed = parseManifestOrIndex(top.bytes, top.descriptor.mediaType, `the manifest of "${text}"`);
  if (parsed.kind === 'manifest') {
    const { config } = parsed.manifest;
    const bytes = await client.fetchBlobBytes(ref, config);
    const { os, architecture, variant } = parseConfigAlone(bytes, `the config of "${text}"`);
    const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
    return verboseOf(formatReference(ref), { ...top.descriptor, platform }, top.bytes, parsed.manifest);
  }
  const { registry, repository } = ref;
  const images: VerboseManifest[] = [];
  for (const entry of parsed.index.manifests) {
    const one = { registry, repository, digest: entry.digest };
    const { bytes, descriptor } = await client.fetchManifest(one);
    const { mediaType } = descriptor;
    // An index within: docker shows none of what it names.
    if (isIndexType(mediaType)) continue;
    const manifest = JSON.parse(Buffer.from(bytes).toString()) as Manifest;
    images.push(verboseOf(`${formatReference(ref)}@${entry.digest}`, entry, bytes, manifest));
  }
  return images;
}

function verboseOf(
  reference: string,
  descriptor: Descriptor,
  bytes: Uint8Array,
  manifest: Manifest,
): VerboseManifest {
  return {
    Ref: reference,
    Descriptor: descriptor,
    Raw: Buffer.from(bytes).toString('base64'),
    ...(descriptor.mediaType === MEDIA_TYPE.dockerManifest
      ? { SchemaV2Manifest: manifest }
      : { OCIManifest: manifest }),
  };
}
