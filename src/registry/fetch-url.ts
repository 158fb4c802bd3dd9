// Any file of the web, for `import URL` and ADD: proxies, trust and time limits are those of registries; no credentials.

import { VERSION } from '../core/version.ts';
import { EngineError } from '../core/errors.ts';
import { createWire } from './http.ts';
import { followRedirects } from './redirect.ts';
import type { HttpResponse, RegistryParts } from './types.ts';

/** The bytes of `url` as they arrive. @throws NETWORK_FAILED, OFFLINE, REGISTRY for a status other than 200 */
export async function* fetchUrl(
  parts: RegistryParts,
  url: URL,
  doing: string,
  onHeaders?: (headers: HttpResponse['headers']) => void,
): AsyncGenerator<Uint8Array> {
  const wire = createWire(parts, new Set());
  try {
    const response = await followRedirects(wire.send)({
      context: doing,
      method: 'GET',
      url,
      headers: { 'user-agent': `skiff/${VERSION}` },
      signal: parts.signal,
    });
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
