// Blobs into a registry (distribution-spec, "Pushing Blobs"): asked for first, mounted from another repository where that
// may have it, else uploaded. As docker does it: POST opens an upload, PATCH sends the content in one piece, PUT names the
// digest. What breaks off goes on where the registry says it is; a registry that does not know begins anew.

import { EngineError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { RegistryError, registryError } from './errors.ts';
import { isLinkLocal } from './hosts.ts';
import { NetworkError } from './network-error.ts';
import { redactUrl } from './redact.ts';
import { isPassing, pauseAfter } from './retry.ts';
import type { Session, SessionRequest } from './session.ts';
import type { BlobSource, HttpResponse, Upload, UploadOptions, UploadOutcome } from './types.ts';

export interface UploadQuery {
  repository: string;
  context: string;
  signal: AbortSignal | undefined;
  userAgent: string;
}

/** HEAD: whether the repository has the blob. */
export async function hasBlob(session: Session, query: UploadQuery, digest: Digest): Promise<boolean> {
  const request = requestTo(query, 'HEAD', `${query.repository}/blobs/${digest}`);
  const response = await session.send(request);
  await response.body.discard();
  if (response.status === 200) return true;
  if (response.status === 404) return false;
  throw await refuse(session, query, request, response);
}

export async function uploadBlob(
  session: Session,
  query: UploadQuery,
  source: BlobSource,
  options: UploadOptions,
): Promise<UploadOutcome> {
  const { descriptor } = source;
  if (descriptor !== undefined) {
    if (await hasBlob(session, query, descriptor.digest)) return 'present';
    const from = await mount(session, query, descriptor.digest, options.mountFrom ?? []);
    if (from !== undefined) return { mountedFrom: from };
  }
  await new UploadRun(session, query, source, options).run();
  return 'pushed';
}

/** The repository that the blob was mounted from. Registries that cannot, or may not, open an upload instead: left to expire. */
async function mount(
  session: Session,
  query: UploadQuery,
  digest: Digest,
  candidates: readonly string[],
): Promise<string | undefined> {
  for (const from of candidates) {
    const path = `${query.repository}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`;
    const request = requestTo(query, 'POST', path);
    try {
      const response = await session.send({ ...request, scope: { ...request.scope, from } });
      await response.body.discard();
      if (response.status === 201) return from;
    } catch (error) {
      // Its token server knows nothing of that repository: the blob is sent then.
      if (!(error instanceof EngineError) || error.code !== 'AUTH_FAILED') throw error;
    }
  }
  return undefined;
}

class UploadRun {
  readonly #session: Session;
  readonly #query: UploadQuery;
  readonly #source: BlobSource;
  readonly #options: UploadOptions;
  #location: URL | undefined;
  /** Bytes the registry has. */
  #offset = 0;

  constructor(session: Session, query: UploadQuery, source: BlobSource, options: UploadOptions) {
    this.#session = session;
    this.#query = query;
    this.#source = source;
    this.#options = options;
  }

  async run(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const before = this.#offset;
      try {
        this.#location ??= await this.#begin();
        await this.#send(this.#location);
        await this.#commit();
        return;
      } catch (error) {
        const failure = passing(error, this.#location !== undefined);
        if (failure === undefined) throw error;
        // As long as something arrives in between, breaks may be many.
        await this.#findOut();
        if (this.#offset > before) attempt = 1;
        const request = this.#session.locate(requestTo(this.#query, 'PATCH', ''));
        if (!(await pauseAfter(request, failure, attempt, this.#session.retry))) throw error;
      }
    }
  }

  async #begin(): Promise<URL> {
    this.#offset = 0;
    const request = requestTo(this.#query, 'POST', `${this.#query.repository}/blobs/uploads/`);
    const response = await this.#session.send(request);
    if (response.status !== 202) throw await refuse(this.#session, this.#query, request, response);
    await response.body.discard();
    return this.#next(response);
  }

  async #send(location: URL): Promise<void> {
    const size = this.#source.descriptor?.size;
    if (size !== undefined && this.#offset >= size) return;
    const start = this.#offset;
    const headers: Record<string, string> = { 'content-type': 'application/octet-stream' };
    // Only where it goes on: some registries do not take it with a whole blob.
    if (start > 0 && size !== undefined) headers['content-range'] = `${start}-${size - 1}`;
    const upload: Upload = {
      open: () => this.#watched(start),
      sizeBytes: size === undefined ? undefined : size - start,
    };
    const request = requestTo(this.#query, 'PATCH', '', { url: location, headers, upload });
    const response = await this.#session.send(request);
    if (response.status !== 202 && response.status !== 201 && response.status !== 204)
      throw await refuse(this.#session, this.#query, request, response);
    await response.body.discard();
    this.#location = this.#next(response);
    this.#offset = size ?? this.#options.finish?.().size ?? start;
  }

  async *#watched(start: number): AsyncGenerator<Uint8Array> {
    let done = start;
    for await (const chunk of this.#source.open(start)) {
      yield chunk;
      done += chunk.length;
      this.#options.onProgress?.(done);
    }
  }

  async #commit(): Promise<void> {
    const digest = (this.#source.descriptor ?? this.#options.finish?.())?.digest ?? '';
    const url = new URL(this.#location as URL);
    url.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    const request = requestTo(this.#query, 'PUT', '', { url, headers, body: new Uint8Array() });
    const response = await this.#session.send(request);
    if (response.status !== 201 && response.status !== 204) {
      const error = await refuse(this.#session, this.#query, request, response);
      // A repeated PUT whose first answer was lost: the upload is gone because it is a blob by now.
      if (
        response.status === 404 &&
        digest !== '' &&
        (await hasBlob(this.#session, this.#query, digest as Digest))
      )
        return;
      throw error;
    }
    await response.body.discard();
  }

  /** How much has arrived; an upload that nobody knows any more is begun anew. */
  async #findOut(): Promise<void> {
    if (this.#location === undefined) return;
    const location = this.#location;
    this.#location = undefined;
    // What has no known length cannot be cut: it is sent as a whole.
    if (this.#source.descriptor === undefined) return;
    try {
      const response = await this.#session.send(requestTo(this.#query, 'GET', '', { url: location }));
      await response.body.discard();
      const range = /^(?:bytes=)?0-(\d{1,16})$/.exec(String(response.headers['range'] ?? ''));
      if (response.status !== 204 || range === null) return;
      const size = this.#source.descriptor.size;
      const end = Number(range[1]);
      // "0-0" is what registries say of nothing as well.
      const offset = end === 0 ? 0 : end + 1;
      if (offset > size || offset === 0) return;
      this.#location = this.#next(response, location);
      this.#offset = offset;
      this.#options.onProgress?.(offset);
    } catch (error) {
      if (!(error instanceof EngineError) || error.code === 'CANCELLED') throw error;
    }
  }

  #next(response: HttpResponse, known?: URL): URL {
    const text = response.headers.location;
    if (text === undefined) {
      if (known !== undefined) return known;
      throw new EngineError('REGISTRY', `${this.#query.context}: the registry does not say where to send it`);
    }
    const url = URL.canParse(text, response.url.href) ? new URL(text, response.url) : undefined;
    const isDowngrade = response.url.protocol === 'https:' && url?.protocol === 'http:';
    const isElsewhere = url !== undefined && url.host !== response.url.host && isLinkLocal(url.hostname);
    if (url === undefined || !/^https?:$/.test(url.protocol) || isDowngrade || isElsewhere) {
      const shown = url === undefined ? text.slice(0, 100) : redactUrl(url);
      throw new EngineError(
        'REGISTRY',
        `${this.#query.context}: the registry says to send it to ${JSON.stringify(shown)}, which is not safe`,
        {
          hint: isDowngrade
            ? 'if the registry is behind a proxy that ends TLS, let the proxy send X-Forwarded-Proto'
            : undefined,
        },
      );
    }
    return url;
  }
}

/** A failure that is likely to pass. isOpen: the registry had begun an upload. */
function passing(error: unknown, isOpen: boolean): Error | undefined {
  if (error instanceof NetworkError) return error.retryable || error.kind === 'reset' ? error : undefined;
  if (!(error instanceof RegistryError)) return undefined;
  // An upload that is gone, or stands elsewhere than we think.
  return isPassing(error.status) || (isOpen && [404, 416].includes(error.status)) ? error : undefined;
}

function requestTo(
  { repository, context, signal, userAgent }: UploadQuery,
  method: SessionRequest['method'],
  path: string,
  { headers = {}, ...rest }: Partial<SessionRequest> = {},
): SessionRequest {
  return {
    context,
    method,
    path,
    headers: { ...headers, 'user-agent': userAgent },
    scope: { repository, actions: 'pull,push' },
    signal,
    ...rest,
  };
}

async function refuse(
  session: Session,
  { repository }: UploadQuery,
  request: SessionRequest,
  response: HttpResponse,
): Promise<Error> {
  return await registryError(session.locate(request), response, {
    login: session.loginFor(repository),
    registry: session.endpoint.name,
  });
}
