// pause and unpause, and what every other command does with a container that is paused. As root, who has control groups
// on every host; the ordinary user may have none, and is told so.

import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/accounts.ts';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const isRoot = process.geteuid?.() === 0;
const ordinary = sandbox({ sharedStore: true });
const root = isRoot ? sandbox({ user: ROOT }) : undefined;
/** The disk may be busy with what a commit has written. */
const PATIENT = { timeout: 20_000 };
/** Has something new in /n all the time. */
const COUNTER = 'i=0; while :; do i=$((i+1)); echo $i >/n; done';

async function startCounter(skiff: Engine, name: string, flags: readonly string[] = []): Promise<string> {
  const words = ['run', '-d', '--name', name, '--network', 'none', ...flags, 'busybox', 'sh', '-c', COUNTER];
  return (await skiff.run(words, { stdout: /^[0-9a-f]{64}\n$/ })).stdout.trim();
}

function count(skiff: Engine, id: string): string {
  const path = `${skiff.store}/containers/${id}/upper/n`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

async function goesOn(skiff: Engine, id: string): Promise<void> {
  const before = count(skiff, id);
  await expect.poll(() => count(skiff, id), PATIENT).not.toBe(before);
}

/** Nobody may have asked for its exit status yet. */
function isRunning(pid = 0): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
}

test('without a control group it is refused, and says so', async (context) => {
  requires(context, 'busybox-image');
  const id = await startCounter(ordinary, 'alone');
  const hasGroup = existsSync(`${ordinary.store}/containers/${id}/cgroup`);
  await ordinary.run(
    ['pause', 'alone'],
    hasGroup
      ? { stdout: 'alone\n' }
      : {
          status: 1,
          stdout: '',
          stderr:
            /^Error: cannot pause container: alone: it has no control group that could be frozen\nHint: /,
        },
  );
  await ordinary.run(['rm', '-f', 'alone'], { stdout: 'alone\n' });
});

