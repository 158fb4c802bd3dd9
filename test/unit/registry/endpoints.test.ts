import { describe, expect, test } from 'vitest';
import { endpointsFor, isInsecure } from '../../../src/registry/endpoints.ts';

const NONE = { mirrors: {}, insecureRegistries: [] };

describe('endpointsFor', () => {
  test('docker.io is served by another host', () => {
    expect(endpointsFor('docker.io', NONE, {})).toEqual([
      { name: 'docker.io', host: 'registry-1.docker.io', prefix: '', schemes: ['https'], isMirror: false },
    ]);
  });

  test('mirrors come first, in order, with their paths and schemes', () => {
    const mirrors = {
      'docker.io': ['m.test', 'https://n.test:1/pre/fix/', 'http://o.test', 'localhost:5000'],
      'x.io': ['y.io'],
    };
    const list = endpointsFor('docker.io', { ...NONE, mirrors }, {});
    expect(
      list.map(({ host, prefix, schemes, isMirror }) => [host, prefix, schemes.join(), isMirror]),
    ).toEqual([
      ['m.test', '', 'https', true],
      ['n.test:1', 'pre/fix', 'https', true],
      ['o.test', '', 'http', true],
      ['localhost:5000', '', 'https,http', true],
      ['registry-1.docker.io', '', 'https', false],
    ]);
  });

  test.each(['', 'ftp://a', 'a b', 'http://', 'u:p@h', 'h?x', 'h#x', '1.2.3.456'])(
    'refuses the mirror %j',
    (mirror) => {
      expect(() => endpointsFor('r.io', { ...NONE, mirrors: { 'r.io': [mirror] } }, {})).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    },
  );
});

describe('isInsecure', () => {
  const marked = { mirrors: {}, insecureRegistries: ['a.test', 'b.test:5000', ' *.c.test '] };
  test.each([
    ['localhost', true],
    ['LOCALHOST:5000', true],
    ['127.9.9.9:1', true],
    ['[::1]:5000', true],
    ['localhost.evil.test', false],
    ['127.evil.test', false],
    ['a.test', true],
    ['A.test:9', true],
    ['b.test:5000', true],
    ['b.test', false],
    ['x.c.test:1', true],
    ['c.test', false],
    ['xc.test', false],
    ['r.io', false],
  ])('%s → %s', (host, expected) => {
    expect(isInsecure(host, marked, {})).toBe(expected);
    expect(isInsecure(host, marked, { tlsVerify: true })).toBe(false);
    expect(isInsecure(host, marked, { tlsVerify: false })).toBe(true);
  });
});
