import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryTree } from '../../../../src/builder/context/directory-tree.ts';
import { hashWith } from '../../../../src/builder/context/hash.ts';
import { createMatcher, parseIgnoreFile } from '../../../../src/builder/context/ignore.ts';
import { LayersTree } from '../../../../src/builder/context/layers-tree.ts';
import { selectFiles } from '../../../../src/builder/context/select.ts';
import type { CopyRequest, Selection, SourceTree } from '../../../../src/builder/context/types.ts';
import { SELECT_CASES } from './select.cases.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/skiff-select-`);
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** "d/" is a directory, "a -> b" a link; else a file that holds its own name. */
function make(files: readonly string[], under = dir): void {
  for (const file of files) {
    const [name = '', target] = file.split(' -> ');
    const path = `${under}/${name}`;
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (target !== undefined) symlinkSync(target, path);
    else if (!name.endsWith('/')) writeFileSync(path, name);
  }
}

const NOTHING_SPECIAL: Omit<CopyRequest, 'sources'> = {
  parents: false,
  exclude: [],
  owner: undefined,
  chmod: undefined,
};

function contextTree(ignore: readonly string[] = []): DirectoryTree {
  const matcher = createMatcher(parseIgnoreFile(ignore.join('\n'), '.dockerignore'));
  return new DirectoryTree(dir, { matcher, fileName: '.dockerignore' });
}

async function select(tree: SourceTree, request: Partial<CopyRequest>): Promise<Selection> {
  try {
    return await selectFiles(tree, { ...NOTHING_SPECIAL, sources: [], ...request }, hashWith(undefined));
  } finally {
    tree.close();
  }
}

/** "name(kind): to, to" */
function summary({ sources }: Selection): string[] {
  return sources.map(({ name, kind, files }) => `${name}(${kind}): ${files.map(({ to }) => to).join(' ')}`);
}

describe('sources of a context', () => {
  it.each(SELECT_CASES)('$name', async ({ files, ignore, request, expected }) => {
    make(files);
    expect(summary(await select(contextTree(ignore), request))).toEqual(expected);
  });

  it.each([
    {
      files: ['app.js'],
      sources: ['ap.js'],
      message: 'copying "ap.js": not found in the build context',
      hint: 'did you mean "app.js"?',
    },
    {
      files: ['src/a.ts'],
      sources: ['src/b.ts'],
      message: 'copying "src/b.ts"',
      hint: 'did you mean "src/a.ts"?',
    },
    {
      files: ['.env'],
      sources: ['.env'],
      ignore: ['.env'],
      message: 'copying ".env"',
      hint: 'it exists, but is excluded by .dockerignore: add "!.env" at its end',
    },
    { files: ['a'], sources: ['/etc/passwd'], message: 'copying "/etc/passwd": not found' },
    { files: ['out -> /etc/passwd'], sources: ['out'], message: 'copying "out": not found' },
    { files: ['a -> b', 'b -> a'], sources: ['a'], message: '"a": too many levels of symbolic links' },
    { files: ['a'], sources: ['[a'], message: 'copying "[a": syntax error in pattern' },
    { files: ['a'], sources: ['a'], exclude: ['!'], message: 'reading --exclude: pattern "!"' },
  ])('$sources: $message', async ({ files, ignore, sources, exclude, message, hint }) => {
    make(files);
    const error: unknown = await select(contextTree(ignore), { sources, exclude: exclude ?? [] }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ exitCode: 1, ...(hint === undefined ? {} : { hint }) });
    expect((error as Error).message).toContain(message);
  });

  it('refuses what cannot be copied only when it is asked for', async () => {
    make(['a', 'd/']);
    execFileSync('mkfifo', [`${dir}/d/pipe`]);
    expect(summary(await select(contextTree(), { sources: ['a'] }))).toEqual(['a(file): ']);
    await expect(select(contextTree(), { sources: ['.'] })).rejects.toThrow(
      'copying "d/pipe": a fifo cannot be copied',
    );
    expect(summary(await select(contextTree(['**/pipe']), { sources: ['d'] }))).toEqual(['d(dir): ']);
  });

  it('keeps names that are no UTF-8', async () => {
    writeFileSync(Buffer.from(`${dir}/caf\xe9`, 'latin1'), 'x');
    make(['naïve']);
    const { sources } = await select(contextTree(), { sources: ['.'] });
    expect(sources[0]?.files.map(({ to }) => to)).toEqual([
      'caf\xe9',
      Buffer.from('naïve').toString('latin1'),
    ]);
    expect(summary(await select(contextTree(), { sources: ['na?ve'] }))).toHaveLength(1);
  });

  it('gives files to root, and takes --chown and --chmod into account', async () => {
    make(['d/a']);
    chmodSync(`${dir}/d/a`, 0o4750);
    const plain = await select(contextTree(), { sources: ['d'] });
    expect(plain.sources[0]?.files[0]).toMatchObject({ mode: 0o4750, containerUid: 0, containerGid: 0 });
    const changed = await select(contextTree(), {
      sources: ['d'],
      owner: { uid: 3, gid: 4 },
      chmod: 'u-s,go=',
    });
    expect(changed.sources[0]?.files).toMatchObject([{ mode: 0o700, containerUid: 3, containerGid: 4 }]);
  });
});

