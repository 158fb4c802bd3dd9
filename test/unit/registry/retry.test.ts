import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { NetworkError } from '../../../src/registry/network-error.ts';
import { retryAfterMs, retrying } from '../../../src/registry/retry.ts';
import type { HttpRequest, HttpResponse } from '../../../src/registry/types.ts';

const REQUEST: HttpRequest = {
  context: 'pulling "x"',
  method: 'GET',
  url: new URL('https://r.io/v2/'),
  headers: {},
};

function answer(status: number, headers: Record<string, string> = {}): HttpResponse {
  const body = { discard: () => Promise.resolve(), async *[Symbol.asyncIterator]() {} };
  return { status, headers, url: REQUEST.url, method: 'GET', body };
}

const reset = () => new NetworkError(REQUEST, { kind: 'reset', text: 'reset', retryable: true });
const refused = () => new NetworkError(REQUEST, { kind: 'refused', text: 'refused' });

/** Sends through the outcomes in turn; gives the waits and what came in the end. */
async function run(outcomes: (HttpResponse | Error)[], random = 0.5) {
  const waits: number[] = [];
  let sent = 0;
  const send = retrying(
    async () => {
      const outcome = outcomes[Math.min(sent++, outcomes.length - 1)]!;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    {
      retries: 4,
      firstDelayMs: 100,
      log: silentLog,
      random: () => random,
      sleep: async (ms) => void waits.push(ms),
    },
  );
  const result = await send(REQUEST).then(
    ({ status }) => status,
    (error: unknown) => (error as NetworkError).kind,
  );
  return { waits, sent, result };
}

describe('what is tried again', () => {
  test.each([408, 429, 500, 502, 503, 504])('status %i, with doubling waits', async (status) => {
    expect(await run([answer(status)])).toEqual({ waits: [100, 200, 400, 800], sent: 5, result: status });
  });
  test.each([200, 206, 301, 400, 401, 403, 404, 405, 416, 501])('not status %i', async (status) => {
    expect(await run([answer(status)])).toEqual({ waits: [], sent: 1, result: status });
  });
  test('resets, until it works', async () => {
    expect(await run([reset(), answer(503), answer(200)])).toEqual({
      waits: [100, 200],
      sent: 3,
      result: 200,
    });
  });
  test('not refused connections', async () => {
    expect(await run([refused()])).toEqual({ waits: [], sent: 1, result: 'refused' });
  });
});

describe('how long it waits', () => {
  test('jitter spreads the wait from half to one and a half', async () => {
    expect((await run([reset(), answer(200)], 0)).waits).toEqual([50]);
    expect((await run([reset(), answer(200)], 1)).waits).toEqual([150]);
  });
  test('Retry-After counts, with a little on top', async () => {
    expect((await run([answer(429, { 'retry-after': '7' }), answer(200)])).waits).toEqual([7125]);
    expect((await run([answer(503, { 'retry-after': '0' }), answer(200)])).waits).toEqual([125]);
  });
  test('hours are not waited for', async () => {
    expect(await run([answer(429, { 'retry-after': '3600' })])).toEqual({ waits: [], sent: 1, result: 429 });
  });
  test('a used-up limit without Retry-After is final', async () => {
    expect(await run([answer(429, { 'ratelimit-remaining': '0;w=21600' })])).toMatchObject({ sent: 1 });
    expect(await run([answer(429, { 'ratelimit-remaining': '10;w=60' }), answer(200)])).toMatchObject({
      sent: 2,
    });
  });
});

test.each([
  ['5', 5000],
  [' 5 ', 5000],
  ['0', 0],
  ['Wed, 21 Oct 2015 07:28:10 GMT', 10_000],
  ['Wed, 21 Oct 2015 07:00:00 GMT', 0],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
  ['99999999999', undefined],
])('Retry-After: %j', (value, expected) => {
  expect(retryAfterMs({ 'retry-after': value }, Date.parse('2015-10-21T07:28:00Z'))).toBe(expected);
});
