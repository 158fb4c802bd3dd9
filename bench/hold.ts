// Containers that run while something is measured in them.

import { spawn } from 'node:child_process';
import { isRoot } from '../test/helpers/accounts.ts';
import type { Bench } from './peers.ts';

/** Starts `words run … cat` as the user of the bench, waits until it runs; the result ends it and waits for that. */
export async function holdContainer(
  { user, env }: Bench,
  words: readonly string[],
  name: string,
): Promise<() => Promise<void>> {
  const [program = '', ...first] = words;
  const run = ['run', '--rm', '-i', '--name', name, '--network', 'none', 'busybox'];
  const child = spawn(program, [...first, ...run, 'sh', '-c', 'echo ready; exec cat'], {
    env,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(isRoot() ? { uid: user.uid, gid: user.gid } : {}),
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', (status) =>
      reject(new Error(`${program} run ended with ${status} before it was ready`)),
    );
  });
  return async () => {
    child.stdin.end();
    await closed;
  };
}
