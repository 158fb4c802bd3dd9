// What a hostile layer could make us spend: time and memory stay in proportion to what is read, and each limit has a name.

import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completeHere } from '../../../../src/image/layer/complete.ts';
import { MapReader } from '../../../../src/image/layer/sparse.ts';
import { layer, sandbox, snapshot, unpackBytes } from './sandbox.ts';

const blocksOf = (text: string): Buffer[] => {
  const bytes = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  bytes.write(text, 'latin1');
  return Array.from({ length: bytes.length / 512 }, (_, i) => bytes.subarray(i * 512, i * 512 + 512));
};

describe('maps of sparse files', () => {
  // By quadratic work this would take minutes, and so run into the time limit.
  test('of 200000 runs are read in one pass', async () => {
    const count = 200_000;
    const runs = Array.from({ length: count }, (_, i) => `${i * 3}\n1\n`).join('');
    const map = Buffer.concat(blocksOf(`${count}\n${runs}`));
    const { dest } = sandbox();
    const pax = {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 'holes',
      'GNU.sparse.realsize': String(count * 3),
    };
    await unpackBytes(
      layer([{ path: 'x', pax, content: Buffer.concat([map, Buffer.alloc(count, 'x')]) }]),
      dest,
    );
    expect(statSync(join(dest, 'holes')).size).toBe(count * 3);
  });

  test('may have numbers that a block cuts', () => {
    const numbers = Array.from({ length: 100 }, (_, i) => [i * 1_000_003, 7]).flat();
    const reader = new MapReader();
    const results = blocksOf(`100\n${numbers.join('\n')}\n`).map((block) => reader.push(block));
    expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true);
    expect(results.at(-1)?.flatMap(({ offset, length }) => [offset, length])).toEqual(numbers);
  });

  test.each([
    ['too many runs', '1000001\n', /more than 1000000 runs/],
    ['a number without an end', '1\n'.padEnd(512, '1'), /malformed map/],
    ['no number', '1\nx\n', /malformed map/],
  ])('with %s are refused', (_, text, message) => {
    expect(() => new MapReader().push(blocksOf(text)[0] as Buffer)).toThrow(message);
  });
});

test.each([
  [
    'attributes',
    Array.from({ length: 4 }, (_, i) => ({ path: `f${i}` })).concat({
      path: 'x',
      xattrs: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`user.${'n'.repeat(80)}${i}`, 'v'])),
    } as never),
    /more attributes of one file than Linux can list \(64 KiB\)/,
  ],
  ['content of whiteouts', [{ path: '.wh.x', lieAboutSize: 2 ** 30 + 1 }], /whiteouts with more than 1 GiB/],
  [
    'a name',
    [{ path: 'x', pax: { path: `../${'a'.repeat(900_000)}` } }],
    /^unpacking a layer: entry ".{300}"… leads outside of it$/,
  ],
])('the limit of %s is named', async (_, entries, message) => {
  const { dest } = sandbox();
  const error: unknown = await unpackBytes(layer(entries), dest).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'EngineError', message: expect.stringMatching(message) });
});

test('replaced directories are forgotten with all below them, and only those', async () => {
  const { dest } = sandbox();
  await unpackBytes(
    layer([
      { path: 'd/e/f', type: 'dir' },
      { path: 'd/e2/f', type: 'dir' },
      { path: 'd/e', content: 'file' },
      { path: 'd/e', type: 'dir' },
      { path: 'd/e/f/g', content: 'again' },
      { path: 'd/e2/f/g', content: 'kept' },
    ]),
    dest,
  );
  expect(snapshot(dest)).toMatchObject({
    'd/e/f': 'dir 755',
    'd/e/f/g': 'file 644 again',
    'd/e2/f/g': 'file 644 kept',
  });
});

test('many links below are followed without comparing all with all', async () => {
  const { dest: bottom } = sandbox();
  const { dest } = sandbox();
  const count = 2000;
  mkdirSync(join(bottom, 'real'));
  for (let i = 0; i < count; i++) symlinkSync(`real/t${i}`, join(bottom, `l${i}`));
  const entries = Array.from({ length: count }, (_, i) => ({ path: `l${i}/in/f`, content: 'x' }));
  const { unlisted } = await unpackBytes(layer(entries), dest);
  completeHere({ dest, unlisted, lowerTrees: [bottom] });
  const tree = snapshot(dest);
  expect(tree['real/t0/in/f']).toBe('file 644 x');
  expect(tree[`real/t${count - 1}/in/f`]).toBe('file 644 x');
  expect(tree['l0']).toBeUndefined();
});
