import { expect, test } from 'vitest';
import { sharedBytes } from '../../../src/system/df-details.ts';
import type { Digest } from '../../../src/core/digest.ts';
import type { ResolvedImage } from '../../../src/store/images.ts';

type Layer = ResolvedImage['layers'][number];
const SIZES: Readonly<Record<string, number>> = { base: 100, app: 10, other: 1 };

function image(id: string, ...chains: string[]): { id: Digest } & Pick<ResolvedImage, 'layers'> {
  const layers = chains.map((chainId) => ({ chainId }) as unknown as Layer);
  return { id: id as Digest, layers };
}

test('a layer of several images is shared; one image with several names has it alone', () => {
  const images = [
    image('a', 'base', 'app'),
    image('a', 'base', 'app'),
    image('b', 'base', 'other'),
    image('c'),
  ];
  const shared = sharedBytes(images, ({ chainId }) => SIZES[chainId] ?? 0);
  expect(images.map(shared)).toEqual([100, 100, 100, 0]);
  const alone = images.slice(0, 2);
  expect(alone.map(sharedBytes(alone, () => 1))).toEqual([0, 0]);
});
