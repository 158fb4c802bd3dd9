import { describe, expect, test } from 'vitest';
import {
  findHelper,
  findInAuths,
  parseAuthFile,
  parseUserPassword,
} from '../../../src/registry/auth-file.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const login = (user: string) => ({ auth: b64(`${user}:pw`) });
const parse = (document: unknown) => parseAuthFile(JSON.stringify(document), '/f/config.json');

describe('findInAuths', () => {
  // key in the file, image, found
  test.each([
    ['r.io', 'r.io', 'a/b', true],
    ['https://r.io', 'r.io', 'a/b', true],
    ['https://r.io/v1/', 'r.io', 'a/b', true],
    ['http://r.io/v2', 'r.io', 'a/b', true],
    ['R.IO', 'r.io', 'a/b', true],
    ['r.io:5000', 'r.io:5000', 'a', true],
    ['r.io:5000', 'r.io', 'a', false],
    ['r.io', 'r.io:5000', 'a', false],
    ['r.io/a', 'r.io', 'a/b', true],
    ['r.io/a/b', 'r.io', 'a/b', true],
    ['r.io/a/b/', 'r.io', 'a/b', true],
    ['r.io/a/b/c', 'r.io', 'a/b', false],
    ['r.io/ab', 'r.io', 'a/b', false],
    ['https://index.docker.io/v1/', 'docker.io', 'library/x', true],
    ['index.docker.io', 'docker.io', 'library/x', true],
    ['docker.io', 'docker.io', 'library/x', true],
    ['registry-1.docker.io', 'docker.io', 'library/x', true],
    ['docker.io/library', 'docker.io', 'library/x', true],
    ['docker.io/team', 'docker.io', 'library/x', false],
  ])('%s for %s/%s: %s', (key, registry, repository, found) => {
    const file = parse({ auths: { [key]: login('u') } });
    expect(findInAuths(file, registry, repository)?.username).toBe(found ? 'u' : undefined);
  });

  test('prefers the longest path', () => {
    const file = parse({
      auths: { 'r.io': login('one'), 'r.io/a/b': login('three'), 'r.io/a': login('two') },
    });
    expect(findInAuths(file, 'r.io', 'a/b')?.username).toBe('three');
    expect(findInAuths(file, 'r.io', 'a/c')?.username).toBe('two');
    expect(findInAuths(file, 'r.io', 'c')?.username).toBe('one');
  });

  test('reads every form of an entry', () => {
    const file = parse({
      auths: {
        a: { username: 'u', password: 'p' },
        b: { auth: b64('u:p:with:colons') },
        c: { identitytoken: 'idt' },
        d: { registrytoken: 'rt' },
        e: {},
        f: null,
        g: { auth: b64('u:old\0\0\0') },
      },
    });
    expect(findInAuths(file, 'a', 'x')).toEqual({ username: 'u', password: 'p' });
    expect(findInAuths(file, 'b', 'x')).toEqual({ username: 'u', password: 'p:with:colons' });
    expect(findInAuths(file, 'c', 'x')).toEqual({ username: '', password: '', identityToken: 'idt' });
    expect(findInAuths(file, 'd', 'x')?.registryToken).toBe('rt');
    expect(findInAuths(file, 'e', 'x')).toBeUndefined();
    expect(findInAuths(file, 'f', 'x')).toBeUndefined();
    expect(findInAuths(file, 'g', 'x')?.password).toBe('old');
  });

  test('has no entries of the prototype', () => {
    expect(findInAuths(parse({ auths: {} }), 'constructor', '__proto__')).toBeUndefined();
  });
});

test('findHelper prefers credHelpers to credsStore and asks for docker.io by its old name', () => {
  const file = parse({ credsStore: 'store', credHelpers: { 'r.io': 'special' } });
  expect(findHelper(file, 'r.io')).toEqual({ suffix: 'special', server: 'r.io' });
  expect(findHelper(file, 'x.io')).toEqual({ suffix: 'store', server: 'x.io' });
  expect(findHelper(file, 'docker.io')).toEqual({ suffix: 'store', server: 'https://index.docker.io/v1/' });
  expect(findHelper(parse({}), 'r.io')).toBeUndefined();
});

test.each(['nonsense', '[]', '"x"', '{"auths":{"r.io":{"auth":"bm8tY29sb24="}}}'])(
  'refuses %s naming the file',
  (text) => {
    expect(() => parseAuthFile(text, '/f/config.json')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('"/f/config.json"'),
      }),
    );
  },
);

test('never repeats the secret of an entry', () => {
  try {
    parse({ auths: { 'r.io': { auth: b64('secretwithoutcolon') } } });
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toContain('secret');
    expect(String(error)).not.toContain(b64('secretwithoutcolon'));
  }
});

test.each([
  ['u:p', { username: 'u', password: 'p' }],
  ['u:p:q', { username: 'u', password: 'p:q' }],
  ['u', { username: 'u', password: '' }],
  ['u:', { username: 'u', password: '' }],
  [':p', undefined],
  ['', undefined],
])('parseUserPassword(%j)', (text, expected) => {
  expect(parseUserPassword(text)).toEqual(expected);
});
