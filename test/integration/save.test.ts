// save: archives that load, skopeo and podman read back to the same ids.

import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { withTerminal } from '../helpers/terminal.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox({ sharedStore: true });
const other = sandbox();

afterAll(async () => {
  await skiff.run(['rmi', '-f', 'two:a', 'two:b', 'made'], { status: null, stdout: /^/, stderr: /^/ });
  await skiff.run(['rm', '-fv', '--all'], { status: null, stdout: /^/, stderr: /^/ });
  await skiff.run(['system', 'prune', '-f'], { status: null, stdout: /^/, stderr: /^/ });
});

async function idOf(engine: Engine, image: string): Promise<string> {
  const [{ Id }] = JSON.parse((await engine.run(['image', 'inspect', image])).stdout) as [{ Id: string }];
  return Id;
}

/** An image with a layer of ours, and busybox under a second name. */
async function images(): Promise<void> {
  await skiff.run(['tag', 'busybox', 'two:a', 'two:b']);
  await skiff.run([
    'run',
    '--network',
    'none',
    '--replace',
    '--name',
    'maker',
    'busybox',
    'sh',
    '-c',
    'echo x > /x',
  ]);
  await skiff.run(['commit', 'maker', 'made'], { stdout: /^sha256/ });
}

describe.each(['docker-archive', 'oci-archive'])('%s', (format) => {
  test('several images and names, each blob once, loaded to the same ids', async (context) => {
    requires(context, 'busybox-image');
    await images();
    const path = `${skiff.dir}/${format}.tar`;
    await skiff.run(['save', '--format', format, '-o', path, 'two:a', 'made', 'two:b'], { stdout: '' });
    const names = execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).split('\n');
    expect(new Set(names).size).toBe(names.length);
    expect(names.includes('manifest.json')).toBe(format === 'docker-archive');
    const { stdoutBytes } = await skiff.run(['image', 'save', '--format', format, 'two:a', 'made', 'two:b']);
    expect(stdoutBytes.length).toBe(statSync(path).size);
    await other.run(['load', '-q', '-i', path], {
      stdout: /Loaded image: two:a\n[^]*Loaded image: made:latest\n/,
    });
    for (const name of ['two:a', 'two:b', 'made'])
      expect(await idOf(other, name)).toBe(await idOf(skiff, name));
    await other.run(['run', '--rm', '--network', 'none', 'made', 'cat', '/x'], { stdout: 'x\n' });
    await other.run(['rmi', '-f', 'two:a', 'two:b', 'made'], { stdout: /^/ });
    rmSync(path);
  });
});

test('by id: no name in the archive', async (context) => {
  requires(context, 'busybox-image');
  const { stdoutBytes } = await skiff.run(['save', await idOf(skiff, 'busybox')]);
  await other.run(['load', '-q'], { stdin: stdoutBytes, stdout: /^Loaded image ID: sha256:[0-9a-f]{64}\n$/ });
  await other.run(['rmi', '-f', await idOf(skiff, 'busybox')], { stdout: /^/ });
});

test('skopeo and podman read it', async (context) => {
  requires(context, 'busybox-image', 'skopeo', 'podman', 'root');
  await images();
  const dir = skiff.makeDir('peers');
  await skiff.run(['save', '-o', `${dir}/docker.tar`, 'made', 'two:a']);
  await skiff.run(['save', '--format', 'oci-archive', '-o', `${dir}/oci.tar`, 'made']);
  const id = (await idOf(skiff, 'made')).slice('sha256:'.length);
  const skopeo = (image: string): string =>
    execFileSync('skopeo', ['inspect', '--raw', image], { encoding: 'utf8' });
  expect(skopeo(`docker-archive:${dir}/docker.tar:made:latest`)).toContain(id);
  expect(skopeo(`oci-archive:${dir}/oci.tar`)).toContain(id);
  const podman = (...args: string[]): string =>
    execFileSync(
      'podman',
      ['--root', `${dir}/root`, '--runroot', `${dir}/run`, '--storage-driver', 'vfs', ...args],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
  podman('load', '-i', `${dir}/docker.tar`);
  podman('load', '-i', `${dir}/oci.tar`);
  const listed = podman('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}');
  expect(listed).toContain(`localhost/made:latest sha256:${id}`);
  expect(listed).toContain(`docker.io/library/made:latest sha256:${id}`);
  rmSync(dir, { recursive: true });
});

test.each([
  { args: ['nobody'], status: 1, stderr: /no such image: "nobody"/ },
  { args: ['busybox', 'nobody'], status: 1, stderr: /no such image: "nobody"/ },
  { args: [], status: 125, stderr: /argument/ },
  { args: ['--format', 'zip', 'busybox'], status: 125, stderr: /docker-archive/ },
  { args: ['-o', '/no/where/x', 'busybox'], status: 1, stderr: /directory "\/no\/where" does not exist/ },
])('save $args fails with $status and writes nothing', async ({ args, status, stderr }) => {
  await skiff.run(['save', ...args], { status, stdout: '', stderr });
});

test('a terminal is refused, a damaged blob found', async (context) => {
  requires(context, 'busybox-image');
  const { status, output } = await withTerminal(skiff, ['save', 'busybox']).end;
  expect([status, output]).toEqual([1, expect.stringContaining('cowardly refusing')]);
  await other.run(['load', '-q', '-i', world().fixtures.busyboxOciArchive ?? ''], { stdout: /^/ });
  const blobs = `${other.store}/oci/blobs/sha256`;
  const sizes = readdirSync(blobs).map((name) => [statSync(`${blobs}/${name}`).size, name] as const);
  const [, largest] = sizes.sort((a, b) => b[0] - a[0])[0] as readonly [number, string];
  const fill = Buffer.alloc(statSync(`${blobs}/${largest}`).size, 1);
  writeFileSync(`${blobs}/${largest}`, fill);
  const path = `${other.makeDir('damaged')}/out.tar`;
  await other.run(['save', '-o', path, 'busybox'], {
    status: 125,
    stderr: /blob "sha256:[0-9a-f]+" is damaged/,
  });
  expect(readdirSync(`${other.dir}/damaged`)).toEqual([]);
});
