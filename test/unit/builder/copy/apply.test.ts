import { execFileSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryTree } from '../../../../src/builder/context/directory-tree.ts';
import { hashWith } from '../../../../src/builder/context/hash.ts';
import { LayersTree } from '../../../../src/builder/context/layers-tree.ts';
import { selectFiles } from '../../../../src/builder/context/select.ts';
import type { CopyRequest, Selection, SourceTree } from '../../../../src/builder/context/types.ts';
import { CopyApplier, type ApplyRules } from '../../../../src/builder/copy/apply.ts';
import { Ground } from '../../../../src/builder/copy/ground.ts';
import type { Copied, InlineFile } from '../../../../src/builder/copy/requests.ts';
import { Writer } from '../../../../src/builder/copy/writer.ts';
import { SpaceGuard } from '../../../../src/image/layer/space.ts';
import { addon } from '../../../../src/native/addon.ts';
import { APPLY_CASES } from './apply.cases.ts';

let dir: string;
let from: string;
let root: string;

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/skiff-copy-`);
  [from, root] = [`${dir}/from`, `${dir}/root`];
  mkdirSync(from);
  mkdirSync(root);
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** "d/" is a directory, "a -> b" a link, "a = text" a file; a bare name holds itself. */
function make(files: readonly string[], under: string): void {
  for (const file of files) {
    const [, name = '', operator, rest = ''] = /^(.*?)(?: (->|=) (.*))?$/.exec(file) ?? [];
    const path = `${under}/${name}`;
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (operator === '->') symlinkSync(rest, path);
    else if (!name.endsWith('/')) writeFileSync(path, operator === '=' ? rest : name);
  }
}

function listing(under: string, at = ''): string[] {
  return readdirSync(`${under}/${at}`)
    .sort()
    .flatMap((name) => {
      const path = at === '' ? name : `${at}/${name}`;
      const stat = lstatSync(`${under}/${path}`);
      if (stat.isSymbolicLink()) return [`${path} -> ${readlinkSync(`${under}/${path}`)}`];
      if (!stat.isDirectory()) return [`${path} = ${readFileSync(`${under}/${path}`, 'utf8')}`];
      const inside = listing(under, path);
      return inside.length === 0 ? [`${path}/`] : inside;
    });
}

const RULES: ApplyRules = {
  destination: '/',
  owner: undefined,
  chmod: undefined,
  unpack: false,
  timeSec: 1000,
};

interface Job {
  request?: Partial<CopyRequest>;
  rules?: Partial<ApplyRules>;
  inline?: InlineFile[];
  tree?: () => SourceTree;
  between?: () => void;
}

async function copy({ request, rules, inline = [], tree: source, between }: Job): Promise<Copied> {
  const before = process.umask(0);
  const tree = (source ?? (() => new DirectoryTree(from)))();
  const fd = openSync(root, 'r');
  const target = new (addon().Tree)(fd, true);
  try {
    const selection: Selection = await selectFiles(
      tree,
      { sources: [], parents: false, exclude: [], owner: undefined, chmod: undefined, ...request },
      hashWith(undefined),
    );
    between?.();
    const ground: Ground = new Ground(target, (path) => writer.dir(path, applier.newDirAttributes()));
    const writer = new Writer(target, new SpaceGuard(() => addon().fstatfs(fd)), ground);
    const applier = new CopyApplier({ from: tree, tree: target, ground, writer }, { ...RULES, ...rules });
    await applier.apply({ sources: selection.sources, inline });
    return { files: writer.files, bytes: writer.bytes, notes: writer.notes };
  } finally {
    process.umask(before);
    target.close();
    tree.close();
    closeSync(fd);
  }
}

describe('where files go', () => {
  it.each(APPLY_CASES)(
    '$name',
    async ({ there, files, sources, destination, parents, inline, result, error }) => {
      make(there ?? [], root);
      make(files, from);
      const done = copy({
        request: { sources, parents: parents ?? false },
        rules: { destination },
        inline: inline ?? [],
      });
      if (error === undefined) await done;
      else await expect(done).rejects.toThrow(error);
      if (result !== undefined) expect(listing(root)).toEqual(result);
    },
  );
});

describe('what is kept', () => {
  it('modes, one time for all, and holes', async () => {
    make(['d/a = x', 'd/e/'], from);
    truncateSync(`${from}/d/a`, 5 << 20);
    execFileSync('chmod', ['4711', `${from}/d/a`]);
    execFileSync('chmod', ['500', `${from}/d/e`]);
    const { bytes } = await copy({ request: { sources: ['d'] }, rules: { destination: '/new/place' } });
    expect(bytes).toBe(5 << 20);
    const a = lstatSync(`${root}/new/place/a`);
    expect(a.mode & 0o777).toBe(0o711);
    expect(a.size).toBe(5 << 20);
    expect(a.blocks * 512).toBeLessThan(1 << 20);
    expect([a.mtimeMs, lstatSync(`${root}/new/place/e`).mtimeMs]).toEqual([1e6, 1e6]);
    expect(lstatSync(`${root}/new/place/e`).mode & 0o777).toBe(0o500);
    expect(lstatSync(`${root}/new`).mode & 0o777).toBe(0o755);
    execFileSync('chmod', ['700', `${root}/new/place/e`, `${from}/d/e`]);
  });

  it("each file's own time when none is given", async () => {
    make(['a'], from);
    execFileSync('touch', ['-d', '@77.5', `${from}/a`]);
    await copy({ request: { sources: ['a'] }, rules: { timeSec: undefined } });
    expect(lstatSync(`${root}/a`).mtimeMs).toBe(77_500);
  });

  it('--chmod for what is made on the way and for heredocs too', async () => {
    make(['a'], from);
    await copy({
      request: { sources: ['a'], chmod: 'go=' },
      rules: { destination: '/x/y/', chmod: 'go=' },
      inline: [{ name: 'b', content: 'hello\n' }],
    });
    const modes = ['x', 'x/y', 'x/y/a', 'x/y/b'].map((path) => lstatSync(`${root}/${path}`).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600]);
    expect(readFileSync(`${root}/x/y/b`, 'utf8')).toBe('hello\n');
  });

  it('hard links inside one source of a stage', async () => {
    make(['d/a', 'd/e/z'], from);
    linkSync(`${from}/d/a`, `${from}/d/e/b`);
    await copy({
      request: { sources: ['d'] },
      rules: { destination: '/t' },
      tree: () => new LayersTree([from]),
    });
    expect(lstatSync(`${root}/t/a`).ino).toBe(lstatSync(`${root}/t/e/b`).ino);
    await copy({ request: { sources: ['d'] }, rules: { destination: '/u' } });
    expect(lstatSync(`${root}/u/a`).ino).not.toBe(lstatSync(`${root}/u/e/b`).ino);
  });

  it('names that are no UTF-8', async () => {
    writeFileSync(Buffer.from(`${from}/caf\xe9`, 'latin1'), 'x');
    await copy({ request: { sources: ['.'] } });
    expect(readdirSync(Buffer.from(root), 'latin1' as 'utf8')).toEqual(['caf\xe9']);
  });
});

describe('what is refused', () => {
  it.each([
    ['content', () => writeFileSync(`${from}/a`, 'other')],
    [
      'a link in its place',
      () => {
        rmSync(`${from}/a`);
        symlinkSync('/etc/passwd', `${from}/a`);
      },
    ],
    ['nothing in its place', () => rmSync(`${from}/a`)],
  ])('a file that changed after its digest was made: %s', async (_what, between) => {
    make(['a'], from);
    await expect(copy({ request: { sources: ['a'] }, between })).rejects.toThrow(
      /"a": it (changed|was removed)/,
    );
  });
});

describe('ADD of archives', () => {
  const pack = (flags: string, name: string, files: readonly string[]): void => {
    make(files, `${dir}/in`);
    execFileSync('tar', [flags, `${from}/${name}`, '-C', `${dir}/in`, '.']);
  };

  it.each([
    ['-cf', 'a.tar'],
    ['-czf', 'a'],
    ['-cJf', 'a.whatever'],
    ['-cjf', 'a.tbz'],
  ])('unpacks what tar %s wrote, whatever it is called', async (flags, name) => {
    pack(flags, name, ['bin/x', 'l -> bin']);
    await copy({ request: { sources: [name] }, rules: { destination: '/opt', unpack: true } });
    expect(listing(root)).toEqual(['opt/bin/x = bin/x', 'opt/l -> bin']);
  });

  it.each([
    ['text', 'just some text '.repeat(100)],
    ['a tar in name alone', 'x'],
    ['an empty file', ''],
    ['zeros', '\0'.repeat(10240)],
    ['something that begins like gzip', `\x1f\x8b${'x'.repeat(1000)}`],
  ])('copies %s as it is', async (_what, content) => {
    writeFileSync(`${from}/a.tar`, content, 'latin1');
    await copy({ request: { sources: ['a.tar'] }, rules: { destination: '/d/', unpack: true } });
    expect(readFileSync(`${root}/d/a.tar`, 'latin1')).toBe(content);
  });

  it('leaves gzipped files that are no archive as they are', async () => {
    writeFileSync(`${from}/a`, 'text\n'.repeat(300));
    execFileSync('gzip', [`${from}/a`]);
    await copy({ request: { sources: ['a.gz'] }, rules: { unpack: true } });
    expect(readdirSync(root)).toEqual(['a.gz']);
  });

  it('replaces what is in the way, follows links to directories, and keeps to the root', async () => {
    make(['opt/d/x', 'opt/f', 'usr/lib/', 'lib -> usr/lib'], root);
    pack('-cf', 'a.tar', ['d = a file', 'f/y', '.wh.z']);
    await copy({ request: { sources: ['a.tar'] }, rules: { destination: '/opt', unpack: true } });
    expect(listing(root)).toEqual([
      'lib -> usr/lib',
      'opt/.wh.z = .wh.z',
      'opt/d = a file',
      'opt/f/y = f/y',
      'usr/lib/',
    ]);
    execFileSync('tar', ['-cPf', `${from}/b.tar`, '--transform=s,^,lib/,', '-C', `${dir}/in`, 'd']);
    await copy({ request: { sources: ['b.tar'] }, rules: { unpack: true } });
    expect(readFileSync(`${root}/usr/lib/d`, 'utf8')).toBe('a file');
  });

  it.each(['../evil', 'x/../../evil'])('refuses an entry called %s', async (name) => {
    writeFileSync(`${dir}/evil`, 'x');
    execFileSync('tar', ['-cPf', `${from}/a.tar`, `--transform=s,.*,${name},`, `${dir}/evil`]);
    await expect(
      copy({ request: { sources: ['a.tar'] }, rules: { destination: '/opt', unpack: true } }),
    ).rejects.toThrow(/unpacking "a.tar": .*leads outside/);
    expect(listing(dir).filter((line) => line.startsWith('root/'))).toEqual(['root/opt/']);
  });
});
