// Many containers at once: no lock between them, no error, nothing left.

import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { storeLeftovers } from '../helpers/leaks.ts';

const skiff = sandbox({ sharedStore: true });

async function atOnce(count: number, args: (i: number) => string[]): Promise<void> {
  const running = Array.from({ length: count }, (_, i) => skiff.start(args(i)));
  const results = await Promise.all(running.map(({ result }) => result));
  results.forEach((result, i) => expect(result).toMatchObject({ status: 0, stdout: `${i}\n`, stderr: '' }));
}

test('20 runs without a network', async () => {
  await atOnce(20, (i) => ['run', '--rm', '--network', 'none', 'busybox', 'echo', String(i)]);
});

test('20 runs on the default network', async (context) => {
  requires(context, 'tun');
  await atOnce(20, (i) => ['run', '--rm', 'busybox', 'echo', String(i)]);
});

test('20 runs that stay, listed while more start, removed at once', async () => {
  const lists = Array.from({ length: 5 }, () => skiff.start(['ps', '-a']).result);
  await atOnce(20, (i) => ['run', '--name', `par${i}`, '--network', 'none', 'busybox', 'echo', String(i)]);
  for (const list of await Promise.all(lists)) expect(list).toMatchObject({ status: 0, stderr: '' });
  const names = Array.from({ length: 20 }, (_, i) => `par${i}`);
  const removed = await Promise.all(names.map((name) => skiff.start(['rm', name]).result));
  expect(removed.map(({ stdout }) => stdout)).toEqual(names.map((name) => `${name}\n`));
  expect(storeLeftovers(skiff.store)).toEqual([]);
});
