// Contexts and Dockerfiles that mean harm, where it takes more than a row of the corpus (test/conformance/build): secrets
// that must be left nowhere, archives larger than the disk, devices, and what a build would write outside of its root.

import { chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../helpers/accounts.ts';
import { ANY, Engine, sandbox } from '../helpers/engine.ts';
import { exec, execAny } from '../helpers/exec.ts';
import { storeLeftovers } from '../helpers/leaks.ts';
import { removeTree } from '../helpers/remove-tree.ts';
import { requires } from '../helpers/requires.ts';
import { tar } from '../helpers/tar-writer.ts';
import { world } from '../helpers/world.ts';

const { fixtures, missing } = world();
const skiff = sandbox();
const build = ['build', '--network', 'none', '--progress', 'plain'];

async function load(engine: Engine): Promise<void> {
  await engine.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
}

beforeAll(async () => {
  if (missing['busybox-image'] === undefined) await load(skiff);
});

function context(name: string, files: Record<string, string | Uint8Array>): string {
  const dir = skiff.makeDir(name);
  for (const [path, content] of Object.entries(files)) {
    writeFileSync(`${dir}/${path}`, content);
    if (isRoot()) chownSync(`${dir}/${path}`, skiff.user.uid, skiff.user.gid);
  }
  return dir;
}

describe('a secret', () => {
  const SECRET = 'correct-horse-battery-staple';
  const USE = `RUN --mount=type=secret,id=s,env=S --mount=type=secret,id=s --mount=type=cache,target=/c \\
    test "$S" = "$(cat /run/secrets/s)" && echo done > /c/x`;

  /** Everywhere in the store, and in what was printed. */
  async function expectNowhere(printed: string): Promise<void> {
    expect(printed).not.toContain(SECRET);
    const found = await execAny('grep', ['-rlaF', SECRET, skiff.store]);
    expect(found.stdout).toBe('');
  }

  test.for([
    ['a step that succeeds', `FROM busybox\n${USE}\n`, 0],
    ['a step that fails', `FROM busybox\n${USE} && exit 4\n`, 1],
    ['a step after it that fails', `FROM busybox\n${USE}\nCOPY nosuch /\n`, 1],
  ] as const)('%s', async ([name, text, status], cx) => {
    requires(cx, 'busybox-image');
    const dir = context(name.replaceAll(' ', '-'), { Dockerfile: text });
    writeFileSync(`${skiff.dir}/secret`, SECRET, { mode: 0o644 });
    for (const source of [`src=${skiff.dir}/secret`, 'env=TOKEN']) {
      const { stderr, stdout } = await skiff.run(
        ['--debug', ...build, '--no-cache', '-t', 'secret', '--secret', `id=s,${source}`, dir],
        { status, stdout: ANY, stderr: ANY, env: { TOKEN: SECRET } },
      );
      await expectNowhere(stderr + stdout);
    }
    if (status !== 0) return;
    const history = await skiff.run(['history', '--no-trunc', 'secret']);
    const inspect = await skiff.run(['image', 'inspect', 'secret']);
    await expectNowhere(history.stdout + inspect.stdout);
  });
});

test('an archive that is larger than the disk: it is said, and nothing is left', async (cx) => {
  requires(cx, 'root', 'busybox-image');
  const zeros = Buffer.alloc(120_000_000);
  const dir = context('bomb', {
    Dockerfile: 'FROM busybox\nADD bomb.tar.gz /\n',
    'bomb.tar.gz': gzipSync(tar([{ path: 'zeros', content: zeros }])),
  });
  const engine = new Engine({});
  mkdirSync(engine.store);
  const options = `size=40m,mode=0700,uid=${engine.user.uid},gid=${engine.user.gid}`;
  await exec('mount', ['-t', 'tmpfs', '-o', options, 'none', engine.store]);
  try {
    await load(engine);
    const { stderr } = await engine.run([...build, '-t', 'bomb', dir], { status: null, stderr: ANY });
    expect(stderr).toMatch(/bomb\.tar\.gz|zeros/);
    expect(stderr).toMatch(/space/i);
    expect(storeLeftovers(engine.store)).toEqual([]);
    await engine.run(['images', '--format', '{{.Repository}}'], { stdout: 'busybox\n' });
    await engine.run(['system', 'check'], { stdout: ANY, stderr: ANY });
  } finally {
    await exec('umount', ['--lazy', engine.store]);
    await removeTree(engine.dir, engine.user);
  }
});

test('devices in the context are named, and nothing is read from them', async (cx) => {
  requires(cx, 'root', 'busybox-image');
  const dir = context('devices', { Dockerfile: 'FROM busybox\nCOPY . /d\n' });
  await exec('mknod', [`${dir}/zero`, 'c', '1', '5']);
  await skiff.run([...build, dir], { status: 1, stderr: /copying "zero": a device cannot be copied/ });
  writeFileSync(`${dir}/.dockerignore`, 'zero\n');
  await skiff.run([...build, dir], { stderr: ANY });
});

test('nothing is written outside of the root, whatever the links of an image say', async (cx) => {
  requires(cx, 'busybox-image');
  const outside = skiff.makeDir('outside');
  const dir = context('links', {
    Dockerfile: `FROM busybox
RUN ln -s ${outside} /absolute; ln -s ../../../../../../../..${outside} /relative; ln -s /proc/self/root /magic
COPY file /absolute/copied
COPY file /relative/
ADD archive.tar /absolute/
COPY file /magic${outside}/through
WORKDIR /relative/workdir
COPY <<EOF /absolute/heredoc
x
EOF
RUN --mount=type=tmpfs,target=/absolute/mount --mount=type=cache,target=/relative/cache true
`,
    file: 'file',
    'archive.tar': tar([
      { path: 'up', type: 'symlink', link: '../../../../../../../..' },
      { path: `up${outside}/unpacked`, content: 'x' },
    ]),
  });
  symlinkSync(outside, `${dir}/out`);
  await skiff.run([...build, '-t', 'links', dir], { stderr: ANY });
  expect(readdirSync(outside)).toEqual([]);
  const list = ['run', '--rm', '--network', 'none', 'links', 'ls', outside];
  const { stdout } = await skiff.run(list);
  expect(stdout.split('\n').sort()).toEqual(['', 'copied', 'file', 'heredoc', 'unpacked', 'up', 'workdir']);
  // /proc is empty while files are copied: what goes there is the image's own.
  expect(existsSync(`${outside}/through`)).toBe(false);
});
