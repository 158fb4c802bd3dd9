// Adds the Authorization a registry asks for: nothing until the first 401, then what its challenge says. Logins are only
// looked up then, so that anonymous pulls run no credential helper. One Authenticator serves one endpoint.

import { HEADER } from '../oci/distribution.ts';
import { chooseChallenge, parseChallenges } from './challenge.ts';
import type { Challenge } from './challenge.ts';
import { findLogin } from './credentials.ts';
import type { CredentialParts, Login } from './credentials.ts';
import type { RetryPolicy } from './retry.ts';
import { basicAuthorization, fetchToken } from './token.ts';
import type { Token } from './token.ts';
import type { HttpRequest, HttpResponse, RegistryParts, Send } from './types.ts';

export interface Scope {
  repository: string;
  /** `pull`, `pull,push` */
  actions: string;
  /** A repository to read from at the same time: where blobs are mounted from. */
  from?: string | undefined;
}

export interface Authenticator {
  send(request: HttpRequest, scope: Scope): Promise<HttpResponse>;
  /** The login that was used or sought, for hints; undefined while no challenge came. */
  loginFor(repository: string): Login | undefined;
}

interface AuthParts extends Pick<RegistryParts, 'config' | 'options'> {
  retry: RetryPolicy;
  /** Name of the registry, as credentials are kept under. */
  registry: string;
  credentials: CredentialParts;
  /** Reaches the registry. */
  send: Send;
  /** Reaches token servers. */
  sendToRealm: Send;
}

export function createAuthenticator(parts: AuthParts): Authenticator {
  const logins = new Map<string, Promise<Login>>();
  const known = new Map<string, Login>();
  const tokens = new Map<string, Promise<Token>>();
  // The last challenge of this endpoint: later requests are signed before they are challenged.
  let basic = false;
  let bearer: Challenge | undefined;

  const login = (repository: string): Promise<Login> => {
    let found = logins.get(repository);
    if (found === undefined) {
      found = findLogin(parts.credentials, parts.registry, repository).then((result) => {
        known.set(repository, result);
        return result;
      });
      logins.set(repository, found);
    }
    return found;
  };

  const token = async (
    request: HttpRequest,
    challenge: Challenge,
    scope: Scope,
    refused?: string,
  ): Promise<string> => {
    const { credentials, source } = await login(scope.repository);
    if (credentials?.registryToken !== undefined) return credentials.registryToken;
    const wanted = scopesOf(scope);
    const own = wanted.join(' ');
    // Parallel requests share one token request; a token that was just refused or has expired is not used again.
    const kept = tokens.get(own);
    if (kept !== undefined) {
      const { value, expiresAtMs } = await kept;
      if (value !== refused && expiresAtMs > Date.now()) return value;
      if (tokens.get(own) !== kept) return token(request, challenge, scope, refused);
    }
    const { realm = '', service } = challenge.parameters;
    const scopes = [...wanted, ...challengedScopes(challenge).filter((asked) => !wanted.includes(asked))];
    const fresh = fetchToken(parts.sendToRealm, parts, request, {
      realm,
      service,
      scopes,
      credentials,
      source,
    });
    tokens.set(own, fresh);
    fresh.catch(() => {
      if (tokens.get(own) === fresh) tokens.delete(own);
    });
    return (await fresh).value;
  };

  const authorization = async (request: HttpRequest, scope: Scope): Promise<string | undefined> => {
    if (bearer !== undefined) return `Bearer ${await token(request, bearer, scope)}`;
    if (!basic) return undefined;
    const { credentials } = await login(scope.repository);
    return credentials === undefined ? undefined : basicAuthorization(credentials);
  };

  const signed = (request: HttpRequest, value: string | undefined): HttpRequest =>
    value === undefined ? request : { ...request, headers: { ...request.headers, authorization: value } };

  return {
    loginFor: (repository) => known.get(repository),
    async send(request, scope) {
      const first = await authorization(request, scope);
      const response = await parts.send(signed(request, first));
      // The scheme may have been settled on the way, the host may not have changed: a 401 from where a redirect led is not our registry's challenge, and gets no password of it.
      if (response.status !== 401 || response.url.host !== request.url.host) return response;
      const challenge = chooseChallenge(parseChallenges(response.headers[HEADER.challenge] ?? ''));
      if (challenge === undefined) return response;
      if (challenge.scheme === 'bearer') {
        // The scope belongs to this one request, the rest to all that follow.
        bearer = { ...challenge, parameters: { ...challenge.parameters, scope: '' } };
      } else {
        bearer = undefined;
        basic = true;
      }
      const second = await (challenge.scheme === 'bearer'
        ? token(request, challenge, scope, tokenIn(first)).then((value) => `Bearer ${value}`)
        : authorization(request, scope));
      if (second === undefined || second === first) return response;
      await response.body.discard();
      return parts.send(signed(request, second));
    },
  };
}

/** A login alone needs none. */
function scopesOf({ repository, actions, from }: Scope): string[] {
  if (repository === '') return [];
  const own = `repository:${repository}:${actions}`;
  return from === undefined ? [own] : [own, `repository:${from}:pull`];
}

/** The scopes a registry asks for; those of our own request are added in any case. */
function challengedScopes(challenge: Challenge): string[] {
  return (challenge.parameters['scope'] ?? '').split(' ').filter((scope) => scope !== '');
}

function tokenIn(authorization: string | undefined): string | undefined {
  return authorization?.startsWith('Bearer ') === true ? authorization.slice('Bearer '.length) : undefined;
}
