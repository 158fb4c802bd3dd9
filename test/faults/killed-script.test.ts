// A CI job is a script that calls skiff. When it is killed so that nothing of it can clean up, its containers end with it.

import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isRoot } from '../helpers/accounts.ts';
import { sandbox } from '../helpers/engine.ts';
import { shellQuote } from '../helpers/exec.ts';
import { processesOf, storeLeftovers } from '../helpers/leaks.ts';
import { requires } from '../helpers/requires.ts';

const skiff = sandbox({ sharedStore: true });

/** Pids of the user, without zombies that wait for whoever has inherited them. */
const alive = (): number[] => processesOf(skiff.user).map(({ pid }) => pid);

test.for([
  ['without a network', ['--network', 'none']],
  ['on the default network', []],
] as const)('SIGKILL to the script: %s', async ([, network], context) => {
  if (network.length === 0) requires(context, 'tun');
  const before = alive();
  const container = (...words: string[]): string =>
    shellQuote(skiff.words(['run', '--rm', ...network, ...words, 'busybox', 'sleep', '100000']));
  // Changes its ids, and so is nobody's child by the time the script is killed.
  const loose = ['busybox', 'sh', '-c', 'exec su -s /bin/sh nobody -c "exec sleep 100000"'];
  const script = [
    `${container('--name', 'front')} &`,
    `${shellQuote(skiff.words(['run', '--rm', ...network, '--name', 'loose', ...loose]))} &`,
    container('-d', '--scope', 'job', '--name', 'job'),
    'wait',
  ].join('\n');
  const shell = spawn('/bin/sh', ['-c', script], {
    env: skiff.env,
    cwd: '/',
    stdio: 'ignore',
    ...(isRoot() ? { uid: skiff.user.uid, gid: skiff.user.gid } : {}),
  });
  await expect
    .poll(async () => (await skiff.run(['ps', '--format', '{{.Names}}'])).stdout.split('\n').sort(), {
      timeout: 30_000,
    })
    .toEqual(['', 'front', 'job', 'loose']);
  await sleep(50);

  shell.kill('SIGKILL');
  // Within a second on a machine that has time; the limit is for one that has not.
  await expect.poll(() => alive().filter((pid) => !before.includes(pid)), { timeout: 10_000 }).toEqual([]);
  await skiff.run(['ps', '-aq'], { stdout: '' });
  expect(storeLeftovers(skiff.store)).toEqual([]);
});