describe('the digest', () => {
  const digestOf = async (request: Partial<CopyRequest> = { sources: ['.'] }): Promise<string> =>
    (await select(contextTree(), request)).digest;

  it('is that of the content, not of times or hard links', async () => {
    make(['a', 'd/b', 'l -> a']);
    const before = await digestOf();
    rmSync(`${dir}/a`);
    rmSync(`${dir}/d/b`);
    make(['a']);
    writeFileSync(`${dir}/d/b`, 'd/b');
    linkSync(`${dir}/a`, `${dir}/elsewhere`);
    rmSync(`${dir}/elsewhere`);
    expect(await digestOf()).toBe(before);
  });

  it.each([
    ['content', () => writeFileSync(`${dir}/a`, 'A')],
    ['mode', () => chmodSync(`${dir}/a`, 0o711)],
    ['mode of a directory', () => chmodSync(`${dir}/d`, 0o711)],
    ['a new file', () => make(['c'])],
    ['a new empty directory', () => make(['e/'])],
    ['a file that is gone', () => rmSync(`${dir}/d/b`)],
    [
      'the target of a link',
      () => {
        rmSync(`${dir}/l`);
        make(['l -> d']);
      },
    ],
    [
      'another type',
      () => {
        rmSync(`${dir}/a`);
        make(['a -> d/b']);
      },
    ],
  ])('changes with %s', async (_what, change) => {
    make(['a', 'd/b', 'l -> a']);
    const before = await digestOf();
    change();
    expect(await digestOf()).not.toBe(before);
  });
});

describe('sources of layers', () => {
  it('are what overlayfs would show, hard links and owners included', async () => {
    const [lower, upper] = [`${dir}/1`, `${dir}/2`];
    make(['app/a', 'app/b', 'etc/x'], lower);
    make(['app/b', 'app/c', 'link -> /app'], upper);
    writeFileSync(`${upper}/app/b`, 'new');
    linkSync(`${upper}/app/c`, `${upper}/app/d`);
    const selection = await select(new LayersTree([lower, upper]), { sources: ['link'] });
    expect(selection.sources[0]).toMatchObject({ name: 'link', kind: 'dir' });
    expect(selection.sources[0]?.files.map(({ to, type, linkTo }) => [to, type, linkTo])).toEqual([
      ['a', 'file', ''],
      ['b', 'file', ''],
      ['c', 'file', ''],
      ['d', 'link', 'c'],
    ]);
    expect(selection.sources[0]?.files[1]?.sizeBytes).toBe(3);
  });
});
