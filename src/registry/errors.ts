// Answers that are no success: reads the error body of the distribution-spec and words it. Bodies are limited and cleaned,
// since a registry may send anything.

import type { ErrorCode } from '../core/errors.ts';
import { EngineError } from '../core/errors.ts';
import { ERROR_CODE, HEADER } from '../oci/distribution.ts';
import type { DistributionError } from '../oci/distribution.ts';
import { readErrorText } from './body.ts';
import type { Login } from './credentials.ts';
import { printable, redactUrl } from './redact.ts';
import { retryAfterMs } from './retry.ts';
import type { HttpRequest, HttpResponse, Method } from './types.ts';

const MAX_ERROR_BODY = 16 * 1024;

/** A registry's answer that says no. `errors` are as sent (cleaned); `url` is without secrets. */
export class RegistryError extends EngineError {
  readonly status: number;
  readonly method: Method;
  readonly url: string;
  readonly errors: readonly DistributionError[];

  constructor(code: ErrorCode, message: string, fields: RegistryErrorFields) {
    super(code, message, { hint: fields.hint });
    this.name = 'RegistryError';
    this.status = fields.status;
    this.method = fields.method;
    this.url = fields.url;
    this.errors = fields.errors;
  }
}

interface RegistryErrorFields {
  status: number;
  method: Method;
  url: string;
  errors: readonly DistributionError[];
  hint?: string | undefined;
}

/** Content whose digest is not the one that was asked for. */
export class DigestMismatchError extends EngineError {
  readonly expected: string;
  readonly found: string;

  constructor(context: string, what: string, expected: string, found: string) {
    super('DIGEST_MISMATCH', `${context}: ${what} is damaged or forged: expected ${expected}, got ${found}`, {
      hint: 'try again; if it happens each time, the registry, a mirror or a proxy on the way is at fault',
    });
    this.name = 'DigestMismatchError';
    this.expected = expected;
    this.found = found;
  }
}

/** Codes in our own words; others are shown as the registry words them. */
const WORDS: Readonly<Record<string, string>> = {
  [ERROR_CODE.nameUnknown]: 'repository name not known to registry',
  [ERROR_CODE.manifestUnknown]: 'no such tag or digest in this repository',
  [ERROR_CODE.blobUnknown]: 'the registry does not have this blob',
  [ERROR_CODE.nameInvalid]: 'the registry does not accept this repository name',
};

/** Reads what is left of `response` into an error. `login` is what the request was signed with, if anything. */
export async function registryError(
  request: HttpRequest,
  response: HttpResponse,
  { login, registry }: { login: Login | undefined; registry: string },
): Promise<RegistryError> {
  const text = response.method === 'HEAD' ? '' : await readErrorText(response, MAX_ERROR_BODY);
  const errors = parseErrors(text);
  const { status } = response;
  const code = codeFor(status, errors);
  const reason = wording(status, errors, text, login);
  const hint = hintFor(code, response, registry, login);
  const limits = status === 429 ? limitText(response) : '';
  return new RegistryError(code, `${request.context}: ${reason}${limits}`, {
    status,
    method: response.method,
    url: redactUrl(response.url),
    errors,
    hint,
  });
}

/** `errors` of a distribution-spec error body; [] when it is none. */
export function parseErrors(text: string): DistributionError[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return [];
  }
  const list = (body as { errors?: unknown } | null)?.errors;
  if (!Array.isArray(list)) return [];
  return list.slice(0, 8).flatMap((entry: unknown): DistributionError[] => {
    const { code, message, detail } = (entry ?? {}) as Record<string, unknown>;
    if (typeof code !== 'string') return [];
    return [
      {
        code: printable(code, 40),
        ...(typeof message === 'string' ? { message: printable(message) } : {}),
        ...(detail === undefined || detail === null ? {} : { detail }),
      },
    ];
  });
}

