// Directories that a layer uses but does not list look as in the trees below it.

import { chmodSync, lstatSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completeHere } from '../../../../src/image/layer/complete.ts';
import { addon } from '../../../../src/native/addon.ts';
import { layer, sandbox, snapshot, unpackBytes } from './sandbox.ts';

function lowerTree(make: (dir: string) => void): string {
  const { dest } = sandbox();
  make(dest);
  return dest;
}

const set = (path: string, mode: number, time: number) => {
  utimesSync(path, time, time);
  chmodSync(path, mode);
};

async function unpackOver(lowerTrees: string[], entries: Parameters<typeof layer>[0]) {
  const { dest } = sandbox();
  const { unlisted } = await unpackBytes(layer(entries), dest);
  completeHere({ dest, unlisted, lowerTrees });
  return dest;
}

const facts = (path: string) => [(lstatSync(path).mode & 0o7777).toString(8), lstatSync(path).mtimeMs / 1000];

describe('completeHere', () => {
  test('takes mode, time and attributes of the topmost tree that has the directory', async () => {
    const bottom = lowerTree((dir) => {
      mkdirSync(join(dir, 'd/e'), { recursive: true });
      set(join(dir, 'd/e'), 0o711, 500);
      set(join(dir, 'd'), 0o700, 1000);
    });
    const middle = lowerTree((dir) => {
      mkdirSync(join(dir, 'd'));
      addon().lsetxattr(Buffer.from(join(dir, 'd')), 'user.x', Buffer.from('y'));
      set(join(dir, 'd'), 0o1770, 2000);
      set(dir, 0o751, 3000);
    });
    const dest = await unpackOver([bottom, middle], [{ path: 'd/e/f/g', content: 'x' }]);
    expect(facts(dest)).toEqual(['751', 3000]);
    expect(facts(join(dest, 'd'))).toEqual(['1770', 2000]);
    expect(facts(join(dest, 'd/e'))).toEqual(['711', 500]);
    expect(
      addon()
        .lgetxattr(Buffer.from(join(dest, 'd')), 'user.x')
        ?.toString(),
    ).toBe('y');
    // In no tree below: the time of the entry that needed it.
    expect(facts(join(dest, 'd/e/f'))).toEqual(['755', 1_700_000_000]);
  });

  test('looks through no whiteout and no opaque directory', async () => {
    const bottom = lowerTree((dir) => {
      mkdirSync(join(dir, 'gone/x'), { recursive: true });
      mkdirSync(join(dir, 'o/x'), { recursive: true });
      chmodSync(join(dir, 'gone/x'), 0o700);
      chmodSync(join(dir, 'gone'), 0o700);
      chmodSync(join(dir, 'o/x'), 0o700);
    });
    const { dest: middle } = sandbox();
    await unpackBytes(
      layer([{ path: '.wh.gone' }, { path: 'o', type: 'dir', mode: 0o711 }, { path: 'o/.wh..wh..opq' }]),
      middle,
    );
    const dest = await unpackOver([bottom, middle], [{ path: 'gone/x/f' }, { path: 'o/x/f' }]);
    expect(snapshot(dest)).toMatchObject({
      gone: 'dir 755',
      'gone/x': 'dir 755',
      o: 'dir 711',
      'o/x': 'dir 755',
    });
    expect(addon().lgetxattr(Buffer.from(join(dest, 'o')), 'user.overlay.opaque')).toBeUndefined();
  });

  test('follows a link of the trees below: "lib" is "usr/lib"', async () => {
    const bottom = lowerTree((dir) => {
      mkdirSync(join(dir, 'usr/lib/deep'), { recursive: true });
      symlinkSync('usr/lib', join(dir, 'lib'));
      symlinkSync('/lib', join(dir, 'lib64'));
      set(join(dir, 'usr/lib/deep'), 0o711, 50);
      set(join(dir, 'usr/lib'), 0o750, 100);
      set(join(dir, 'usr'), 0o751, 200);
    });
    const dest = await unpackOver(
      [bottom],
      [
        { path: 'lib/one', content: '1' },
        { path: 'lib/deep/two', content: '2' },
        { path: 'lib64/three', content: '3' },
        { path: 'lib/.wh.gone' },
      ],
    );
    expect(snapshot(dest)).toEqual({
      '': 'dir 755',
      usr: 'dir 751',
      'usr/lib': 'dir 750',
      'usr/lib/deep': 'dir 711',
      'usr/lib/deep/two': 'file 644 2',
      'usr/lib/gone': 'whiteout',
      'usr/lib/one': 'file 644 1',
      'usr/lib/three': 'file 644 3',
    });
    expect(facts(join(dest, 'usr/lib'))).toEqual(['750', 100]);
  });

  test('what comes through a link joins what the layer has there', async () => {
    const bottom = lowerTree((dir) => {
      mkdirSync(join(dir, 'usr/lib'), { recursive: true });
      symlinkSync('usr/lib', join(dir, 'lib'));
    });
    const dest = await unpackOver(
      [bottom],
      [
        { path: 'usr/lib', type: 'dir', mode: 0o700, mtime: 77 },
        { path: 'usr/lib/d/a', content: 'a' },
        { path: 'usr/lib/.wh.was' },
        { path: 'lib/d/b', content: 'b' },
        { path: 'lib/was/c', content: 'c' },
      ],
    );
    expect(snapshot(dest)).toEqual({
      '': 'dir 755',
      usr: 'dir 755',
      'usr/lib': 'dir 700',
      'usr/lib/d': 'dir 755',
      'usr/lib/d/a': 'file 644 a',
      'usr/lib/d/b': 'file 644 b',
      'usr/lib/was': 'dir 755',
      'usr/lib/was/c': 'file 644 c',
    });
    expect(facts(join(dest, 'usr/lib'))).toEqual(['700', 77]);
    expect(
      addon()
        .lgetxattr(Buffer.from(join(dest, 'usr/lib/was')), 'user.overlay.opaque')
        ?.toString(),
    ).toBe('y');
  });

  test.each([
    ['out of the root', '../../../../../../..', { '': 'dir 755', f: 'file 644 x' }],
    ['to an absolute place', '/etc', { '': 'dir 755', etc: 'dir 755', 'etc/f': 'file 644 x' }],
    ['to itself', 'd', { '': 'dir 755', d: 'dir 755', 'd/f': 'file 644 x' }],
    ['below itself', 'd/e', { '': 'dir 755', d: 'dir 755', 'd/f': 'file 644 x' }],
    ['to a file', 'file', { '': 'dir 755', d: 'dir 755', 'd/f': 'file 644 x' }],
  ])('a link of a tree below %s changes nothing outside', async (_, target, expected) => {
    const { outside } = sandbox();
    const before = snapshot(outside);
    const bottom = lowerTree((dir) => {
      symlinkSync(target, join(dir, 'd'));
      writeFileSync(join(dir, 'file'), '');
    });
    const below = snapshot(bottom);
    const dest = await unpackOver([bottom], [{ path: 'd/f', content: 'x' }]);
    expect(snapshot(dest)).toEqual(expected);
    expect(snapshot(outside)).toEqual(before);
    expect(snapshot(bottom)).toEqual(below);
  });

  test('what the layer lists stays', async () => {
    const bottom = lowerTree((dir) => {
      mkdirSync(join(dir, 'd'));
      chmodSync(join(dir, 'd'), 0o700);
    });
    const dest = await unpackOver([bottom], [{ path: 'd', type: 'dir', mode: 0o711 }, { path: 'd/f' }]);
    expect(snapshot(dest)).toMatchObject({ d: 'dir 711' });
  });
});
