// The binary alone: copied somewhere else, without HOME, from any folder, beside a /tmp that is read-only or hostile.

import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, test } from 'vitest';
import { Engine, sandbox } from '../helpers/engine.ts';
import { exec, execAny } from '../helpers/exec.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox({ sharedStore: true });
const hello = ['run', '--rm', '--network', 'none', 'busybox', 'echo', 'hello'];

test('copied alone to another folder, started from /, and through a symlink', async () => {
  const dir = skiff.makeDir('elsewhere');
  copyFileSync(world().binary, `${dir}/anything`);
  chmodSync(`${dir}/anything`, 0o755);
  symlinkSync('anything', `${dir}/linked`);
  await skiff.run(hello, { binary: `${dir}/anything`, cwd: '/', stdout: 'hello\n' });
  await skiff.run(hello, { binary: `${dir}/linked`, cwd: dir, stdout: 'hello\n' });
  expect(readdirSync(dir).sort()).toEqual(['anything', 'linked']);
});

test('found in PATH', async () => {
  const dir = skiff.makeDir('path');
  copyFileSync(world().binary, `${dir}/skiff`);
  chmodSync(`${dir}/skiff`, 0o755);
  await skiff.run(hello, {
    prefix: ['sh', '-c', 'shift; exec skiff "$@"', 'sh'],
    env: { PATH: `${dir}:/usr/bin:/bin` },
    stdout: 'hello\n',
  });
});

test('without HOME, XDG_RUNTIME_DIR or any other variable', async () => {
  await skiff.run(hello, {
    env: { HOME: undefined, XDG_RUNTIME_DIR: undefined, PATH: undefined, LANG: undefined },
    stdout: 'hello\n',
  });
});

test('without a home the store is in /var/tmp, and not used when somebody else made it', async (context) => {
  requires(context, 'root');
  const store = `/var/tmp/skiff-${skiff.user.uid}`;
  const env = { HOME: '/', XDG_DATA_HOME: undefined, SKIFF_ROOT: undefined };
  try {
    await skiff.run(['images', '-q'], { env });
    expect(statSync(store).mode & 0o777).toBe(0o700);
    rmSync(store, { recursive: true });
    mkdirSync(store, { mode: 0o777 }); // root's
    await skiff.run(['images', '-q'], {
      env,
      status: 125,
      stderr: new RegExp(
        `using directory "${store}": it belongs to uid 0, not to us .*\n.*--root DIR or SKIFF_ROOT`,
      ),
    });
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
});

test('nobody else reaches the files of images and containers, wherever the store is', async () => {
  const store = skiff.makeDir('open-store');
  await skiff.run(['load', '--quiet', '--input', world().fixtures.busyboxOciArchive ?? ''], {
    env: { SKIFF_ROOT: store },
    stdout: /^/,
    stderr: /^/,
  });
  for (const name of ['layers', 'containers'])
    expect(statSync(`${store}/${name}`).mode & 0o077, name).toBe(0);
  await skiff.run(['rmi', 'busybox'], { env: { SKIFF_ROOT: store }, stdout: /^/ });
});

test('from a folder that its user cannot read', async (context) => {
  requires(context, 'root');
  const closed = mkdtempSync(`${skiff.dir}/closed-`); // root's, 0700
  await skiff.run(hello, { cwd: closed, stdout: 'hello\n' });
});

test('with files of bun beside it that must not be obeyed', async () => {
  const dir = skiff.makeDir('config');
  writeFileSync(`${dir}/bunfig.toml`, 'preload = ["./evil.ts"]\n');
  writeFileSync(`${dir}/evil.ts`, 'console.log("evil"); process.exit(9)\n');
  writeFileSync(`${dir}/.env`, 'SKIFF_ROOT=/nonexistent/evil\n');
  writeFileSync(`${dir}/package.json`, '{"type":"commonjs"}');
  await skiff.run(hello, { cwd: dir, stdout: 'hello\n', env: { NODE_OPTIONS: '--require ./evil.ts' } });
});

/** Runs skiff as the user in a mount namespace prepared by `script` (as root). */
async function inPreparedMounts(
  script: string,
  engine: Engine,
): Promise<{ status: number | string; stdout: string; stderr: string }> {
  const { uid, gid } = engine.user;
  const become = `exec setpriv --reuid=${uid} --regid=${gid} --clear-groups "$@"`;
  return execAny('unshare', ['--mount', 'sh', '-ec', `${script}\n${become}`, 'sh', ...engine.words(hello)], {
    env: engine.env,
    cwd: '/',
  });
}

test.for([
  ['read-only /tmp', 'mount -t tmpfs -o ro none /tmp'],
  ['a /tmp nobody can enter', 'mount -t tmpfs -o mode=0000 none /tmp'],
  [
    'read-only /tmp, /var/tmp and /dev/shm',
    'mount -t tmpfs -o ro none /tmp; mount -t tmpfs -o ro none /dev/shm',
  ],
  [
    'noexec everywhere one can write',
    'mount -t tmpfs -o noexec,mode=1777 none /tmp; mount -t tmpfs -o noexec,mode=1777 none /dev/shm',
  ],
])('%s', async ([, script], context) => {
  requires(context, 'root');
  expect(await inPreparedMounts(script ?? '', skiff)).toEqual({ status: 0, stdout: 'hello\n', stderr: '' });
});

test('a hostile /tmp: every name we might use is there already, and is not used', async (context) => {
  requires(context, 'root');
  const { uid } = skiff.user;
  const traps = [
    'skiff',
    `skiff-${uid}`,
    `skiff-run-${uid}`,
    `.skiff-${uid}`,
    'addon.node',
    'skiff-addon.node',
  ];
  const script = `mount -t tmpfs -o mode=1777 none /tmp; ${traps
    .map((name) => `mkdir -m 777 /tmp/${name}; echo trap >/tmp/${name}/addon.node`)
    .join('; ')}`;
  const engine = new Engine({ sharedStore: true });
  delete engine.env['XDG_RUNTIME_DIR'];
  const { status, stdout, stderr } = await inPreparedMounts(script, engine);
  // A foreign folder under the name of the run folder is refused or avoided, never used.
  if (status === 0) expect(stdout).toBe('hello\n');
  else expect(stderr).toMatch(/\/tmp\/skiff-run-/);
});

test('as pid 1 of a namespace, as in a CI container', async (context) => {
  requires(context, 'root');
  const { uid, gid } = skiff.user;
  const { stdout, stderr } = await execAny(
    'unshare',
    [
      '--pid',
      '--fork',
      '--mount-proc',
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      ...skiff.words(hello),
    ],
    { env: skiff.env, cwd: '/' },
  );
  expect({ stdout, stderr }).toEqual({ stdout: 'hello\n', stderr: '' });
});

test('needs no shared library beyond those of libc', async () => {
  const output = await exec('ldd', [world().binary]);
  const names = output
    .split('\n')
    .map((line) => line.trim().split(' ')[0] ?? '')
    .filter((name) => name !== '');
  const allowed = /^(linux-vdso|\/lib64\/ld-linux|libc\.so|libm\.so|libdl\.so|libpthread\.so|librt\.so)/;
  expect(names.filter((name) => !allowed.test(name))).toEqual([]);
});

test('a run writes nothing into HOME', () => {
  expect(readdirSync(`${skiff.dir}/home`)).toEqual([]);
});
