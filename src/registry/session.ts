// A conversation with one endpoint: joins the chain auth(retry(scheme(redirect(wire)))) and remembers what was learned,
// which scheme answers and how to log in.

import { createAuthenticator } from './auth.ts';
import type { Scope } from './auth.ts';
import type { CredentialParts, Login } from './credentials.ts';
import type { Endpoint } from './endpoints.ts';
import { NetworkError } from './network-error.ts';
import { followRedirects } from './redirect.ts';
import { retrying } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import type { HttpRequest, HttpResponse, RegistryParts, Send } from './types.ts';

/** A request without its place: `path` is appended to `/v2/PREFIX`. */
export interface SessionRequest extends Omit<HttpRequest, 'url'> {
  /** `library/debian/manifests/12`, perhaps with a query. Its parts were checked by their grammars. */
  path: string;
  /** Where an upload goes on, as the registry said: instead of `path`. */
  url?: URL | undefined;
  scope: Scope;
}

export interface Session {
  endpoint: Endpoint;
  retry: RetryPolicy;
  send(request: SessionRequest): Promise<HttpResponse>;
  /** The whole request as it was or would be sent, for error messages and links. */
  locate(request: SessionRequest): HttpRequest;
  loginFor(repository: string): Login | undefined;
}

interface SessionParts extends Pick<RegistryParts, 'config' | 'options'> {
  wire: Send;
  retry: RetryPolicy;
  credentials: CredentialParts;
}

export function openSession(endpoint: Endpoint, parts: SessionParts): Session {
  const scheme = chooseScheme(endpoint, followRedirects(parts.wire));
  const auth = createAuthenticator({
    registry: endpoint.name,
    config: parts.config,
    options: parts.options,
    retry: parts.retry,
    credentials: parts.credentials,
    send: retrying(scheme.send, parts.retry),
    sendToRealm: retrying(followRedirects(parts.wire), parts.retry),
  });
  const locate = ({ path, url: given, scope: _, ...request }: SessionRequest): HttpRequest => {
    const prefix = endpoint.prefix === '' ? '' : `${endpoint.prefix}/`;
    const url = given ?? new URL(`${scheme.current()}://${endpoint.host}/v2/${prefix}${path}`);
    return { ...request, url };
  };
  const elsewhere = retrying(parts.wire, parts.retry);
  return {
    endpoint,
    retry: parts.retry,
    locate,
    send(request) {
      // Uploads may go on at a storage service, which must not see our login.
      if (request.url !== undefined && request.url.host !== endpoint.host) return elsewhere(locate(request));
      return auth.send(locate(request), request.scope);
    },
    loginFor: (repository) => auth.loginFor(repository),
  };
}

type Scheme = 'https' | 'http';

/** Tries the schemes of an endpoint in turn for the first request; the others wait, then use the one that answered. */
function chooseScheme({ schemes, host }: Endpoint, send: Send): { send: Send; current(): Scheme } {
  let chosen: Scheme | undefined = schemes.length === 1 ? schemes[0] : undefined;
  let choosing: Promise<unknown> | undefined;
  const choose = async (request: HttpRequest): Promise<HttpResponse> => {
    try {
      const response = await send(withScheme(request, 'https'));
      chosen = 'https';
      return response;
    } catch (error) {
      if (!(error instanceof NetworkError) || !mayBePlain(error, host)) throw error;
      const response = await send(withScheme(request, 'http'));
      // Go's TLS servers answer plain http with status 400: the port does speak TLS, and what went wrong there counts.
      if (response.status === 400 && error.kind !== 'not-tls') {
        await response.body.discard();
        throw error;
      }
      chosen = 'http';
      return response;
    }
  };
  return {
    current: () => chosen ?? schemes[0] ?? 'https',
    async send(request) {
      while (chosen === undefined && choosing !== undefined) await choosing.catch(() => undefined);
      if (chosen !== undefined) return send(withScheme(request, chosen));
      const first = choose(request);
      choosing = first;
      try {
        return await first;
      } finally {
        choosing = undefined;
      }
    },
  };
}

/** True when plain http may work where https failed: the port does not speak TLS, or https has a port of its own. */
function mayBePlain({ kind }: NetworkError, host: string): boolean {
  if (kind === 'not-tls' || kind === 'tls' || kind === 'reset') return true;
  const hasPort = /:[0-9]+$/.test(host);
  return !hasPort && (kind === 'refused' || kind === 'timeout' || kind === 'unreachable');
}

function withScheme(request: HttpRequest, scheme: Scheme): HttpRequest {
  const url = new URL(request.url);
  url.protocol = `${scheme}:`;
  return { ...request, url };
}
