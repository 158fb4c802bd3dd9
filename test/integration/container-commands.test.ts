// Every command of a container's life, on every state: see container-commands.cases.ts.

import { chownSync, readFileSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { ACCEPTED, REFUSED } from './container-commands.cases.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['--network', 'none'];

/** Two containers whose ids begin alike: made by hand, since ids are random. */
async function makeTwins(): Promise<string[]> {
  const ids: string[] = [];
  for (const digit of ['1', '2']) {
    const name = `twin${digit}`;
    const { stdout } = await skiff.run(['create', '--name', name, ...none, 'busybox', 'true'], {
      stdout: /^[0-9a-f]{64}\n$/,
    });
    const id = stdout.trim();
    const twin = `abc${digit}${id.slice(4)}`;
    const dir = `${skiff.store}/containers`;
    const config = readFileSync(`${dir}/${id}/config.json`, 'utf8').replaceAll(id, twin);
    writeFileSync(`${dir}/${id}/config.json`, config);
    renameSync(`${dir}/${id}`, `${dir}/${twin}`);
    unlinkSync(`${skiff.store}/names/${name}`);
    symlinkSync(twin, `${skiff.store}/names/${name}`);
    if (process.geteuid?.() === 0) chownSync(`${dir}/${twin}/config.json`, skiff.user.uid, skiff.user.gid);
    ids.push(twin);
  }
  return ids;
}

beforeAll(async () => {
  await makeTwins();
  await skiff.run(['run', '--name', 'down', ...none, 'busybox', 'sh', '-c', 'exit 3'], { status: 3 });
  await skiff.run(['create', '--name', 'made', ...none, 'busybox', 'true'], { stdout: /./ });
  await skiff.run(['run', '-d', '--name', 'up', ...none, 'busybox', 'sleep', '1000'], { stdout: /./ });
}, 60_000);

afterAll(async () => {
  await skiff.run(['rm', '-f', 'up', 'down', 'made', 'twin1', 'twin2'], { stdout: /./ });
}, 60_000);

describe('refused', () => {
  test.each(REFUSED.map((row) => [row.args.join(' '), row] as const))('%s', async (_, row) => {
    await skiff.run(row.args, row);
  });

  test('and nothing was changed by any of them', async () => {
    const format = '{{.Names}} {{.State}}';
    const { stdout } = await skiff.run(['ps', '-a', '--format', format]);
    expect(stdout.trim().split('\n').sort()).toEqual([
      'down exited',
      'made created',
      'twin1 created',
      'twin2 created',
      'up running',
    ]);
  });
});

describe('accepted, one after the other', () => {
  test.each(ACCEPTED.map((row) => [row.args.join(' '), row] as const))('%s', async (_, row) => {
    await skiff.run(row.args, { stderr: '', ...row });
  });
});

test('--latest and --cidfile name a container', async () => {
  const cidfile = `${skiff.dir}/home/cid`;
  await skiff.run(['create', '--cidfile', cidfile, ...none, 'busybox', 'sleep', '1000'], { stdout: /./ });
  const id = readFileSync(cidfile, 'utf8');
  await skiff.run(['start', '--latest'], { stdout: `${id}\n` });
  await skiff.run(['kill', '--cidfile', cidfile], { stdout: `${id}\n` });
  await skiff.run(['wait', '-l'], { stdout: '137\n' });
  await skiff.run(['restart', id.slice(0, 12)], { stdout: `${id.slice(0, 12)}\n` });
  await skiff.run(['stop', '--cidfile', cidfile], { stdout: `${id}\n` });
  const inspected = ['-f', '{{.State.ExitCode}}'];
  await skiff.run(['inspect', '-l', ...inspected], { stdout: '143\n' });
  await skiff.run(['container', 'inspect', '--cidfile', cidfile, ...inspected], { stdout: '143\n' });
  for (const flag of [['--latest'], ['--cidfile', cidfile]]) {
    await skiff.run(['logs', ...flag], { stdout: '' });
    await skiff.run(['diff', ...flag], { stdout: '' });
    await skiff.run(['port', ...flag], { stdout: '' });
    await skiff.run(['rename', ...flag, `called${flag.length}`], { stdout: '' });
    await skiff.run(['export', ...flag, '-o', `${skiff.dir}/home/root.tar`], { stdout: '' });
    await skiff.run(['top', ...flag], { status: 1, stderr: /is not running/ });
  }
  await skiff.run(['rename', '-l', 'a', 'b'], { status: 125, stderr: /needs exactly 1 argument/ });
  await skiff.run(['port', '-l', '--cidfile', cidfile], { status: 125, stderr: /one of the two/ });
  await skiff.run(['start', '--cidfile', cidfile], { stdout: `${id}\n` });
  await skiff.run(['rm', '-f', '-t', '10', '--cidfile', cidfile], { stdout: `${id}\n` });
});

test('rm --filter removes what matches, and nothing else', async () => {
  const make = (name: string, label: string) =>
    skiff.run(['create', '--name', name, '--label', label, ...none, 'busybox', 'true'], { stdout: /./ });
  for (const [name, label] of [
    ['one', 'k=a'],
    ['two', 'k=a'],
    ['three', 'k=b'],
  ] as const)
    await make(name, label);
  const { stdout } = await skiff.run(['rm', '--filter', 'label=k=a']);
  expect(stdout).toMatch(/^([0-9a-f]{64}\n){2}$/);
  await skiff.run(['ps', '-a', '--filter', 'label=k', '--format', '{{.Names}}'], { stdout: 'three\n' });
  await skiff.run(['rm', '--filter', 'label=nobody'], { stdout: '' });
  await skiff.run(['rm', 'three'], { stdout: 'three\n' });
});
