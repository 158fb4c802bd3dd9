// Blobs (distribution-spec, "Pulling blobs") as streams of exactly the announced length. A stream that breaks off goes on
// where it stopped, by Range; a registry without ranges sends all again and the known part is skipped. The digest of
// the whole is for the caller, who sees bytes of earlier runs too.

import { EngineError } from '../core/errors.ts';
import type { Descriptor } from '../oci/image.ts';
import { registryError } from './errors.ts';
import { NetworkError } from './network-error.ts';
import { pauseAfter } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import type { Session } from './session.ts';
import type { BlobStream, HttpRequest, HttpResponse, Send } from './types.ts';

export interface BlobQuery {
  repository: string;
  blob: Descriptor;
  /** First byte wanted; 0 ≤ offset ≤ size. */
  offset: number;
  context: string;
  signal: AbortSignal | undefined;
  userAgent: string;
}

/** Where one blob is asked for. */
export interface BlobSource {
  retry: RetryPolicy;
  /** Sends the request for the bytes from `offset` on, redirects, retries and login included. */
  ask(offset: number): Promise<HttpResponse>;
  /** The same request for messages. */
  locate(offset: number): HttpRequest;
  refuse(offset: number, response: HttpResponse): Promise<Error>;
}

/** The blob as its registry or a mirror has it. */
export function registrySource(session: Session, query: BlobQuery): BlobSource {
  const { repository, blob, context, signal } = query;
  const request = (offset: number) => ({
    context,
    signal,
    method: 'GET' as const,
    path: `${repository}/blobs/${blob.digest}`,
    headers: blobHeaders(query, offset),
    scope: { repository, actions: 'pull' },
  });
  return {
    retry: session.retry,
    ask: (offset) => session.send(request(offset)),
    locate: (offset) => session.locate(request(offset)),
    refuse: (offset, response) =>
      registryError(session.locate(request(offset)), response, {
        login: session.loginFor(repository),
        registry: session.endpoint.name,
      }),
  };
}

/** A foreign layer from one of the `urls` of its descriptor: no registry, no login. */
export function foreignSource(send: Send, retry: RetryPolicy, query: BlobQuery, url: URL): BlobSource {
  const request = (offset: number): HttpRequest => ({
    context: query.context,
    signal: query.signal,
    method: 'GET',
    url,
    headers: blobHeaders(query, offset),
  });
  return {
    retry,
    ask: (offset) => send(request(offset)),
    locate: request,
    refuse: (offset, response) =>
      registryError(request(offset), response, { login: undefined, registry: url.host }),
  };
}

function blobHeaders({ userAgent }: BlobQuery, offset: number): Record<string, string> {
  return {
    accept: 'application/octet-stream, */*',
    'user-agent': userAgent,
    ...(offset > 0 ? { range: `bytes=${offset}-` } : {}),
  };
}

/** Opens the blob: errors of the first answer come here, later ones while reading. */
export async function fetchBlob(source: BlobSource, query: BlobQuery): Promise<BlobStream> {
  const { blob, offset, context } = query;
  if (offset > blob.size) {
    throw new EngineError(
      'SIZE_MISMATCH',
      `${context}: ${offset} bytes are here already, but it has ${blob.size}`,
    );
  }
  if (offset === blob.size && offset > 0) return { rangeHonoured: true, body: nothing() };
  const first = await openAt(source, query, offset);
  return { rangeHonoured: offset === 0 || first.start === offset, body: readOn(source, query, first) };
}

interface OpenBlob {
  response: HttpResponse;
  /** Position of the body's first byte in the blob. */
  start: number;
}

/** Asks for the blob from `offset` on; `start` may be 0 all the same. */
async function openAt(source: BlobSource, query: BlobQuery, offset: number): Promise<OpenBlob> {
  const response = await source.ask(offset);
  const { blob, context } = query;
  const { status, headers } = response;
  if (status === 416 && offset > 0) {
    await response.body.discard();
    // Either the blob is shorter there than its descriptor says, or ranges are broken: the whole blob tells.
    return openAt(source, query, 0);
  }
  if (status === 206 && offset > 0) {
    const range = /^bytes ([0-9]{1,16})-([0-9]{1,16})\/(\*|[0-9]{1,16})$/.exec(
      headers['content-range'] ?? '',
    );
    const start = range === null ? offset : Number(range[1]);
    if (start > offset) {
      await response.body.discard();
      return openAt(source, query, 0);
    }
    if (range !== null && range[3] !== '*') checkSize(context, blob, Number(range[3]));
    return { response, start };
  }
  if (status === 200) {
    const length = headers['content-length'];
    if (length !== undefined) {
      try {
        checkSize(context, blob, Number(length));
      } catch (error) {
        await response.body.discard();
        throw error;
      }
    }
    return { response, start: 0 };
  }
  throw await source.refuse(offset, response);
}

async function* readOn(
  source: BlobSource,
  query: BlobQuery,
  first: OpenBlob,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { blob, context } = query;
  let position = query.offset;
  let open: OpenBlob | undefined = first;
  for (let attempt = 1; ; attempt++) {
    const before = position;
    let isReading = false;
    try {
      open ??= await openAt(source, query, position);
      isReading = true;
      let at = open.start;
      for await (const chunk of open.response.body) {
        const skip = Math.min(Math.max(0, position - at), chunk.length);
        at += chunk.length;
        if (at > blob.size) throw tooLong(context, blob);
        if (skip === chunk.length) continue;
        position = at;
        yield skip === 0 ? chunk : chunk.subarray(skip);
      }
      if (position === blob.size) return;
      throw endedEarly(source, position, blob);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      if (position === blob.size) return;
      // While opening, passing failures were retried already; a port that is closed now may be a registry that restarts.
      if (!(isReading ? error.retryable : error.kind === 'refused')) throw error;
      // As long as something comes in between, breaks may be many: the budget is for those without progress.
      if (position > before) attempt = 1;
      if (!(await pauseAfter(source.locate(position), error, attempt, source.retry))) throw error;
      open = undefined;
    }
  }
}

/** A clean end too early, without Content-Length: a proxy that gave up, or a shorter blob. */
function endedEarly(source: BlobSource, position: number, blob: Descriptor): NetworkError {
  return new NetworkError(source.locate(position), {
    kind: 'reset',
    text: `the registry ended it after ${position} of ${blob.size} bytes`,
    retryable: true,
  });
}

function checkSize(context: string, blob: Descriptor, found: number): void {
  if (found === blob.size) return;
  throw new EngineError(
    'SIZE_MISMATCH',
    `${context}: the registry holds ${found} bytes, the manifest says ${blob.size}`,
    {
      hint: 'the image is damaged in the registry: push it again',
    },
  );
}

function tooLong(context: string, blob: Descriptor): EngineError {
  return new EngineError(
    'SIZE_MISMATCH',
    `${context}: the registry sends more than the ${blob.size} bytes the manifest says`,
    {
      hint: 'the image is damaged in the registry: push it again',
    },
  );
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  // the caller has every byte
}
