// Layers that attack, through the built binary and in a user namespace: the table of the unit tests again, and bombs
// against a small file system. Whatever happens, nothing outside the store changes and the store stays usable.

import { mkdirSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { exec } from '../helpers/exec.ts';
import { writeOciLayout } from '../helpers/oci-layout.ts';
import { requires } from '../helpers/requires.ts';
import { tar, type TarEntry } from '../helpers/tar-writer.ts';
import { HOSTILE } from '../unit/image/layer/hostile.cases.ts';
import { snapshot } from '../unit/image/layer/sandbox.ts';

const skiff = sandbox();
let count = 0;

function layout(entries: TarEntry[]): string {
  const dir = `${skiff.dir}/image${count++}`;
  writeOciLayout(dir, 'hostile', { layers: [{ tar: tar(entries) }] });
  return dir;
}

/** Everything of the sandbox but the store, which may change, and the image itself. */
function outside(): Record<string, string> {
  const all = Object.entries(snapshot(skiff.dir, skiff.store));
  return Object.fromEntries(all.filter(([path]) => !/^image\d|^store$|^run/.test(path)));
}

function trees(): string[] {
  const layers = `${skiff.store}/layers`;
  return readdirSync(layers).flatMap((map) =>
    readdirSync(`${layers}/${map}`).filter((name) => !name.endsWith('.json')),
  );
}

describe('hostile layers in a user namespace', () => {
  test.each(HOSTILE)('$name', async ({ entries, expect: expected }) => {
    mkdirSync(`${skiff.dir}/victim`, { recursive: true });
    writeFileSync(`${skiff.dir}/victim/canary`, 'alive');
    const image = layout(entries);
    const before = outside();
    const refused = typeof expected === 'string';
    await skiff.run(['load', '--quiet', '--input', image], {
      status: refused ? 125 : 0,
      stdout: refused ? '' : /hostile/,
      stderr: refused ? /^Error: loading .*: layer "sha256:[0-9a-f]{64}": / : '',
    });
    expect(outside()).toEqual(before);
    if (!refused) await skiff.run(['rmi', 'hostile'], { stdout: /Deleted/ });
    expect(trees()).toEqual([]);
  });
});

describe('odd but honest layers in a user namespace', () => {
  // Their list takes more than the 128 KiB that one argument of a program may have.
  test('4000 directories that a layer uses and does not list', async () => {
    const name = (i: number) => `${'long-directory-name-'.repeat(4)}${i}`;
    const top = Array.from({ length: 4000 }, (_, i) => ({ path: `${name(i)}/f`, content: 'x' }));
    const dir = `${skiff.dir}/image${count++}`;
    writeOciLayout(dir, 'hostile', {
      layers: [{ tar: tar([{ path: 'below', content: 'x' }]) }, { tar: tar(top) }],
    });
    await skiff.run(['load', '--quiet', '--input', dir], { stdout: /hostile/, stderr: '' });
    await skiff.run(['rmi', 'hostile'], { stdout: /Deleted/ });
  });

  test('a root directory that its user may not read', async () => {
    const dir = `${skiff.dir}/image${count++}`;
    const root: TarEntry = { path: './', type: 'dir', mode: 0o711, uid: 9, gid: 10 };
    writeOciLayout(dir, 'hostile', {
      layers: [{ tar: tar([root, { path: 'below', content: 'x' }]) }, { tar: tar([{ path: 'f' }]) }],
    });
    await skiff.run(['load', '--quiet', '--input', dir], { stdout: /hostile/, stderr: '' });
    await skiff.run(['rmi', 'hostile'], { stdout: /Deleted/ });
  });

  test('device nodes bring a warning, unless /dev hides them', async () => {
    const device: Pick<TarEntry, 'type' | 'device'> = { type: 'char', device: [1, 3] };
    const hidden = layout([{ path: 'dev/null', ...device }]);
    await skiff.run(['load', '--quiet', '--input', hidden], { stdout: /hostile/, stderr: '' });
    const seen = layout([
      { path: 'dev/null', ...device },
      { path: 'jail/null', ...device },
    ]);
    await skiff.run(['load', '--quiet', '--input', seen], {
      stdout: /hostile/,
      stderr: /1 device node of a layer became empty files.*"jail\/null"/,
    });
    await skiff.run(['rmi', 'hostile'], { stdout: /Deleted/ });
  });
});

describe('bombs against a small store', () => {
  async function smallStore(options: string, use: () => Promise<void>): Promise<void> {
    mkdirSync(skiff.store, { recursive: true });
    const { uid, gid } = skiff.user;
    await exec('mount', [
      '-t',
      'tmpfs',
      '-o',
      `${options},uid=${uid},gid=${gid},mode=0700`,
      'bomb',
      skiff.store,
    ]);
    try {
      await use();
      const { bavail, blocks, ffree } = statfsSync(skiff.store);
      expect(bavail).toBeGreaterThan(blocks / 100);
      expect(ffree).toBeGreaterThan(0);
      const small = layout([{ path: 'f', content: 'x' }]);
      await skiff.run(['load', '--quiet', '--input', small], { stdout: /hostile/ });
    } finally {
      await exec('umount', [skiff.store]);
    }
  }

  test('200 MB that compress to nothing', async (context) => {
    requires(context, 'root');
    const image = layout([
      { path: 'small', content: 'x' },
      { path: 'zeros', content: Buffer.alloc(200_000_000) },
    ]);
    await smallStore('size=40m', async () => {
      await skiff.run(['load', '--quiet', '--input', image], {
        status: 125,
        stdout: '',
        stderr: /: unpacking a layer: 201 MB more would fill the disk\n.*prune/s,
      });
    });
  });

  test('many small files', async (context) => {
    requires(context, 'root');
    const image = layout(Array.from({ length: 8000 }, (_, i) => ({ path: `f${i}` })));
    await smallStore('size=100m,nr_inodes=3000', async () => {
      await skiff.run(['load', '--quiet', '--input', image], {
        status: 125,
        stdout: '',
        stderr: /no inodes are left/,
      });
    });
  });

  test('a size that lies', async (context) => {
    requires(context, 'root');
    const image = layout([{ path: 'f', content: 'x', pax: { size: '8000000000000' } }]);
    await smallStore('size=40m', async () => {
      await skiff.run(['load', '--quiet', '--input', image], {
        status: 125,
        stdout: '',
        stderr: /would fill the disk/,
      });
    });
  });
});
