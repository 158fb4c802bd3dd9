// `skiff update` of containers that run: restart policies everywhere, limits as root, who has control groups on every host.
// Of containers that do not run: container-commands.cases.ts.

import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/accounts.ts';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const isRoot = process.geteuid?.() === 0;
const ordinary = sandbox({ sharedStore: true });
const root = isRoot ? sandbox({ user: ROOT }) : undefined;
const PATIENT = { timeout: 20_000 };

async function start(skiff: Engine, name: string, flags: readonly string[], script: string): Promise<string> {
  const words = ['run', '-d', '--name', name, '--network', 'none', ...flags, 'busybox', 'sh', '-c', script];
  return (await skiff.run(words, { stdout: /^[0-9a-f]{64}\n$/, stderr: /^/ })).stdout.trim();
}

async function ask(skiff: Engine, name: string, field: string): Promise<string> {
  return (await skiff.run(['inspect', '-f', `{{${field}}}`, name])).stdout.trim();
}

describe('--restart of one that runs', () => {
  test('to always: it comes back; to no: it does not', async (context) => {
    requires(context, 'busybox-image');
    await start(ordinary, 'web', [], 'while ! test -e /stop; do sleep 0.01; done; rm /stop; exit 3');
    await ordinary.run(['update', '--restart', 'always', 'web'], { stdout: 'web\n' });
    const first = await ask(ordinary, 'web', '.State.Pid');
    await ordinary.run(['exec', 'web', 'touch', '/stop']);
    await expect
      .poll(() => ask(ordinary, 'web', '.State.Pid'), PATIENT)
      .not.toMatch(new RegExp(`^(0|${first})$`));
    await ordinary.run(['update', '--restart', 'no', 'web'], { stdout: 'web\n' });
    await ordinary.run(['exec', 'web', 'touch', '/stop']);
    await ordinary.run(['wait', 'web'], { stdout: '3\n' });
    await expect.poll(() => ask(ordinary, 'web', '.State.Status'), PATIENT).toBe('exited');
    // What a start reads is config.json.
    await ordinary.run(['start', 'web'], { stdout: 'web\n' });
    expect(await ask(ordinary, 'web', '.HostConfig.RestartPolicy.Name')).toBe('no');
    await ordinary.run(['rm', '-f', 'web'], { stdout: 'web\n' });
  });

  test('while it waits to be started again', async (context) => {
    requires(context, 'busybox-image');
    await start(ordinary, 'loop', ['--restart', 'always'], 'exit 4');
    await expect.poll(() => ask(ordinary, 'loop', '.RestartCount'), PATIENT).toBe('4'); // a wait of seconds
    await ordinary.run(['update', '--restart', 'on-failure:2', 'loop'], { stdout: 'loop\n' });
    await expect.poll(() => ask(ordinary, 'loop', '.State.Status'), PATIENT).toBe('exited');
    await ordinary.run(['rm', 'loop'], { stdout: 'loop\n' });
  });

  test.for([
    [['--rm'], 'always', /restart policy cannot be updated because AutoRemove is enabled/],
    [['--rm'], 'no', /AutoRemove/],
  ] as const)('%j to %s is refused', async ([flags, policy, stderr], context) => {
    requires(context, 'busybox-image');
    await start(ordinary, 'brief', flags, 'sleep 1000');
    await ordinary.run(['update', '--restart', policy, 'brief'], { status: 1, stdout: '', stderr });
    await ordinary.run(['rm', '-f', 'brief'], { stdout: 'brief\n' });
  });
});

test('limits of one that runs without a control group are refused', async (context) => {
  requires(context, 'busybox-image');
  const id = await start(ordinary, 'alone', [], 'sleep 1000');
  const hasGroup = existsSync(`${ordinary.store}/containers/${id}/cgroup`);
  await ordinary.run(
    ['update', '--pids-limit', '20', 'alone'],
    hasGroup
      ? { stdout: 'alone\n' }
      : {
          status: 1,
          stdout: '',
          stderr:
            /^Error: updating container "alone": --pids-limit: it runs without a control group[^\n]*\nHint: /,
        },
  );
  expect(await ask(ordinary, 'alone', '.HostConfig.PidsLimit')).toBe(hasGroup ? '20' : '<no value>');
  await ordinary.run(['rm', '-f', 'alone'], { stdout: 'alone\n' });
});