describe('as root', () => {
  const skiff = root as Engine;
  let id = '';

  beforeAll(async () => {
    if (root === undefined) return;
    await skiff.run(['load', '-q', '-i', world().fixtures.busyboxDockerArchive ?? ''], { stdout: /./ });
    id = await startCounter(skiff, 'web');
  });

  afterAll(async () => {
    await root?.run(['rm', '-fa'], { stdout: /^/ });
    await root?.run(['system', 'prune', '-f'], { stdout: /^/ }); // of a commit that is killed
  });

  test('nothing runs any more, and everybody is told', async (context) => {
    requires(context, 'root');
    await goesOn(skiff, id);
    await skiff.run(['pause', 'web'], { stdout: 'web\n' });
    const seen = count(skiff, id);
    await skiff.run(['ps', '--format', '{{.State}}: {{.Status}}'], {
      stdout: /^paused: Up .* \(Paused\)\n$/,
    });
    await skiff.run(['ps', '-q', '--no-trunc', '--filter', 'status=paused'], { stdout: `${id}\n` });
    await skiff.run(['ps', '-q', '--filter', 'status=running'], { stdout: '' });
    await skiff.run(['inspect', '-f', '{{with .State}}{{.Status}} {{.Running}} {{.Paused}}{{end}}', 'web'], {
      stdout: 'paused true true\n',
    });
    await skiff.run(['wait', '--condition', 'paused', 'web'], { stdout: '-1\n' });
    await skiff.run(['top', '--format', '{{.CMD}}', 'web'], { stdout: /^sh -c / });
    await skiff.run(['stats', '--no-stream', '--format', '{{.CPUPerc}} {{.PIDs}}', 'web'], {
      stdout: /^0\.00% 1\n$/,
    });
    await skiff.run(['cp', 'web:/n', '-'], { stdout: /./ });
    await skiff.run(['logs', 'web'], { stdout: '' });
    expect(count(skiff, id)).toBe(seen);
  });

  test.for([
    [['pause', 'web'], /^Error: cannot pause container: web: container [0-9a-f]{64} is already paused\n/],
    [['exec', 'web', 'true'], /container [0-9a-f]{64} is paused, unpause the container before exec\n/],
    [['attach', 'web'], /^Error: You cannot attach to a paused container, unpause it first\n/],
    [['start', 'web'], /cannot start a paused container, try unpause instead\n/],
  ] as const)('%j is refused', async ([args, stderr], context) => {
    requires(context, 'root');
    await skiff.run(args, { status: 1, stdout: '', stderr });
  });

  test('rm without --force too', async (context) => {
    requires(context, 'root');
    await skiff.run(['rm', 'web'], { status: 2, stdout: '', stderr: /container is running/ });
  });

  test('it goes on where it was', async (context) => {
    requires(context, 'root');
    const seen = count(skiff, id);
    await skiff.run(['unpause', 'web'], { stdout: 'web\n' });
    await expect.poll(() => count(skiff, id), PATIENT).not.toBe(seen);
    await skiff.run(['unpause', 'web'], { status: 1, stdout: '', stderr: /is not paused\n/ });
    await skiff.run(['exec', 'web', 'true']);
  });

  test('--all: those that run, and those that are paused', async (context) => {
    requires(context, 'root');
    await skiff.run(['create', '--name', 'made', 'busybox', 'true'], { stdout: /./ });
    const other = await startCounter(skiff, 'db');
    await skiff.run(['pause', 'db'], { stdout: 'db\n' });
    await skiff.run(['pause', '--all'], { stdout: `${id}\n` });
    const { stdout } = await skiff.run(['unpause', '--all']);
    expect(stdout.trim().split('\n').sort()).toEqual([id, other].sort());
    await skiff.run(['unpause', '--all'], { stdout: '' });
    await skiff.run(['rm', '-f', 'db', 'made'], { stdout: 'db\nmade\n' });
  });

  test.for([
    [['stop', '-t', '30'], 'exited 143 false'],
    [['kill'], 'exited 137 false'],
    [['kill', '-s', 'TERM'], 'exited 143 false'],
    [['restart', '-t', '30'], 'running 0 false'],
  ] as const)('%j ends the pause', async ([words, state], context) => {
    requires(context, 'root');
    const script = 'trap "exit 143" TERM; while :; do sleep 0.01; done';
    await skiff.run(['run', '-d', '--name', 'p', '--network', 'none', 'busybox', 'sh', '-c', script], {
      stdout: /./,
    });
    await skiff.run(['pause', 'p'], { stdout: 'p\n' });
    await skiff.run([...words, 'p'], { stdout: 'p\n' });
    if (words[0] === 'kill') await skiff.run(['wait', 'p'], { stdout: /./ });
    await skiff.run(['inspect', '-f', '{{with .State}}{{.Status}} {{.ExitCode}} {{.Paused}}{{end}}', 'p'], {
      stdout: `${state}\n`,
    });
    await skiff.run(['rm', '-f', 'p'], { stdout: 'p\n' });
  });

  test.for([
    ['rm -f', []],
    ['rm -f of one with --rm', ['--rm']],
  ] as const)('%s', async ([, flags], context) => {
    requires(context, 'root');
    const p = await startCounter(skiff, 'p', flags);
    await skiff.run(['pause', 'p'], { stdout: 'p\n' });
    await skiff.run(['rm', '-f', 'p'], { stdout: 'p\n' });
    expect(existsSync(`${skiff.store}/containers/${p}`)).toBe(false);
  });

  test('its monitor is killed: the next command finishes both', async (context) => {
    requires(context, 'root');
    const p = await startCounter(skiff, 'p');
    await skiff.run(['pause', 'p'], { stdout: 'p\n' });
    const [init, , , monitor] = readFileSync(`${skiff.store}/containers/${p}/pid`, 'utf8')
      .split(' ')
      .map(Number);
    process.kill(monitor ?? 0, 'SIGKILL');
    await expect.poll(() => isRunning(monitor)).toBe(false);
    await skiff.run(['ps', '-a', '--format', '{{.Names}} {{.State}}', '--filter', 'name=^p$'], {
      stdout: 'p exited\n',
    });
    await skiff.run(['rm', 'p'], { stdout: 'p\n' });
    expect(isRunning(init)).toBe(false);
  });

  test('--timeout kills it all the same', async (context) => {
    requires(context, 'root');
    await startCounter(skiff, 'p', ['--timeout', '1']);
    await skiff.run(['pause', 'p'], { stdout: 'p\n' });
    await skiff.run(['wait', 'p'], { stdout: '137\n' });
    await skiff.run(['rm', 'p'], { stdout: 'p\n' });
  });

  describe('commit', () => {
    const states = async (commit: Promise<unknown>): Promise<Set<string>> => {
      const freezer = /^freezer=(.*)$/m.exec(
        readFileSync(`${skiff.store}/containers/${id}/cgroup`, 'utf8'),
      )?.[1];
      const seen = new Set<string>();
      let done = false;
      void commit.finally(() => (done = true)).catch(() => undefined);
      while (!done) {
        seen.add(readFileSync(`${String(freezer)}/freezer.state`, 'utf8').trim());
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return seen;
    };

    test('pauses it meanwhile', async (context) => {
      requires(context, 'root');
      const seen = await states(skiff.run(['commit', 'web', 'image'], { stdout: /^sha256:/ }));
      expect(seen).toContain('FROZEN');
      await goesOn(skiff, id);
    });

    test('--pause=false does not', async (context) => {
      requires(context, 'root');
      const seen = await states(
        skiff.run(['commit', '--pause=false', 'web', 'image'], { stdout: /^sha256:/ }),
      );
      expect([...seen]).toEqual(['THAWED']);
    });

    test('one that is paused stays so', async (context) => {
      requires(context, 'root');
      await skiff.run(['pause', 'web'], { stdout: 'web\n' });
      await skiff.run(['commit', 'web', 'image'], { stdout: /^sha256:/ });
      await skiff.run(['unpause', 'web'], { stdout: 'web\n' });
    });

    test('one that is killed leaves nobody paused', async (context) => {
      requires(context, 'root');
      await skiff.run(['exec', 'web', 'dd', 'if=/dev/urandom', 'of=/big', 'bs=1M', 'count=64'], {
        stderr: /^/,
      });
      const commit = skiff.start(['commit', 'web', 'image']);
      await expect
        .poll(async () => (await skiff.run(['ps', '-q', '--filter', 'status=paused'])).stdout, {
          ...PATIENT,
          interval: 5,
        })
        .not.toBe('');
      commit.child.kill('SIGKILL');
      await commit.result;
      await goesOn(skiff, id);
      await skiff.run(['ps', '-q', '--filter', 'status=paused'], { stdout: '' });
    });
  });
});
