// build --push.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDockerRegistry, type RunningRegistry } from '../helpers/docker-registry.ts';
import { ANY, sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();
const build = ['build', '--progress', 'plain'];
const DOCKERFILE = 'FROM scratch\nCOPY <<EOF /f\ncontent\nEOF\n';
let registry: RunningRegistry | undefined;

beforeAll(async () => {
  if (world().missing.registry !== undefined) return;
  mkdirSync(`${skiff.dir}-registry`);
  registry = await startDockerRegistry({
    data: `${skiff.dir}-registry/data`,
    dir: `${skiff.dir}-registry/run`,
  });
});

afterAll(async () => {
  await registry?.stop();
  rmSync(`${skiff.dir}-registry`, { recursive: true, force: true });
});

test('every name is pushed, once the image is built', async (cx) => {
  requires(cx, 'registry');
  const names = ['a:1', 'b/c:2', 'd'].map((name) => `${registry?.address ?? ''}/${name}`);
  const flags = [
    '-t',
    names[0] ?? '',
    '-t',
    names[1] ?? '',
    '-o',
    `type=image,name=${names[2] ?? ''}`,
    '--push',
  ];
  const { stderr } = await skiff.run([...build, ...flags, '-'], { stdin: DOCKERFILE, stderr: ANY });
  expect(stderr.match(/^#\d+ pushing manifest for \S+@sha256:[0-9a-f]{64} done$/gm)).toHaveLength(3);
  for (const name of names) {
    await skiff.run(['rmi', '-f', name], { stdout: ANY });
    await skiff.run(['pull', '-q', name], { stdout: ANY, stderr: ANY });
  }
});

test('what cannot be pushed is in the store all the same', async (cx) => {
  requires(cx, 'registry');
  const name = '127.0.0.1:1/app:x';
  const flags = ['-o', `type=registry,name=${name}`, '--iidfile', `${skiff.dir}/home/iid`];
  const { stderr } = await skiff.run([...build, ...flags, '-'], {
    stdin: DOCKERFILE,
    status: 1,
    stderr: ANY,
  });
  expect(stderr).toMatch(/^#\d+ ERROR: .*127\.0\.0\.1:1/m);
  await skiff.run(['image', 'exists', name]);
});

test('a push needs a name', async () => {
  await skiff.run([...build, '--push', '-'], {
    stdin: DOCKERFILE,
    status: 1,
    stderr: /^Error: tag is needed when pushing to registry\nHint: name the image/,
  });
});

test('--call check knows what is kept out of the context', async () => {
  const dir = skiff.makeDir('ignored');
  const files = { Dockerfile: '# check=experimental=all\nFROM a\nCOPY b /\n', '.dockerignore': 'b\n', b: '' };
  for (const [name, text] of Object.entries(files)) writeFileSync(`${dir}/${name}`, text);
  const { stdout } = await skiff.run(['build', '--call', 'check', dir], { status: 1, stdout: ANY });
  expect(stdout).toMatch(/^Check complete, 1 warning has been found!\n\nWARNING: CopyIgnoredFile - /);
});
