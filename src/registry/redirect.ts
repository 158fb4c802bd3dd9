// Redirects of reads (blobs live on CDNs): a few hops, credentials never leave the origin they were meant for, and a
// connection never gets less safe than it was.

import { EngineError } from '../core/errors.ts';
import { redactUrl } from './redact.ts';
import type { HttpRequest, Send } from './types.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_HOPS = 8;
/** Dropped when the origin (scheme, host, port) changes. */
const SECRET_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Follows redirects of GET and HEAD; other methods get the answer as it is. */
export function followRedirects(send: Send): Send {
  return async (request) => {
    let current = request;
    for (let hop = 0; ; hop++) {
      const response = await send(current);
      const location = response.headers.location;
      const isRead = current.method === 'GET' || current.method === 'HEAD';
      if (!isRead || !REDIRECTS.has(response.status) || location === undefined) return response;
      await response.body.discard();
      if (hop === MAX_HOPS) throw refused(request, 'it redirects in circles');
      current = redirected(current, location);
    }
  };
}

function redirected(request: HttpRequest, location: string): HttpRequest {
  let url: URL;
  try {
    url = new URL(location, request.url);
  } catch {
    throw refused(request, 'it redirects to something that is not a URL');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw refused(request, `it redirects to ${JSON.stringify(redactUrl(url))}, which is not http`);
  }
  if (request.url.protocol === 'https:' && url.protocol === 'http:') {
    throw refused(
      request,
      `it redirects from https to plain http, to ${JSON.stringify(redactUrl(url))}`,
      'if the registry is behind a proxy that ends TLS, let the proxy send X-Forwarded-Proto',
    );
  }
  // User info in a Location would otherwise become credentials of our own making.
  url.username = '';
  url.password = '';
  const headers =
    url.origin === request.url.origin
      ? request.headers
      : Object.fromEntries(Object.entries(request.headers).filter(([name]) => !SECRET_HEADERS.has(name)));
  return { ...request, url, headers };
}

function refused(request: HttpRequest, reason: string, hint?: string): EngineError {
  return new EngineError(
    'REGISTRY',
    `${request.context}: the answer of ${JSON.stringify(request.url.host)} is refused: ${reason}`,
    { hint },
  );
}
