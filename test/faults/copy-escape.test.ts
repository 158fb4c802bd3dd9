// A container that changes its files while they are copied, exported or committed: whatever it does, nothing of the host is
// read or written.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';

const skiff = sandbox({ sharedStore: true });
const ROUNDS = 25;

test('a directory that is swapped for a link to the host’s folder', async (context) => {
  requires(context, 'busybox-image');
  const victim = skiff.makeDir('victim', 0o777);
  writeFileSync(`${victim}/secret`, 'of the host');
  const out = skiff.makeDir('out');
  const input = skiff.makeDir('in');
  writeFileSync(`${input}/planted`, 'x', { mode: 0o644 });
  // /w/d is now a directory, now a link to the host's folder, which the container cannot see.
  const script = [
    'mkdir -p /w/real/sub; echo "of the container" > /w/real/secret; cp /w/real/secret /w/real/sub/',
    `ln -s ${victim} /w/link; mv /w/real /w/d; echo ready`,
    'while :; do usleep 4000; mv /w/d /w/real; mv /w/link /w/d; mv /w/d /w/link; mv /w/real /w/d; done',
  ].join('\n');
  const live = skiff.start(
    ['run', '--rm', '--network', 'none', '--name', 'swapper', 'busybox', 'sh', '-c', script],
    { timeoutMs: 110_000 },
  );
  await live.waitForStdout(/ready/);
  const any = { status: null, stdout: /^/, stderr: /^/ } as const;
  let copied = 0;
  for (let i = 0; i < ROUNDS || (copied === 0 && i < 4 * ROUNDS); i++) {
    const one = await skiff.run(['cp', 'swapper:/w/d/secret', `${out}/file${i}`], any);
    await skiff.run(['cp', 'swapper:/w', `${out}/tree${i}`], any);
    await skiff.run(['cp', '-L', 'swapper:/w/d', `${out}/followed${i}`], any);
    await skiff.run(['cp', `${input}/.`, 'swapper:/w/d'], any);
    await skiff.run(['cp', `${input}/planted`, 'swapper:/w/d/new'], any);
    if (one.status === 0) copied++;
  }
  const { stdoutBytes } = await skiff.run(['export', 'swapper'], any);
  await skiff.run(['rm', '-fv', 'swapper'], { stdout: 'swapper\n' });
  await live.result;
  expect(readdirSync(victim)).toEqual(['secret']);
  expect(readFileSync(`${victim}/secret`, 'utf8')).toBe('of the host');
  expect(stdoutBytes.includes('of the host')).toBe(false);
  expect(contents(out).filter((text) => text.includes('of the host'))).toEqual([]);
  // The test has met both states: some copies came through.
  expect(copied).toBeGreaterThan(0);
});

/** Of all files below, links not followed. */
function contents(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8'));
}
