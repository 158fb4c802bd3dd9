// The binary alone: no store, no HOME, no writable or trustworthy /tmp, from any folder.

import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { readdirSync } from 'node:fs';

const skiff = sandbox();

test('--version prints one line and touches nothing', async () => {
  await skiff.run(['--version'], { stdout: /^skiff version \d+\.\d+\.\d+\n$/ });
  expect(readdirSync(skiff.dir).sort()).toEqual(['home', 'run']);
  expect(readdirSync(`${skiff.dir}/home`)).toEqual([]);
});

test('an unknown command is a usage error that names the nearest one', async () => {
  await skiff.run(['rum'], { status: 125, stdout: '', stderr: /"rum"/ });
});

test('buildx version is a line of the form that tools read, and says whose it is', async () => {
  await skiff.run(['buildx', 'version'], {
    stdout: /^github\.com\/docker\/buildx v\d+\.\d+\.\d+\+skiff\.\d+\.\d+\.\d+( [0-9a-f]{7,40})?\n$/,
  });
});
