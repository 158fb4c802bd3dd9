import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { placesOf, stubsIn } from '../../../../src/builder/run/stubs.ts';

let dir: string;
let stack: { trees: string[]; isOpaque: () => boolean };

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/skiff-stubs-`);
  for (const name of ['low', 'top', 'upper']) mkdirSync(`${dir}/${name}`);
  stack = { trees: [`${dir}/top`, `${dir}/low`], isOpaque: () => false };
});
afterEach(() => rmSync(dir, { recursive: true }));

const pathsOf = (...targets: string[]): string[] => placesOf(stack, targets).map(({ path }) => path);

describe('the places that mounts need', () => {
  test('every directory on the way, each once', () => {
    expect(pathsOf('/a/b', '/a/c/')).toEqual(['a', 'a/b', 'a/c']);
  });

  test('through links, and never above the root', () => {
    symlinkSync('../../../out', `${dir}/low/l`);
    symlinkSync('/l/deep', `${dir}/top/m`);
    expect(pathsOf('/l/x')).toEqual(['out', 'out/x']);
    expect(pathsOf('/m/x')).toEqual(['out', 'out/deep', 'out/deep/x']);
  });

  test('a circle of links has none', () => {
    symlinkSync('b', `${dir}/low/a`);
    symlinkSync('a', `${dir}/low/b`);
    expect(pathsOf('/a/x')).toEqual([]);
  });
});

describe('what is left in the upper directory', () => {
  test('what was not there, and directories that nobody changed', () => {
    mkdirSync(`${dir}/low/etc`, 0o755);
    const places = placesOf(stack, ['/etc/hosts', '/run/ü']);
    mkdirSync(`${dir}/upper/etc`, 0o755);
    writeFileSync(`${dir}/upper/etc/hosts`, '');
    expect(stubsIn(`${dir}/upper`, places)).toEqual(['etc', 'etc/hosts', 'run', 'run/\u00c3\u00bc']);
  });

  test('not a directory with another mode', () => {
    mkdirSync(`${dir}/low/etc`, 0o755);
    const places = placesOf(stack, ['/etc/hosts']);
    mkdirSync(`${dir}/upper/etc`);
    chmodSync(`${dir}/upper/etc`, 0o700);
    expect(stubsIn(`${dir}/upper`, places)).toEqual(['etc/hosts']);
  });
});
