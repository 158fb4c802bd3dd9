import { describe, expect, test } from 'vitest';
import { SpaceGuard } from '../../../../src/image/layer/space.ts';

const GiB = 1 << 30;

function guard(availableBytes: number, { sizeBytes = 100 * GiB, files = 0, freeFiles = 0 } = {}) {
  let looks = 0;
  const space = new SpaceGuard(() => {
    looks++;
    return { type: 0, sizeBytes, availableBytes, files, freeFiles };
  });
  return { space, looks: () => looks };
}

const noSpace = expect.objectContaining({ code: 'NO_SPACE' });

describe('SpaceGuard', () => {
  test('leaves 256 MiB of a large disk', () => {
    const { space } = guard(GiB);
    space.file(GiB - (256 << 20) - 8192);
    expect(() => guard(GiB).space.file(GiB - (256 << 20))).toThrow(noSpace);
  });

  test('leaves two per cent of a small one', () => {
    const small = { sizeBytes: 64 << 20 };
    guard(10 << 20, small).space.file(8 << 20);
    expect(() => guard(10 << 20, small).space.file(9 << 20)).toThrow(noSpace);
  });

  test('counts inodes where there are any', () => {
    expect(() => guard(GiB, { files: 1000, freeFiles: 20 }).space.file(1)).toThrow(noSpace);
    guard(GiB, { files: 0, freeFiles: 0 }).space.file(1);
  });

  test('looks again every 32 MiB or 2048 files, not at each', () => {
    const bytes = guard(GiB);
    for (let i = 0; i < 64; i++) bytes.space.file(1 << 20);
    expect(bytes.looks()).toBeGreaterThan(2);
    expect(bytes.looks()).toBeLessThan(6);
    const files = guard(GiB, { files: 1e6, freeFiles: 1e6 });
    for (let i = 0; i < 5000; i++) files.space.file(0);
    expect(files.looks()).toBe(3);
  });
});
