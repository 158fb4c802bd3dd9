// The distribution-spec client as the rows above see it: chooses endpoints (mirrors first), words the context of errors,
// and delegates to manifests.ts, blobs.ts, uploads.ts and tags.ts. It writes nothing to disk and prints nothing.

import { digestOf, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { formatFamiliar } from '../core/reference.ts';
import type { ImageReference } from '../core/reference.ts';
import { VERSION } from '../core/version.ts';
import type { Descriptor } from '../oci/image.ts';
import { fetchBlob, foreignSource } from './blobs.ts';
import type { BlobQuery } from './blobs.ts';
import { endpointsFor } from './endpoints.ts';
import { homeDir } from './env.ts';
import { DigestMismatchError, registryError, RegistryError } from './errors.ts';
import { isLinkLocal } from './hosts.ts';
import { createWire } from './http.ts';
import { fetchManifest, putManifest, resolveManifest } from './manifests.ts';
import { createFailover } from './mirrors.ts';
import { followRedirects } from './redirect.ts';
import { DEFAULT_FIRST_DELAY_MS, DEFAULT_RETRIES, retrying, sleepFor } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import { openSession } from './session.ts';
import type { Session, SessionRequest } from './session.ts';
import { listTags } from './tags.ts';
import type { BlobOptions, BlobStream, RegistryClient, RegistryParts } from './types.ts';
import { hasBlob, uploadBlob, type UploadQuery } from './uploads.ts';

/** A config larger than this is an attack or a mistake. */
const MAX_SMALL_BLOB_BYTES = 16 * 1024 * 1024;
/** A mirror is a convenience: what is behind it should not wait for long. */
const MIRROR_RETRIES = 1;
const MAX_FOREIGN_URLS = 4;

/** Opens no socket until the first request. One client serves one command; logins and tokens are kept for its life. */
export function createRegistryClient(parts: RegistryParts): RegistryClient {
  const { config, log, signal, options = {}, doing = 'pulling', userAgent = `skiff/${VERSION}` } = parts;
  const ownHosts = new Set<string>();
  const wire = createWire(parts, ownHosts);
  const credentials = { env: parts.env, home: homeDir(parts.env, parts.home), options, log };
  const retry: RetryPolicy = {
    retries: options.retries ?? DEFAULT_RETRIES,
    firstDelayMs: options.retryDelayMs ?? DEFAULT_FIRST_DELAY_MS,
    log,
    sleep: parts.sleep ?? sleepFor,
    random: Math.random,
  };
  const sessions = new Map<string, Session[]>();

  const sessionsFor = (registry: string): Session[] => {
    let list = sessions.get(registry);
    if (list === undefined) {
      const endpoints = endpointsFor(registry, config, options);
      list = endpoints.map((endpoint) => {
        ownHosts.add(new URL(`https://${endpoint.host}`).host).add(new URL(`http://${endpoint.host}`).host);
        const policy = endpoint.isMirror
          ? { ...retry, retries: Math.min(retry.retries, MIRROR_RETRIES) }
          : retry;
        // --creds is meant for the registry the user named, not for a mirror of the configuration.
        const own = endpoint.isMirror
          ? { ...credentials, options: { ...options, creds: undefined } }
          : credentials;
        return openSession(endpoint, { config, options, wire: wire.send, retry: policy, credentials: own });
      });
      sessions.set(registry, list);
    }
    return list;
  };

  const failover = createFailover(sessionsFor, log);
  const contextOf = (ref: ImageReference): string => `${doing} ${JSON.stringify(formatFamiliar(ref))}`;

  /** Not a mirror. */
  const ownSession = ({ registry }: ImageReference): Session => sessionsFor(registry).at(-1) as Session;

  const uploadQuery = (ref: ImageReference, digest: Digest | undefined): UploadQuery => ({
    repository: ref.repository,
    context: `${contextOf(ref)}: blob${digest === undefined ? '' : ` ${digest}`}`,
    signal,
    userAgent,
  });

  const blobQuery = (
    ref: ImageReference,
    blob: Descriptor,
    { offset = 0, ...own }: BlobOptions,
  ): BlobQuery => ({
    repository: ref.repository,
    blob,
    offset,
    context: `${contextOf(ref)}: blob ${blob.digest}`,
    signal: anyOf(signal, own.signal),
    userAgent,
  });

  const openBlob = async (ref: ImageReference, blob: Descriptor, own: BlobOptions): Promise<BlobStream> => {
    const query = blobQuery(ref, blob, own);
    try {
      return await failover.openBlob(ref.registry, query, own.skipMirrors ?? false);
    } catch (error) {
      const isMissing = error instanceof RegistryError && error.status === 404;
      if (!isMissing || blob.urls === undefined || blob.urls.length === 0) throw error;
      return openForeign(query, blob.urls, error);
    }
  };

  const openForeign = async (
    query: BlobQuery,
    urls: readonly string[],
    missing: Error,
  ): Promise<BlobStream> => {
    const send = retrying(followRedirects(wire.send), retry);
    let lastError = missing;
    for (const text of urls.slice(0, MAX_FOREIGN_URLS)) {
      const url = foreignUrl(text);
      if (url === undefined) continue;
      try {
        return await fetchBlob(foreignSource(send, retry, query, url), query);
      } catch (error) {
        if (!(error instanceof EngineError) || error.code === 'CANCELLED') throw error;
        lastError = error;
      }
    }
    throw lastError;
  };

  return {
    resolve(ref) {
      const query = { ref, context: contextOf(ref), signal, userAgent };
      return failover.run(ref.registry, (session) => resolveManifest(session, query));
    },
    fetchManifest(ref) {
      const query = { ref, context: contextOf(ref), signal, userAgent };
      return failover.run(ref.registry, (session) => fetchManifest(session, query));
    },
    fetchBlob: (ref, blob, own = {}) => openBlob(ref, blob, own),
    async fetchBlobBytes(ref, blob, own = {}) {
      const { context } = blobQuery(ref, blob, {});
      if (blob.size > MAX_SMALL_BLOB_BYTES) {
        throw new EngineError(
          'IMAGE_INVALID',
          `${context}: ${blob.size} bytes are too many for what should be a small document`,
        );
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await openBlob(ref, blob, { ...own, offset: 0 })).body) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const found = digestOf(bytes);
      if (found !== blob.digest)
        throw new DigestMismatchError(contextOf(ref), 'the blob', blob.digest, found);
      return bytes;
    },
    async checkLogin(registry) {
      const session = sessionsFor(registry).at(-1) as Session;
      const request: SessionRequest = {
        context: `${doing} ${JSON.stringify(registry)}`,
        method: 'GET',
        path: '',
        headers: { 'user-agent': userAgent },
        scope: { repository: '', actions: '' },
        signal,
      };
      const response = await session.send(request);
      if (response.status !== 200)
        throw await registryError(session.locate(request), response, {
          login: session.loginFor(''),
          registry,
        });
      await response.body.discard();
    },
    hasBlob: (ref, digest) => hasBlob(ownSession(ref), uploadQuery(ref, digest), digest),
    uploadBlob: (ref, source, own = {}) =>
      uploadBlob(ownSession(ref), uploadQuery(ref, source.descriptor?.digest), source, own),
    putManifest(ref, manifest) {
      const query = { ref, context: contextOf(ref), signal, userAgent };
      return putManifest(ownSession(ref), query, manifest);
    },
    listTags(ref) {
      const session = ownSession(ref);
      const context = `listing tags of ${JSON.stringify(formatFamiliar({ registry: ref.registry, repository: ref.repository }))}`;
      return listTags(session, { repository: ref.repository, context, signal, userAgent });
    },
    close: () => wire.close(),
  };
}

/** An image may name any address: nothing but http(s), and not where clouds keep their secrets. */
function foreignUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return isLinkLocal(url.hostname) ? undefined : url;
}

function anyOf(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a !== undefined && b !== undefined && a !== b ? AbortSignal.any([a, b]) : (a ?? b);
}