function codeFor(status: number, errors: readonly DistributionError[]): ErrorCode {
  const code = errors[0]?.code;
  if (status === 401 || status === 403) return 'AUTH_FAILED';
  if (status === 404 && (code === undefined || code in WORDS || code === 'NOT_FOUND'))
    return 'IMAGE_NOT_FOUND';
  return 'REGISTRY';
}

function wording(
  status: number,
  errors: readonly DistributionError[],
  text: string,
  login: Login | undefined,
): string {
  const first = errors[0];
  if (first === undefined) {
    if (status === 401 && login?.credentials !== undefined)
      return 'the registry refuses the login (status 401)';
    if (status === 401) return 'the registry asks for a login (status 401)';
    if (status === 403) return 'the registry denies access (status 403)';
    if (status === 404) return 'not found in the registry (status 404)';
    // A proxy's or a load balancer's page: its first words often tell.
    const said = /<html|<!doctype/i.test(text) ? '' : printable(text, 120);
    return `the registry answered with status ${status}${said === '' ? '' : `: ${said}`}`;
  }
  if (first.code === ERROR_CODE.unauthorized || first.code === ERROR_CODE.denied) {
    const said = first.message === undefined ? '' : `: ${first.message}`;
    const needs = login?.credentials === undefined ? 'needs a login' : 'the login does not allow it';
    return `access denied: the repository does not exist or ${needs} (${first.code}${said})`;
  }
  const words = WORDS[first.code] ?? first.message ?? 'the registry gives no reason';
  return `${words} (${first.code})`;
}

function hintFor(
  code: ErrorCode,
  { status }: HttpResponse,
  registry: string,
  login: Login | undefined,
): string | undefined {
  if (status === 429) {
    return login?.credentials === undefined
      ? `you are not logged in to ${registry}, and limits are higher with a login: ${howToLogIn(registry, login)}`
      : `wait, use another account than ${describe(login)}, or set a mirror by SKIFF_MIRRORS`;
  }
  if (status === 413)
    return 'something in front of the registry limits the size of requests (nginx: client_max_body_size)';
  if (code === 'AUTH_FAILED') {
    if (login?.problem !== undefined) return login.problem.hint;
    return login?.credentials === undefined
      ? `check the name; if the repository is private: ${howToLogIn(registry, login)}`
      : `the registry did not accept ${describe(login)} for this repository`;
  }
  if (code === 'IMAGE_NOT_FOUND') return 'check the spelling of the name and the tag';
  return undefined;
}

function howToLogIn(registry: string, login: Login | undefined): string {
  const file = login?.source ?? '~/.docker/config.json';
  return `skiff login ${registry} (it writes to ${file}), or pass --creds USER:PASSWORD`;
}

function describe(login: Login): string {
  const user = login.credentials?.username;
  return user
    ? `the user ${JSON.stringify(printable(user, 60))} from ${login.source}`
    : `the token from ${login.source}`;
}

/** ` (limit 100 in 6 h, none left, counted by address 1.2.3.4; allowed again in 30 min)` from docker.io's headers. */
function limitText({ headers }: HttpResponse): string {
  const parts: string[] = [];
  const limit = /^([0-9]+)(?:;w=([0-9]+))?/.exec(String(headers[HEADER.rateLimit] ?? ''));
  if (limit !== null)
    parts.push(`limit ${limit[1]}${limit[2] === undefined ? '' : ` in ${duration(Number(limit[2]))}`}`);
  const remaining = /^([0-9]+)/.exec(String(headers[HEADER.rateRemaining] ?? ''))?.[1];
  if (remaining !== undefined) parts.push(`${remaining} left`);
  const source = headers[HEADER.rateSource];
  if (typeof source === 'string') parts.push(`counted for ${printable(source, 60)}`);
  const waitMs = retryAfterMs(headers, Date.now());
  if (waitMs !== undefined) parts.push(`allowed again in ${duration(Math.ceil(waitMs / 1000))}`);
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}

function duration(seconds: number): string {
  if (seconds >= 7200) return `${Math.round(seconds / 3600)} h`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${seconds} s`;
}
