import { describe, expect, it } from 'vitest';
import { nearest } from '../../../src/core/nearest.ts';

describe('nearest', () => {
  it.each([
    ['imags', 'images'],
    ['rnu', 'run'],
    ['pll', 'pull'],
    ['vers', 'version'],
    ['xyz', undefined],
    ['', undefined],
  ])('%s → %s', (typed, expected) => {
    expect(nearest(typed, ['images', 'run', 'pull', 'version'])).toBe(expected);
  });
});
