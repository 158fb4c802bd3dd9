// Gets a bearer token from the server a challenge names (docker's token specification; the oauth2 form for identity
// tokens). Tokens and passwords never enter a message.

import { EngineError } from '../core/errors.ts';
import type { Credentials } from './auth-file.ts';
import { readErrorText } from './body.ts';
import { isInsecure } from './endpoints.ts';
import { parseErrors } from './errors.ts';
import { isLinkLocal } from './hosts.ts';
import { printable, redactUrl } from './redact.ts';
import { sendWhole } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import type { HttpRequest, HttpResponse, RegistryParts, Send } from './types.ts';

export interface Token {
  value: string;
  /** Milliseconds since the epoch; the registry says 401 after it. */
  expiresAtMs: number;
}

export interface TokenRequest {
  realm: string;
  service: string | undefined;
  /** `repository:library/debian:pull` */
  scopes: readonly string[];
  credentials: Credentials | undefined;
  /** Where the credentials are from, for hints. */
  source: string;
}

const CLIENT_ID = 'skiff';
const MAX_ANSWER = 1024 * 1024;
/** docker's token specification: the life of a token that says nothing about it. */
const DEFAULT_LIFE_S = 60;
const MARGIN_MS = 5_000;

/**
 * Asks the realm for a token. `request` is the one that was challenged.
 * @throws AUTH_FAILED when it says no or nonsense, or when its address would be unsafe; NetworkError
 */
export async function fetchToken(
  send: Send,
  parts: Pick<RegistryParts, 'config' | 'options'> & { retry: RetryPolicy },
  request: HttpRequest,
  ask: TokenRequest,
): Promise<Token> {
  const realm = checkRealm(parts, request, ask);
  const { identityToken } = ask.credentials ?? {};
  const tokenRequest =
    identityToken === undefined
      ? getRequest(request, realm, ask)
      : postRequest(request, realm, ask, identityToken);
  const { response, bytes } = await sendWhole(() => send(tokenRequest), tokenRequest, {
    retry: parts.retry,
    status: 200,
    maxBytes: MAX_ANSWER,
  });
  if (response.status !== 200)
    throw refused(request, realm, response, await readErrorText(response, MAX_ANSWER), ask);
  return parseToken(request, realm, bytes);
}

/** A hostile registry must not make us send a password in the clear or fetch from a cloud's metadata service. */
function checkRealm(
  parts: Pick<RegistryParts, 'config' | 'options'>,
  request: HttpRequest,
  { realm, credentials }: TokenRequest,
): URL {
  let url: URL;
  try {
    url = new URL(realm, request.url);
  } catch {
    throw unsafe(request, `its token server ${JSON.stringify(printable(realm, 80))} is not a URL`);
  }
  const shown = JSON.stringify(redactUrl(url));
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw unsafe(request, `its token server ${shown} is not http`);
  if (isLinkLocal(url.hostname) && url.hostname !== request.url.hostname) {
    throw unsafe(request, `its token server ${shown} has a link-local address`);
  }
  if (
    url.protocol === 'http:' &&
    credentials !== undefined &&
    !isInsecure(url.host, parts.config, parts.options ?? {})
  ) {
    throw unsafe(
      request,
      `its token server ${shown} would get the password over plain http`,
      `if that is intended, set SKIFF_INSECURE_REGISTRIES=${url.host}`,
    );
  }
  url.username = '';
  url.password = '';
  return url;
}

function getRequest(
  request: HttpRequest,
  realm: URL,
  { service, scopes, credentials }: TokenRequest,
): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (credentials !== undefined && credentials.username !== '') {
    url.searchParams.set('account', credentials.username);
    headers['authorization'] = basicAuthorization(credentials);
  }
  return { ...base(request), method: 'GET', url, headers };
}

function postRequest(
  request: HttpRequest,
  realm: URL,
  { service, scopes }: TokenRequest,
  refreshToken: string,
): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: CLIENT_ID,
  });
  if (service !== undefined) form.set('service', service);
  form.set('scope', scopes.join(' '));
  return {
    ...base(request),
    method: 'POST',
    url: realm,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

function base({ context, signal }: HttpRequest): Pick<HttpRequest, 'context' | 'signal'> {
  return { context, signal };
}

export function basicAuthorization({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function parseToken(request: HttpRequest, realm: URL, body: Buffer | undefined): Token {
  let answer: Record<string, unknown> = {};
  try {
    answer = (JSON.parse(body?.toString('utf8') ?? '') ?? {}) as Record<string, unknown>;
  } catch {
    // falls through: an empty answer has no token
  }
  const value = [answer['token'], answer['access_token']].find(
    (field) => typeof field === 'string' && field !== '',
  );
  // Only what may stand in a header (RFC 6750, b64token, generously).
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw unsafe(request, `its token server ${JSON.stringify(redactUrl(realm))} sent no token`);
  }
  const life = answer['expires_in'];
  const lifeMs = (typeof life === 'number' && life > 0 ? life : DEFAULT_LIFE_S) * 1000;
  return { value, expiresAtMs: Date.now() + Math.max(lifeMs - MARGIN_MS, lifeMs / 2) };
}

function refused(
  request: HttpRequest,
  realm: URL,
  response: HttpResponse,
  text: string,
  ask: TokenRequest,
): EngineError {
  const first = parseErrors(text)[0];
  const said = first === undefined ? '' : `: ${first.message ?? first.code}`;
  const status = response.status;
  const code = status === 401 || status === 403 || status === 400 ? 'AUTH_FAILED' : 'REGISTRY';
  return new EngineError(
    code,
    `${request.context}: the token server ${JSON.stringify(realm.host)} refused ${ask.credentials === undefined ? 'access' : 'the login'} (status ${status}${said})`,
    {
      hint: ask.credentials === undefined ? undefined : `check the user and password from ${ask.source}`,
    },
  );
}

function unsafe(request: HttpRequest, reason: string, hint?: string): EngineError {
  return new EngineError(
    'AUTH_FAILED',
    `${request.context}: cannot log in to ${JSON.stringify(request.url.host)}: ${reason}`,
    { hint },
  );
}
