// This repository as a project like any other: built in a container, checked in one, and what comes of it runs here.

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ANY, sandbox, type Engine } from '../helpers/engine.ts';
import { exec, execAny } from '../helpers/exec.ts';
import { REPOSITORY } from '../helpers/world.ts';
import { makeNodeImage, npmSecrets } from './helpers/node.ts';
import { LONG, proxies } from './helpers/real.ts';

const skiff = sandbox();
const DOCKERFILE = `${REPOSITORY}/test/real/self/Dockerfile`;

/** A folder with the files of HEAD. */
async function archive(engine: Engine): Promise<string> {
  const dir = engine.makeDir('source');
  await exec('sh', ['-c', `git -C ${REPOSITORY} archive HEAD | tar -x -C ${dir}`]);
  await exec('cp', [DOCKERFILE, `${engine.dir}/Dockerfile`]);
  await exec('chmod', ['-R', 'u=rwX,go=rX', dir, `${engine.dir}/Dockerfile`]);
  return dir;
}

test('skiff builds itself, checks itself, and runs', async (cx) => {
  if (!existsSync(`${REPOSITORY}/.git`)) cx.skip('not a checkout');
  await makeNodeImage(cx, skiff);
  const secrets = await npmSecrets(skiff);
  const dir = await archive(skiff);
  const build = async (...flags: string[]): Promise<string> => {
    const { stderr } = await skiff.run(
      ['build', '--progress', 'plain', '-f', `${skiff.dir}/Dockerfile`, ...secrets, ...flags, dir],
      { stdout: ANY, stderr: ANY, env: proxies(), timeoutMs: LONG },
    );
    return stderr;
  };

  const progress = await build('--target', 'check', '-t', 'skiff:check');
  expect(progress).toMatch(/=== hot-path: ok/);

  const out = `${skiff.dir}/out`;
  await build('-o', `type=local,dest=${out}`);
  const { status, stdout } = await execAny(`${out}/skiff`, ['version', '--format', '{{.Client.Version}}']);
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});
