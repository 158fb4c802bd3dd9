// What stays in memory while a foreground container waits.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isRoot } from '../test/helpers/accounts.ts';
import { processesOf } from '../test/helpers/leaks.ts';
import type { Bench } from './peers.ts';
import type { WaitingMemory } from './report.ts';

const LIMIT_KIB = 2048;

/** Starts `cat` in a container on the default network, looks at our processes while it waits, and ends it. */
export async function waitingMemory({ user, env }: Bench, binary: string): Promise<WaitingMemory> {
  const before = new Set(processesOf(user).map(({ key }) => key));
  const ids = isRoot() ? { uid: user.uid, gid: user.gid } : {};
  const args = ['run', '--rm', '-i', 'busybox', 'sh', '-c', 'echo ready; exec cat'];
  const child = spawn(binary, args, { env, cwd: '/', stdio: ['pipe', 'pipe', 'inherit'], ...ids });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', (status) =>
      reject(new Error(`skiff ended with ${status} before the container was ready`)),
    );
  });
  const ours = processesOf(user).filter(({ key }) => !before.has(key));
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const others = ours
    .filter(
      ({ pid, command }) =>
        pid !== child.pid && command !== 'cat' && !/^\S*(pasta|slirp4netns)/.test(command),
    )
    .map(({ pid, command }) => `${pid} ${command}`);
  child.stdin.end();
  await new Promise((resolve) => child.once('close', resolve));
  return { helperRssKiB: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? NaN), limitKiB: LIMIT_KIB, others };
}
