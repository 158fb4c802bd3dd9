import { expect, test } from 'vitest';
import type { Digest } from '../../../src/core/digest.ts';
import { historySteps } from '../../../src/image/history.ts';
import type { ResolvedLayer } from '../../../src/store/images.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;
const layer = (digit: string): ResolvedLayer => ({
  diffId: digest(digit),
  chainId: digest(digit),
  blob: { mediaType: '', digest: digest(digit), size: Number(digit) },
});
const steps = (history: readonly unknown[], ...digits: string[]) =>
  historySteps(
    { imageId: digest('9'), layers: digits.map(layer), created: '2026-01-02T00:00:00Z' },
    history,
    ({ blob }) => blob.size,
  );

test('newest first; a step without a layer has no size; the image is its last step', () => {
  const history = [
    { created: '2026-01-01T00:00:00Z', created_by: 'ADD root.tar', comment: 'base' },
    { created_by: 'ENV A=b', empty_layer: true },
    { created_by: 'RUN \tmake\n  all\u001b[31m' },
  ];
  expect(steps(history, '1', '2')).toMatchObject([
    { id: digest('9'), createdMs: NaN, createdBy: 'RUN  make   all [31m', comment: '', sizeBytes: 2 },
    { id: '<missing>', createdMs: NaN, createdBy: 'ENV A=b', comment: '', sizeBytes: 0 },
    {
      id: '<missing>',
      createdMs: Date.parse('2026-01-01T00:00:00Z'),
      createdBy: 'ADD root.tar',
      comment: 'base',
      sizeBytes: 1,
    },
  ]);
});

test('layers without a history, and a history of nonsense', () => {
  expect(steps([], '1', '2').map(({ sizeBytes }) => sizeBytes)).toEqual([2, 1]);
  expect(steps([]).length).toBe(0);
  expect(
    steps([null, 7, { created: 3, created_by: [] }, 'x'], '1').map(({ createdBy }) => createdBy),
  ).toEqual(['', '', '', '']);
});
