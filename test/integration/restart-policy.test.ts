// Restart policies as docker has them: all policies of one cause at once, each in a container of its own.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Health } from '../../src/container/health.ts';
import { sandbox } from '../helpers/engine.ts';
import { storeLeftovers } from '../helpers/leaks.ts';
import { CAUSES, type Cause, type Outcome } from './restart-policy.cases.ts';

const skiff = sandbox({ sharedStore: true });
const LONG = 30_000;
const ID = /^[0-9a-f]{64}\n$/;

async function outcome(name: string, expected: Outcome): Promise<Outcome> {
  const fields = '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} {{json .State.Health}}';
  const { stdout } = await skiff.run(['inspect', '-f', fields, name]);
  const [status = '', restarts, exitCode, ...rest] = stdout.trim().split(' ');
  const health = JSON.parse(rest.join(' ')) as Pick<Health, 'Status'> | null;
  return {
    status: status as Outcome['status'],
    restarts: Number(restarts),
    ...(expected.exitCode === undefined ? {} : { exitCode: Number(exitCode) }),
    ...(expected.health === undefined ? {} : { health: health?.Status ?? 'none' }),
  };
}

async function killInit(name: string): Promise<void> {
  const { stdout } = await skiff.run(['inspect', '-f', '{{.Id}}', name]);
  process.kill(
    Number(readFileSync(`${skiff.store}/containers/${stdout.trim()}/pid`, 'utf8').split(' ')[0]),
    'SIGKILL',
  );
}

async function meet(name: string, what: Cause['then']): Promise<void> {
  const simple = { stdout: `${name}\n` };
  switch (what) {
    case undefined:
      break;
    case 'init is killed':
      await killInit(name);
      break;
    case 'stop':
    case 'kill':
    case 'restart':
      await skiff.run([what, name], simple);
      break;
    case 'kill -s HUP':
      await skiff.run(['kill', '-s', 'HUP', name], simple);
      break;
    case 'stop, start, init is killed':
      await expect.poll(() => outcome(name, RUNNING), { timeout: LONG }).toEqual({ ...RUNNING, restarts: 2 });
      await skiff.run(['stop', name], simple);
      expect(await outcome(name, RUNNING)).toEqual({ status: 'exited', restarts: 2 });
      await skiff.run(['start', name], simple);
      expect(await outcome(name, RUNNING)).toEqual(RUNNING);
      await killInit(name);
  }
}

const RUNNING: Outcome = { status: 'running', restarts: 0 };

test.each(CAUSES)('$name', { timeout: 120_000 }, async ({ script, flags = [], then, outcomes }) => {
  const rows = Object.entries(outcomes).map(([policy, expected], i) => ({ name: `p${i}`, policy, expected }));
  await Promise.all(
    rows.map(async ({ name, policy }) => {
      const restart = policy === '' ? [] : ['--restart', policy];
      const words = ['run', '-d', '--name', name, '--network', 'none', ...restart, ...flags];
      await skiff.run([...words, 'busybox', 'sh', '-c', `echo run >>/runs; ${script}`], { stdout: ID });
      await meet(name, then);
    }),
  );
  for (const { name, policy, expected } of rows)
    await expect
      .poll(async () => ({ policy, ...(await outcome(name, expected)) }), { timeout: LONG })
      .toEqual({ policy, ...expected });
  const names = rows.map(({ name }) => name);
  await skiff.run(['rm', '-f', ...names], { stdout: names.map((name) => `${name}\n`).join('') });
  expect(storeLeftovers(skiff.store)).toEqual([]);
});

test('every row ran', () => {
  expect(CAUSES.map(({ outcomes }) => Object.keys(outcomes).length)).toEqual([
    6, 7, 5, 4, 4, 4, 4, 3, 2, 5, 4, 1, 4,
  ]);
});
