import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeChange, fingerprintsOf } from '../../../../src/builder/context/changes.ts';
import {
  ignoreFileCandidates,
  openContext,
  type ContextOptions,
} from '../../../../src/builder/context/context.ts';
import type { Selection } from '../../../../src/builder/context/types.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/skiff-context-`);
  mkdirSync(`${dir}/src`);
  writeFileSync(`${dir}/src/a`, 'a');
  writeFileSync(`${dir}/b`, 'b');
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function selectAll(options: Partial<ContextOptions> = {}): Promise<Selection> {
  const context = openContext({
    path: dir,
    dockerfile: `${dir}/Dockerfile`,
    statFile: undefined,
    ...options,
  });
  try {
    return await context.select({
      sources: ['.'],
      parents: false,
      exclude: [],
      owner: undefined,
      chmod: undefined,
    });
  } finally {
    context.close();
  }
}

const names = ({ sources }: Selection): string[] => sources.flatMap(({ files }) => files.map(({ to }) => to));

describe('the ignore file', () => {
  it('is the first of these', () => {
    expect(ignoreFileCandidates({ path: '/c', dockerfile: '/d/Dockerfile.x' })).toEqual([
      '/d/Dockerfile.x.dockerignore',
      '/d/Dockerfile.x.containerignore',
      '/c/.dockerignore',
      '/c/.containerignore',
    ]);
    expect(ignoreFileCandidates({ path: '/c', dockerfile: undefined })).toHaveLength(2);
    expect(ignoreFileCandidates({ path: '/c', dockerfile: '/c/D', ignoreFile: '/x' })).toEqual(['/x']);
  });

  it('counts alone', async () => {
    expect(names(await selectAll())).toEqual(['b', 'src', 'src/a']);
    writeFileSync(`${dir}/.containerignore`, 'b\n.*\n');
    expect(names(await selectAll())).toEqual(['src', 'src/a']);
    writeFileSync(`${dir}/.dockerignore`, 'src\n.*\n');
    expect(names(await selectAll())).toEqual(['b']);
    writeFileSync(`${dir}/Dockerfile.dockerignore`, '*\n');
    expect(names(await selectAll())).toEqual([]);
    expect(names(await selectAll({ dockerfile: undefined }))).toEqual(['Dockerfile.dockerignore', 'b']);
  });

  it('must exist when it was asked for', async () => {
    await expect(selectAll({ ignoreFile: `${dir}/none` })).rejects.toThrow('none": ENOENT');
  });
});

describe('the context', () => {
  it.each([
    ['none', 'it does not exist'],
    ['b', 'it is no directory'],
  ])('%s: %s', async (name, why) => {
    await expect(selectAll({ path: `${dir}/${name}` })).rejects.toThrow(
      `unable to prepare context: path ${JSON.stringify(`${dir}/${name}`)}: ${why}`,
    );
  });

  it.runIf(process.geteuid?.() !== 0)('leaves to root what we may not read', async () => {
    chmodSync(`${dir}/b`, 0);
    const asked: string[][] = [];
    await expect(
      selectAll({
        readAsRoot: async (paths) => {
          asked.push([...paths]);
          return await Promise.reject(new Error('not now'));
        },
      }),
    ).rejects.toThrow('not now');
    expect(asked).toEqual([['b']]);
    await expect(selectAll()).rejects.toThrow('reading "b": permission denied');
  });
});

describe('what changed', () => {
  it('is told by the name of a file', async () => {
    const before = fingerprintsOf(await selectAll());
    expect(describeChange(before, fingerprintsOf(await selectAll()))).toBeUndefined();
    writeFileSync(`${dir}/src/a`, 'A');
    expect(describeChange(before, fingerprintsOf(await selectAll()))).toBe('src/a changed');
    writeFileSync(`${dir}/c`, 'c');
    rmSync(`${dir}/b`);
    expect(describeChange(before, fingerprintsOf(await selectAll()))).toBe('b is gone, and 2 more');
  });
});
