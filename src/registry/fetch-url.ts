// Any file of the web, for `import URL` and ADD: proxies, trust and time limits are those of registries; no credentials.

import { VERSION } from '../core/version.ts';
import { EngineError } from '../core/errors.ts';
import { createWire } from './http.ts';
import { followRedirects } from './redirect.ts';
import type { HttpResponse, RegistryParts } from './types.ts';

/** What a server has said of the version it gave: its own marks, sent back as they came. */
export interface Validators {
  etag?: string;
  lastModified?: string;
}

export interface FetchUrlOptions {
  onHeaders?: (headers: HttpResponse['headers']) => void;
  /** A version that need not be sent again: `onUnchanged` is called in place of everything else where it still is the current one. */
  known?: { validators: Validators; onUnchanged: () => void };
}

/** The bytes of `url` as they arrive. @throws NETWORK_FAILED, OFFLINE, REGISTRY for a status other than 200 */
export async function* fetchUrl(
  parts: RegistryParts,
  url: URL,
  doing: string,
  { onHeaders, known }: FetchUrlOptions = {},
): AsyncGenerator<Uint8Array> {
  const wire = createWire(parts, new Set());
  try {
    const response = await followRedirects(wire.send)({
      context: doing,
      method: 'GET',
      url,
      headers: { 'user-agent': `skiff/${VERSION}`, ...conditionsOf(known?.validators) },
      signal: parts.signal,
    });
    if (response.status === 304 && known !== undefined) {
      await response.body.discard();
      known.onUnchanged();
      return;
    }
    if (response.status !== 200) {
      await response.body.discard();
      throw new EngineError('REGISTRY', `${doing}: the server answers with status ${response.status}`);
    }
    onHeaders?.(response.headers);
    yield* response.body;
  } finally {
    wire.close();
  }
}

/** RFC 9110, 13.1: where there is an entity tag, the date would not be looked at. */
function conditionsOf({ etag, lastModified }: Validators = {}): Record<string, string> {
  if (etag !== undefined) return { 'if-none-match': etag };
  return lastModified === undefined ? {} : { 'if-modified-since': lastModified };
}