describe('limits, as root', () => {
  const skiff = root as Engine;
  let id = '';

  beforeAll(async () => {
    if (root === undefined) return;
    await skiff.run(['load', '-q', '-i', world().fixtures.busyboxDockerArchive ?? ''], { stdout: /./ });
    id = await start(skiff, 'web', ['-m', '64m'], 'sleep 1000');
    const dd = ['dd', 'if=/dev/zero', 'of=/dev/shm/x', 'bs=1M', 'count=20'];
    await skiff.run(['exec', 'web', ...dd], { stderr: /20\+0 records out/ });
  });

  afterAll(async () => {
    await root?.run(['rm', '-fa'], { stdout: /^/ });
  });

  /** What the kernel has, in the words of whichever version of cgroup. */
  function limit(v1: string, v2: string): string {
    const record = readFileSync(`${skiff.store}/containers/${id}/cgroup`, 'utf8');
    const controller = v1.split('.')[0] as string;
    const dir = new RegExp(`^(?:path|${controller})=(.*)$`, 'm').exec(record)?.[1] as string;
    return readFileSync(`${dir}/${record.startsWith('version=2') ? v2 : v1}`, 'utf8').trim();
  }

  test('count at once, and are shown', async (context) => {
    requires(context, 'root');
    const words = ['-m', '256m', '--cpus', '0.5', '--pids-limit', '50', '--memory-reservation', '8m'];
    await skiff.run(['update', ...words, 'web'], { stdout: 'web\n' });
    expect(limit('memory.limit_in_bytes', 'memory.max')).toBe(String(256 * 2 ** 20));
    expect(limit('pids.max', 'pids.max')).toBe('50');
    expect(limit('cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000/);
    await skiff.run(['stats', '--no-stream', '--format', '{{.MemUsage}}', 'web'], {
      stdout: /^2\d\.?\d*MiB \/ 256MiB\n$/,
    });
    const { stdout } = await skiff.run(['inspect', '-f', '{{json .HostConfig}}', 'web']);
    expect(JSON.parse(stdout)).toMatchObject({
      Memory: 256 * 2 ** 20,
      MemorySwap: 512 * 2 ** 20,
      MemoryReservation: 8 * 2 ** 20,
      NanoCpus: 5e8,
      PidsLimit: 50,
    });
    await skiff.run(['update', '-m', '128m', 'web'], { stdout: 'web\n' });
    expect(limit('memory.limit_in_bytes', 'memory.max')).toBe(String(128 * 2 ** 20));
  });

  test('less memory than it uses: nothing is changed', async (context) => {
    requires(context, 'root');
    await skiff.run(['update', '-m', '10m', '--pids-limit', '7', 'web'], {
      status: 1,
      stdout: '',
      stderr:
        /^Error: updating container "web": --memory: 10 MiB are less than it needs right now: it uses [^\n]*\n$/,
    });
    expect(limit('memory.limit_in_bytes', 'memory.max')).toBe(String(128 * 2 ** 20));
    expect(limit('pids.max', 'pids.max')).toBe('50');
    expect(await ask(skiff, 'web', '.HostConfig.PidsLimit')).toBe('50');
  });

  test('of a paused one, and after a restart', async (context) => {
    requires(context, 'root');
    await skiff.run(['pause', 'web'], { stdout: 'web\n' });
    await skiff.run(['update', '--pids-limit', '60', 'web'], { stdout: 'web\n' });
    expect(limit('pids.max', 'pids.max')).toBe('60');
    await skiff.run(['restart', '-t', '0', 'web'], { stdout: 'web\n' });
    expect(limit('pids.max', 'pids.max')).toBe('60');
  });

  test('several, one of which is not there', async (context) => {
    requires(context, 'root');
    await skiff.run(['update', '--pids-limit', '70', 'nope', 'web'], {
      status: 1,
      stdout: 'web\n',
      stderr: /^Error: no such container: nope\n/,
    });
    expect(limit('pids.max', 'pids.max')).toBe('70');
  });
});
