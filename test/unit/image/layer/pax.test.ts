import { describe, expect, test } from 'vitest';
import { parsePax, parseTime } from '../../../../src/image/layer/pax.ts';

/** POSIX pax: the length counts itself. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`, 'latin1');
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

describe('parsePax', () => {
  test.each([
    ['path', 'a/b'],
    ['path', 'n\xe4me'],
    ['path', 'line\nline'],
    ['path', 'a=b'],
    ['comment', ''],
    ['SCHILY.xattr.user.x', '\0\xff\n'],
    ['x'.repeat(95), 'length of three digits'],
  ])('%j = %j', (key, value) => {
    expect([...parsePax(record(key, value)).values]).toEqual([[key, value]]);
  });

  test('the last of two records wins; pairs of sparse 0.0 are kept in order', () => {
    const bytes = Buffer.concat([
      record('path', 'a'),
      record('GNU.sparse.offset', '1'),
      record('GNU.sparse.numbytes', '2'),
      record('GNU.sparse.offset', '5'),
      record('GNU.sparse.numbytes', '6'),
      record('path', 'b'),
    ]);
    const { values, sparsePairs } = parsePax(bytes);
    expect([values.get('path'), sparsePairs]).toEqual(['b', [1, 2, 5, 6]]);
  });

  test.each(['path', 'linkpath', 'GNU.sparse.name', 'SCHILY.xattr.user\0x'])('refuses a NUL in %j', (key) => {
    const bytes = record(key, 'zero\0byte');
    expect(() => parsePax(bytes)).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  });

  test.each([
    'x',
    '5 a=b',
    '99 a=b\n',
    '6 a=b',
    '6 ab\n\n',
    '5 =b\n',
    '-6 a=b\n',
    '0 a=b\n',
    '3 \n',
    ' 6 a=b\n',
    '6\na=b\n',
    '1e1 a=bcd\n',
  ])('refuses %j', (text) => {
    expect(() => parsePax(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  });
});

describe('parseTime', () => {
  test.each([
    ['0', 0, 0],
    ['1700000000', 1_700_000_000, 0],
    ['1.5', 1, 500_000_000],
    ['1.', 1, 0],
    ['1.123456789123', 1, 123_456_789],
    ['-1', -1, 0],
    ['-0.25', -1, 750_000_000],
    ['-1.5', -2, 500_000_000],
  ])('%s', (text, sec, nsec) => {
    expect(parseTime(text)).toEqual({ sec, nsec });
  });

  test.each(['', 'x', '1e9', '.5', '1.5.5', '0x10', '9'.repeat(16)])('%j is no time', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
