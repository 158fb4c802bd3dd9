import { describe, expect, test } from 'vitest';
import { parseSecret, readSecret, type SecretSource } from '../../../src/builder/secrets.ts';

const env = { TOKEN: 'abc', NAME: 'x' };

describe('--secret', () => {
  const ROWS: [text: string, id: string, source: SecretSource][] = [
    ['id=a,src=/f', 'a', { kind: 'file', path: '/f' }],
    ['id=a,source=f', 'a', { kind: 'file', path: 'f' }],
    ['type=file,id=a,src=f', 'a', { kind: 'file', path: 'f' }],
    ['id=a,env=NAME', 'a', { kind: 'env', name: 'NAME' }],
    ['id=a,type=env,src=NAME', 'a', { kind: 'env', name: 'NAME' }],
    ['id=TOKEN', 'TOKEN', { kind: 'env', name: 'TOKEN' }],
    ['id=file', 'file', { kind: 'file', path: 'file' }],
  ];
  test.each(ROWS)('%s', (text, id, source) => {
    expect(parseSecret(text, env)).toEqual([id, source]);
  });
  test.each(['src=/f', 'id=', 'id=a,what=b', 'id=a,src', 'id=a,type=vault', ''])('not %s', (text) => {
    expect(() => parseSecret(text, env)).toThrow(/^--secret /);
  });
});

test('what is not there is named, and what it holds never is', () => {
  expect(readSecret('a', { kind: 'env', name: 'TOKEN' }, env)).toBe('abc');
  expect(() => readSecret('a', { kind: 'env', name: 'GONE' }, env)).toThrow(/there is no such variable/);
  expect(() => readSecret('a', { kind: 'file', path: '/nowhere/at/all' }, env)).toThrow(/no such file/);
});
