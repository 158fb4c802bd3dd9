import { describe, expect, test } from 'vitest';
import { chooseChallenge, parseChallenges } from '../../../src/registry/challenge.ts';

// RFC 9110, 11.6.1, and what registries really send.
const ROWS: { header: string; expected: [string, Record<string, string>][] }[] = [
  { header: '', expected: [] },
  { header: 'Basic realm="r"', expected: [['basic', { realm: 'r' }]] },
  { header: 'Basic realm=token', expected: [['basic', { realm: 'token' }]] },
  { header: 'basic', expected: [['basic', {}]] },
  {
    header:
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    expected: [
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull,push',
        },
      ],
    ],
  },
  { header: 'BEARER Realm = "x" , Service = y', expected: [['bearer', { realm: 'x', service: 'y' }]] },
  {
    header: 'Basic realm="a, b", Bearer realm="c",service="d"',
    expected: [
      ['basic', { realm: 'a, b' }],
      ['bearer', { realm: 'c', service: 'd' }],
    ],
  },
  {
    header: 'Negotiate, Basic realm="r"',
    expected: [
      ['negotiate', {}],
      ['basic', { realm: 'r' }],
    ],
  },
  {
    header: String.raw`Basic realm="quote \" and \\"`,
    expected: [['basic', { realm: String.raw`quote " and \ `.trim() }]],
  },
  { header: 'Bearer realm="a",realm="b"', expected: [['bearer', { realm: 'a' }]] },
  { header: 'Bearer realm="open', expected: [['bearer', {}]] },
  { header: '="x"', expected: [] },
  { header: '\u0000\u0001', expected: [] },
];

test.each(ROWS)('reads $header', ({ header, expected }) => {
  expect(parseChallenges(header).map(({ scheme, parameters }) => [scheme, parameters])).toEqual(expected);
});

describe('chooseChallenge', () => {
  test('takes bearer before basic', () => {
    expect(chooseChallenge(parseChallenges('Basic realm="a", Bearer realm="b"'))?.scheme).toBe('bearer');
  });
  test('passes over a bearer without realm and schemes it does not know', () => {
    expect(chooseChallenge(parseChallenges('Bearer service="b", Basic realm="a"'))?.scheme).toBe('basic');
    expect(chooseChallenge(parseChallenges('Digest realm="a"'))).toBeUndefined();
  });
});

test('takes no time for hostile headers', () => {
  const start = performance.now();
  parseChallenges(`Bearer realm="${'\\"'.repeat(50_000)}`);
  parseChallenges(`${'a'.repeat(100_000)} ${'b='.repeat(50_000)}`);
  expect(performance.now() - start).toBeLessThan(2000);
});
