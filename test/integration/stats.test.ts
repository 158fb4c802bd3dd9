// `skiff stats`: what containers use. As the ordinary user here, who may have no control groups, and as root.

import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/accounts.ts';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { requires, type Capability } from '../helpers/requires.ts';
import { withTerminal } from '../helpers/terminal.ts';
import { world } from '../helpers/world.ts';

const isRoot = process.geteuid?.() === 0;
const ordinary = sandbox({ sharedStore: true });
const root = isRoot ? sandbox({ user: ROOT }) : undefined;

const HEAD = /^CONTAINER ID   NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/m;

describe.each([
  ['ordinary user', 'busybox-image', ordinary],
  ['root', 'root', root],
] as [string, Capability, Engine | undefined][])('%s', (_title, capability, maybe) => {
  const skiff = maybe as Engine;

  beforeAll(async () => {
    if (maybe === undefined) return;
    if (skiff !== ordinary)
      await skiff.run(['load', '-q', '-i', world().fixtures.busyboxDockerArchive ?? ''], { stdout: /./ });
    const run = ['run', '-d', '--network', 'none'];
    await skiff.run([...run, '--name', 'idle', 'busybox', 'sh', '-c', 'sleep 1000 & sleep 1000'], {
      stdout: /./,
    });
    await skiff.run([...run, '--name', 'busy', 'busybox', 'sh', '-c', 'while :; do :; done'], {
      stdout: /./,
    });
    await skiff.run(['create', '--name', 'made', 'busybox', 'true'], { stdout: /./ });
  });

  afterAll(async () => {
    await maybe?.run(['rm', '-fa'], { stdout: /./ });
  });

  test('a table of those that run', async (context) => {
    requires(context, capability);
    const { stdout } = await skiff.run(['stats', '--no-stream'], { stdout: HEAD });
    const rows = stdout
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/^[0-9a-f]{12}   /, ''));
    expect(rows.sort()).toEqual([
      '',
      expect.stringMatching(/^busy +\d+\.\d\d% +\S+iB \/ \S+GiB +\d+\.\d\d% +0B \/ 0B +\S+B \/ \S+B +1$/),
      expect.stringMatching(/^idle +\d+\.\d\d% +\S+iB \/ \S+GiB +\d+\.\d\d% +0B \/ 0B +\S+B \/ \S+B +2$/),
    ]);
  });

  test('who works uses CPU time, who sleeps does not', async (context) => {
    requires(context, capability);
    const { stdout } = await skiff.run(['stats', '--no-stream', '--format', '{{.CPUPerc}}', 'busy', 'idle']);
    const [busy = NaN, idle = NaN] = stdout.split('\n').map(parseFloat);
    // On a busy host it may be little.
    expect(busy).toBeGreaterThan(idle + 0.5);
  });

  test('one that does not run has no figures', async (context) => {
    requires(context, capability);
    await skiff.run(['stats', '--no-stream', '--no-trunc', '--format', 'json', 'made'], {
      stdout:
        /^\{"BlockIO":"--","CPUPerc":"--","Container":"made","ID":"[0-9a-f]{64}","MemPerc":"--","MemUsage":"-- \/ --","Name":"made","NetIO":"--","PIDs":"--"\}\n$/,
    });
    const { stdout } = await skiff.run(['stats', '--no-stream', '-a', '--format', '{{.Name}}']);
    expect(stdout.trim().split('\n').sort()).toEqual(['busy', 'idle', 'made']);
  });
});

test('in a pipe: report after report, until it is interrupted or all of them are gone', async (context) => {
  requires(context, 'busybox-image');
  await ordinary.run(['run', '-d', '--name', 'passing', '--network', 'none', 'busybox', 'sleep', '1000'], {
    stdout: /./,
  });
  const words = ['stats', '--interval', '0.05', '--format', '{{.Name}} {{.PIDs}}'];
  const all = ordinary.start(words);
  const one = ordinary.start([...words, 'passing']);
  await Promise.all([all.waitForStdout(/^(passing 1\n){3}/), one.waitForStdout(/^(passing 1\n){3}/)]);
  await ordinary.run(['stop', '-t', '0', 'passing'], { stdout: 'passing\n' });
  await one.waitForStdout(/passing --\n/);
  await ordinary.run(['rm', 'passing'], { stdout: 'passing\n' });
  expect(await one.result).toMatchObject({
    status: 0,
    stderr: '',
    stdout: /* no codes */ expect.stringMatching(/^(passing (1|--)\n)+$/) as string,
  });
  await ordinary.run(['run', '-d', '--name', 'next', '--network', 'none', 'busybox', 'sleep', '1000'], {
    stdout: /./,
  });
  await all.waitForStdout(/^next 1$/m);
  all.child.kill('SIGINT');
  expect(await all.result).toMatchObject({ status: 'SIGINT', stderr: '' });
  await ordinary.run(['rm', '-f', 'next'], { stdout: 'next\n' });
});

test('on a terminal: each report in the place of the one before', async (context) => {
  requires(context, 'busybox-image');
  const terminal = withTerminal(ordinary, ['stats', '-i', '0.05']);
  await terminal.waitFor(/\x1b\[HCONTAINER ID[^\n]*\x1b\[K\r\n\x1b\[J\x1b\[HCONTAINER ID/);
  terminal.type('\x03');
  expect((await terminal.end).status).toBe(130);
});
