import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stampOf } from '../../../src/builder/context/directory-tree.ts';
import { addon, type Tree } from '../../../src/native/addon.ts';

const { Tree: NativeTree } = addon();

let dir = '';
let from: Tree;
let to: Tree;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-many-'));
  [from, to] = ['from', 'to'].map((name) => {
    mkdirSync(`${dir}/${name}/sub`, { recursive: true });
    const fd = openSync(`${dir}/${name}`, 'r');
    const tree = new NativeTree(fd, true);
    closeSync(fd);
    return tree;
  }) as [Tree, Tree];
});
afterEach(() => {
  from.close();
  to.close();
  rmSync(dir, { recursive: true });
});

/** Of no period that divides a block. */
function content(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8) + size) & 255));
}

const stamp = (path: string): string => stampOf(lstatSync(`${dir}/from/${path}`, { bigint: true }));

describe('hashFiles', () => {
  const hashes = async (paths: string[]): Promise<[digests: string[], stamps: string[]] | undefined> => {
    const answer = await from.hashFiles(paths);
    if (answer === undefined) return undefined;
    const hex = Buffer.from(answer[0]).toString('hex');
    return [paths.map((_, i) => hex.slice(64 * i, 64 * i + 64)), answer[1].split(' ')];
  };

  test('gives digests and stamps of files of every length', async (context) => {
    const sizes = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 262_143, 262_144, 262_145, 600_000];
    const paths = sizes.map((size) => `sub/${size}`);
    sizes.forEach((size, i) => writeFileSync(`${dir}/from/${paths[i]}`, content(size)));
    const answer = await hashes(paths);
    if (answer === undefined) return context.skip('no instructions for SHA-256');
    expect(answer[0]).toEqual(sizes.map((size) => createHash('sha256').update(content(size)).digest('hex')));
    expect(answer[1]).toEqual(paths.map(stamp));
  });

  test('leaves what is no readable file in the tree to the caller', async (context) => {
    writeFileSync(`${dir}/from/file`, 'x');
    symlinkSync('file', `${dir}/from/link`);
    symlinkSync('sub', `${dir}/from/way`);
    writeFileSync(`${dir}/from/sub/file`, 'y');
    const answer = await hashes(['missing', 'sub', 'link', 'way/file', '../to', 'file']);
    if (answer === undefined) return context.skip('no instructions for SHA-256');
    expect(answer[1]).toEqual(['', '', '', '', '', stamp('file')]);
  });
});

describe('copyFiles', () => {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const copy = async (
    files: readonly { from: string; to?: string; mode?: number; stamp?: string }[],
  ): Promise<number[]> => {
    const copied = await to.copyFiles(
      from,
      files.map((file) => file.from),
      files.map((file) => file.to ?? file.from),
      files.map((file) => file.stamp ?? stamp(file.from)),
      Float64Array.from(files.flatMap(({ mode = 0o644 }) => [mode, uid, gid, 1_000_000, 5])),
    );
    return [...copied];
  };

  test('makes files with content, mode, owner and time', async () => {
    const sizes = [0, 1, 5000, 262_144, 262_145, 600_000];
    for (const size of sizes) writeFileSync(`${dir}/from/sub/${size}`, content(size));
    const modes = [0o644, 0o755, 0o600, 0o4755, 0o2711, 0o444];
    const files = sizes.map((size, i) => ({
      from: `sub/${size}`,
      to: `sub/copy${size}`,
      mode: modes[i] ?? 0,
    }));
    expect(await copy(files)).toEqual(sizes.map(() => 1));
    for (const [i, size] of sizes.entries()) {
      const path = `${dir}/to/sub/copy${size}`;
      expect(readFileSync(path).equals(content(size))).toBe(true);
      const stat = lstatSync(path, { bigint: true });
      expect([Number(stat.mode & 0o7777n), stat.mtimeNs]).toEqual([modes[i], 1_000_000_000_000_005n]);
    }
  });

  test('keeps holes', async () => {
    writeFileSync(`${dir}/from/sparse`, 'begin');
    truncateSync(`${dir}/from/sparse`, 4 << 20);
    expect(await copy([{ from: 'sparse' }])).toEqual([1]);
    const { size, blocks } = statSync(`${dir}/to/sparse`);
    expect([size, blocks < 1024]).toEqual([4 << 20, true]);
  });

  test('leaves what cannot be copied just so to the caller, and nothing of it', async () => {
    for (const name of ['plain', 'there', 'changed', 'sub/file']) writeFileSync(`${dir}/from/${name}`, name);
    symlinkSync('plain', `${dir}/from/link`);
    writeFileSync(`${dir}/to/there`, 'old');
    symlinkSync('sub', `${dir}/to/way`);
    const old = stamp('changed');
    writeFileSync(`${dir}/from/changed`, 'otherwise');
    const result = await copy([
      { from: 'there' },
      { from: 'changed', stamp: old },
      { from: 'link' },
      { from: 'sub', to: 'directory' },
      { from: 'sub/file', to: 'way/file' },
      { from: 'sub/file', to: 'no/such/way' },
      { from: 'sub/file', to: '../file' },
      { from: 'missing', stamp: old },
      { from: 'plain' },
    ]);
    expect(result).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(readdirSync(`${dir}/to`).sort()).toEqual(['plain', 'sub', 'there', 'way']);
    expect([readFileSync(`${dir}/to/there`, 'utf8'), readdirSync(`${dir}/to/sub`)]).toEqual(['old', []]);
    expect(existsSync(`${dir}/file`)).toBe(false);
  });

  test('goes on when its trees are closed meanwhile', async () => {
    writeFileSync(`${dir}/from/file`, 'x');
    const copied = copy([{ from: 'file' }]);
    from.close();
    to.close();
    expect(await copied).toEqual([1]);
  });

  test('refuses lists of different lengths', () => {
    expect(() => to.copyFiles(from, ['a'], [], [], new Float64Array())).toThrow(TypeError);
    expect(() => to.copyFiles(from, ['a'], ['a'], [''], new Float64Array(4))).toThrow(TypeError);
    expect(() => from.hashFiles(['a\0b'])).toThrow(TypeError);
  });
});
