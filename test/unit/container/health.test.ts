import { describe, expect, test } from 'vitest';
import { healthNow, parseHealth } from '../../../src/container/health.ts';

const RESULT = {
  Start: '2026-01-01T00:00:00Z',
  End: '2026-01-01T00:00:01Z',
  ExitCode: -1,
  Output: 'a\u0000\ufffd',
};
const HEALTHY = { Status: 'healthy', FailingStreak: 0, Log: [RESULT, { ...RESULT, ExitCode: 0 }] } as const;
const WHOLE = JSON.stringify(HEALTHY);

describe('the record of a health check', () => {
  test('arrives as it was written', () => expect(parseHealth(WHOLE)).toEqual(HEALTHY));

  test.each(Array.from({ length: WHOLE.length }, (_, length) => length))(
    'torn after %d bytes: none',
    (length) => expect(parseHealth(WHOLE.slice(0, length))).toBeUndefined(),
  );

  test.each([
    'null',
    '[]',
    '"healthy"',
    '{}',
    '{"Status":"well","FailingStreak":0,"Log":[]}',
    '{"Status":"healthy","FailingStreak":"0","Log":[]}',
    '{"Status":"healthy","FailingStreak":0,"Log":{}}',
    '{"Status":"healthy","FailingStreak":0,"Log":[null]}',
    '{"Status":"healthy","FailingStreak":0,"Log":[{"Start":"","End":"","ExitCode":0}]}',
    '{"Status":"healthy","FailingStreak":0,"Log":[{"Start":"","End":"","ExitCode":"0","Output":""}]}',
  ])('%s is none', (text) => expect(parseHealth(text)).toBeUndefined());

  test.each([
    [undefined, 'created', undefined],
    [WHOLE, 'created', undefined],
    [undefined, 'running', 'starting'],
    ['{"Sta', 'running', 'starting'],
    [WHOLE, 'running', 'healthy'],
    [WHOLE, 'restarting', 'healthy'],
    [WHOLE, 'exited', 'unhealthy'],
    [undefined, 'exited', 'unhealthy'],
  ] as const)('%s while %s: %s', (text, status, word) => expect(healthNow(text, status)?.Status).toBe(word));
});
