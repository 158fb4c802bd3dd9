import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256OfText } from '../../../src/core/sha256.ts';

test('agrees with node:crypto for every length around the block borders, and beyond ASCII', () => {
  const texts = Array.from({ length: 200 }, (_, length) => 'a'.repeat(length));
  for (const text of [...texts, 'docker.io/library/debian:12', 'ü€😀', 'x'.repeat(5000)]) {
    expect(sha256OfText(text)).toBe(createHash('sha256').update(text).digest('hex'));
  }
});
