// Sends a request again when the failure is likely to pass: 429, 408 and 5xx answers, resets and time-outs. Waits with
// jittered exponential back-off, or as long as Retry-After says. Never after 401, 403, 404 or a wrong certificate.

import { setTimeout as delay } from 'node:timers/promises';
import type { IncomingHttpHeaders } from 'node:http';
import type { Log } from '../core/log.ts';
import { HEADER } from '../oci/distribution.ts';
import { readBody } from './body.ts';
import { NetworkError } from './network-error.ts';
import type { HttpRequest, HttpResponse, Send } from './types.ts';

const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const MAX_DELAY_MS = 20_000;
const MAX_DNS_RETRIES = 2;
/** A longer Retry-After means hours (a used-up pull limit): failing at once with the reason is kinder. */
const MAX_RETRY_AFTER_MS = 120_000;

export function isPassing(status: number): boolean {
  return PASSING.has(status);
}

export interface RetryPolicy {
  /** How often a request is sent again, 0 for never. */
  retries: number;
  /** Mean of the first wait; each further one is twice as long. */
  firstDelayMs: number;
  log: Log;
  sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** 0 to 1. */
  random: () => number;
}

export const DEFAULT_RETRIES = 4;
export const DEFAULT_FIRST_DELAY_MS = 1000;

/** `sleep` that ends early when the signal is aborted. */
export async function sleepFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Wraps `send`. The last answer or error is passed on as it is. */
export function retrying(send: Send, policy: RetryPolicy): Send {
  return async (request) => {
    if (request.upload !== undefined) return send(request);
    for (let attempt = 1; ; attempt++) {
      const outcome = await attemptOnce(send, request);
      const waitMs = attempt > policy.retries ? undefined : waitFor(outcome, attempt, policy);
      if (waitMs === undefined) {
        if ('error' in outcome) throw outcome.error;
        return outcome.response;
      }
      await pause(request, outcome, waitMs, attempt, policy);
    }
  };
}

/** Waits after the failure of try number `attempt`; false when there should be no other. Whether `error` passes is the caller's. */
export async function pauseAfter(
  request: HttpRequest,
  error: Error,
  attempt: number,
  policy: RetryPolicy,
): Promise<boolean> {
  if (attempt > policy.retries) return false;
  await pause(request, { error }, backOff(attempt, policy), attempt, policy);
  return true;
}

/**
 * An answer with its whole body. A body that breaks off is asked for again; answers other than `status` are left unread.
 * `bytes` is undefined when the body is longer than `maxBytes`.
 */
export async function sendWhole(
  send: () => Promise<HttpResponse>,
  request: HttpRequest,
  { retry, status, maxBytes }: { retry: RetryPolicy; status: number; maxBytes: number },
): Promise<{ response: HttpResponse; bytes: Buffer | undefined }> {
  for (let attempt = 1; ; attempt++) {
    const response = await send();
    if (response.status !== status) return { response, bytes: undefined };
    try {
      return { response, bytes: await readBody(response, maxBytes) };
    } catch (error) {
      if (!(error instanceof NetworkError) || !error.retryable) throw error;
      if (!(await pauseAfter(request, error, attempt, retry))) throw error;
    }
  }
}

type Outcome = { response: HttpResponse } | { error: unknown };

async function attemptOnce(send: Send, request: HttpRequest): Promise<Outcome> {
  try {
    return { response: await send(request) };
  } catch (error) {
    return { error };
  }
}

/** Doubles each time, within half and one and a half of it. */
function backOff(attempt: number, { firstDelayMs, random }: RetryPolicy): number {
  return Math.min(MAX_DELAY_MS, firstDelayMs * 2 ** (attempt - 1)) * (0.5 + random());
}

/** Milliseconds to wait before the next try; undefined when there should be none. */
function waitFor(outcome: Outcome, attempt: number, policy: RetryPolicy): number | undefined {
  if ('error' in outcome) {
    const { error } = outcome;
    if (!(error instanceof NetworkError) || !error.retryable) return undefined;
    // A machine without network says the same as a name server in trouble: not for long.
    return error.kind === 'dns' && attempt > MAX_DNS_RETRIES ? undefined : backOff(attempt, policy);
  }
  const { status, headers } = outcome.response;
  if (!PASSING.has(status)) return undefined;
  const asked = retryAfterMs(headers, Date.now());
  if (asked === undefined) return isUsedUp(headers) ? undefined : backOff(attempt, policy);
  // Jitter on top, so that many clients sent away together do not come back together.
  return asked > MAX_RETRY_AFTER_MS ? undefined : asked + policy.random() * 250;
}

/** docker.io's pull limit: the window is hours long and nothing says when to come back. */
function isUsedUp(headers: IncomingHttpHeaders): boolean {
  const remaining = headers[HEADER.rateRemaining];
  return typeof remaining === 'string' && /^0(;|$)/.test(remaining.trim());
}

/** RFC 9110, 10.2.3: seconds or a date. Undefined when missing or neither. */
export function retryAfterMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const value = headers[HEADER.retryAfter]?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^[0-9]{1,9}$/.test(value)) return Number(value) * 1000;
  const at = /^[A-Za-z]{3}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

async function pause(
  request: HttpRequest,
  outcome: Outcome,
  waitMs: number,
  attempt: number,
  policy: RetryPolicy,
): Promise<void> {
  let what: string;
  if ('error' in outcome) {
    what = outcome.error instanceof NetworkError ? outcome.error.kind : 'failure';
  } else {
    what = `status ${outcome.response.status}`;
    await outcome.response.body.discard();
  }
  const text = `${request.url.host}: ${what}, trying again in ${(waitMs / 1000).toFixed(1)} s (${attempt} of ${policy.retries})`;
  // Short waits are nobody's business.
  if (waitMs >= 3000) policy.log.info(text);
  else policy.log.debug(text);
  // Ends early when the request was cancelled: sending it again says so.
  await policy.sleep(waitMs, request.signal);
}
