// Manifests and indexes (distribution-spec, "Pulling manifests"): by tag or digest, checked against the digest, with
// their media type settled. What is inside is for image/manifest.ts.

import { digestOf, isDigest } from '../core/digest.ts';
import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { DEFAULT_TAG } from '../core/reference.ts';
import type { ImageReference } from '../core/reference.ts';
import { HEADER, MAX_MANIFEST_BYTES, SCHEMA1_MEDIA_TYPES } from '../oci/distribution.ts';
import { MEDIA_TYPE } from '../oci/image.ts';
import type { Descriptor } from '../oci/image.ts';
import { DigestMismatchError, registryError } from './errors.ts';
import { printable } from './redact.ts';
import { sendWhole } from './retry.ts';
import type { Session, SessionRequest } from './session.ts';
import type { FetchedManifest, HttpResponse, Method } from './types.ts';

const ACCEPT = [MEDIA_TYPE.index, MEDIA_TYPE.manifest, MEDIA_TYPE.dockerIndex, MEDIA_TYPE.dockerManifest];
const KNOWN: ReadonlySet<string> = new Set(ACCEPT);

export interface ManifestQuery {
  ref: ImageReference;
  context: string;
  signal: AbortSignal | undefined;
  userAgent: string;
}

/** HEAD, and GET where the registry does not say all in the headers. */
export async function resolveManifest(session: Session, query: ManifestQuery): Promise<Descriptor> {
  const request = manifestRequest('HEAD', query);
  const response = await session.send(request);
  await response.body.discard();
  if (response.status === 200) {
    const digest = headerDigest(response) ?? query.ref.digest;
    const mediaType = contentType(response);
    const size = Number(response.headers['content-length'] ?? Number.NaN);
    const agrees = query.ref.digest === undefined || query.ref.digest === digest;
    if (digest !== undefined && agrees && KNOWN.has(mediaType) && size > 0)
      return { mediaType, digest, size };
  }
  // Also for refusals: the answer to HEAD has no body that says why.
  return (await fetchManifest(session, query)).descriptor;
}

/** @throws RegistryError, DigestMismatchError, IMAGE_INVALID (too large, not JSON, schema 1, contradicting media types) */
export async function fetchManifest(session: Session, query: ManifestQuery): Promise<FetchedManifest> {
  const request = manifestRequest('GET', query);
  const { context, ref } = query;
  const { response, bytes } = await sendWhole(() => session.send(request), session.locate(request), {
    retry: session.retry,
    status: 200,
    maxBytes: MAX_MANIFEST_BYTES,
  });
  if (response.status !== 200) {
    throw await registryError(session.locate(request), response, {
      login: session.loginFor(ref.repository),
      registry: session.endpoint.name,
    });
  }
  if (bytes === undefined) {
    throw new EngineError(
      'IMAGE_INVALID',
      `${context}: its manifest is larger than ${MAX_MANIFEST_BYTES / 1024 / 1024} MiB`,
    );
  }
  const digest = digestOf(bytes);
  const expected = ref.digest ?? headerDigest(response);
  if (expected !== undefined && expected !== digest) {
    throw new DigestMismatchError(context, 'the manifest', expected, digest);
  }
  return {
    descriptor: {
      mediaType: settleMediaType(context, bytes, contentType(response)),
      digest,
      size: bytes.length,
    },
    bytes,
  };
}

/** Puts a manifest under the tag or digest of `query.ref`. @throws RegistryError */
export async function putManifest(
  session: Session,
  query: ManifestQuery,
  { bytes, mediaType }: { bytes: Uint8Array; mediaType: string },
): Promise<void> {
  const { context, ref, signal, userAgent } = query;
  const request: SessionRequest = {
    context,
    method: 'PUT',
    path: `${ref.repository}/manifests/${ref.tag ?? ref.digest ?? DEFAULT_TAG}`,
    headers: { 'content-type': mediaType, 'user-agent': userAgent },
    body: bytes,
    scope: { repository: ref.repository, actions: 'pull,push' },
    signal,
  };
  const response = await session.send(request);
  if (response.status === 201 || response.status === 200 || response.status === 202) {
    await response.body.discard();
    return;
  }
  throw await registryError(session.locate(request), response, {
    login: session.loginFor(ref.repository),
    registry: session.endpoint.name,
  });
}

function manifestRequest(method: Method, { ref, context, signal, userAgent }: ManifestQuery): SessionRequest {
  return {
    context,
    method,
    path: `${ref.repository}/manifests/${ref.digest ?? ref.tag ?? DEFAULT_TAG}`,
    headers: { accept: ACCEPT.join(', '), 'user-agent': userAgent },
    scope: { repository: ref.repository, actions: 'pull' },
    signal,
  };
}

/** Undefined when missing or of an algorithm we do not compute. */
function headerDigest({ headers }: HttpResponse): Digest | undefined {
  const value = headers[HEADER.contentDigest];
  return typeof value === 'string' && isDigest(value) ? value : undefined;
}

function contentType({ headers }: HttpResponse): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * The type by the content, which the digest covers; the header only counts where the content does not say. One that
 * contradicts it, or a document that could be read both ways, is refused (CVE-2021-41190).
 */
function settleMediaType(context: string, bytes: Uint8Array, header: string): string {
  const document = parseObject(context, bytes);
  const named = document['mediaType'];
  if (SCHEMA1_MEDIA_TYPES.includes(header) || document['schemaVersion'] === 1) {
    throw invalid(
      context,
      "the image is in docker's schema 1 format, which is no longer read",
      'push the image again with a recent tool, or convert it: skopeo copy --format v2s2',
    );
  }
  if ('manifests' in document && ('layers' in document || 'config' in document)) {
    throw invalid(context, 'its manifest is both a manifest and an index');
  }
  const isIndex = 'manifests' in document;
  let mediaType = typeof named === 'string' && named !== '' ? named : header;
  if (typeof named === 'string' && KNOWN.has(header) && KNOWN.has(named) && header !== named) {
    throw invalid(context, `the registry calls its manifest ${header}, the manifest itself ${named}`);
  }
  if (!KNOWN.has(mediaType)) {
    if (typeof named === 'string' && named !== '')
      throw invalid(context, `${JSON.stringify(printable(named, 100))} is not an image format that is known`);
    // No type in the document and none (or text/plain, application/json) in the header.
    mediaType = isIndex ? MEDIA_TYPE.index : MEDIA_TYPE.manifest;
  }
  if (isIndex !== (mediaType === MEDIA_TYPE.index || mediaType === MEDIA_TYPE.dockerIndex)) {
    throw invalid(context, `its manifest does not have the content of ${mediaType}`);
  }
  return mediaType;
}

function parseObject(context: string, bytes: Uint8Array): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(context, 'its manifest is not JSON', undefined, error);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw invalid(context, 'its manifest is not a JSON object');
  }
  return document as Record<string, unknown>;
}

function invalid(context: string, reason: string, hint?: string, cause?: unknown): EngineError {
  return new EngineError('IMAGE_INVALID', `${context}: ${reason}`, { hint, cause });
}
