// Many idle containers at once: they start in parallel without an error, cost one small process of ours each, and go
// without a trace. SKIFF_MANY=200 is the long form.

import { readFileSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { processesOf, storeLeftovers } from '../helpers/leaks.ts';
import { requires } from '../helpers/requires.ts';

const skiff = sandbox({ sharedStore: true });
const MANY = Number(process.env['SKIFF_MANY'] ?? 40);
const LIMIT_KIB = 2048;
const names = Array.from({ length: MANY }, (_, i) => `many${i}`);

/** Resident memory of each process of ours that keeps a container, KiB. */
function keepers(): number[] {
  return processesOf(skiff.user).flatMap(({ pid }) => {
    try {
      if (!readlinkSync(`/proc/${pid}/exe`).startsWith('/memfd:skiff-helper')) return [];
      return [Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])];
    } catch {
      return []; // gone, or a zombie
    }
  });
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

test.for([
  ['without a network', ['--network', 'none']],
  ['on the default network', []],
] as const)(`${MANY} containers %s`, { timeout: 60_000 + MANY * 3000 }, async ([, network], context) => {
  if (network.length === 0) requires(context, 'tun');
  const before = keepers().length;
  const timeoutMs = 60_000 + MANY * 1000;
  const started = names.map((name) =>
    skiff.start(['run', '-d', '--name', name, ...network, 'busybox', 'sleep', '100000'], { timeoutMs }),
  );
  for (const { result } of started) expect(await result).toMatchObject({ status: 0, stderr: '' });

  const found = lines((await skiff.run(['ps', '--format', '{{.Names}} {{.State}}'])).stdout);
  expect(found.sort()).toEqual(names.map((name) => `${name} running`).sort());

  const memory = keepers();
  expect(memory.length - before).toBe(MANY);
  expect(Math.max(...memory)).toBeLessThanOrEqual(LIMIT_KIB);
  console.log(`${MANY} containers: at most ${Math.max(...memory)} KiB a keeper`);

  const stopped = await skiff.run(['stop', '--time', '20', ...names], { timeoutMs });
  expect(lines(stopped.stdout)).toEqual(names);
  await skiff.run(['ps', '-q'], { stdout: '' });
  const removed = await skiff.run(['rm', ...names], { timeoutMs });
  expect(lines(removed.stdout)).toEqual(names);
  expect(storeLeftovers(skiff.store)).toEqual([]);
  await expect.poll(() => keepers().length, { timeout: 10_000 }).toBe(before);
});
