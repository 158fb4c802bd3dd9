import { expect, test } from 'vitest';
import { digestOf, hexOf, isDigest } from '../../../src/core/digest.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test('digestOf gives the digest of nothing as everybody knows it', () => {
  expect(digestOf('')).toBe(EMPTY);
  expect(hexOf(digestOf(new Uint8Array()))).toBe(EMPTY.slice(7));
});

const bad = [
  '',
  'sha256:',
  EMPTY.toUpperCase(),
  EMPTY.slice(0, -1),
  `${EMPTY}0`,
  `${EMPTY}\n`,
  `sha512:${EMPTY.slice(7)}`,
  `sha256:../${EMPTY.slice(10)}`,
];
test.each(bad)('%j is no digest', (text) => {
  expect(isDigest(text)).toBe(false);
});
