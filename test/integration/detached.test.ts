// Containers that live on: run -d, create and start, stop, restart policies, the monitor's life and death.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../helpers/accounts.ts';
import { ANY, sandbox } from '../helpers/engine.ts';
import { shellQuote } from '../helpers/exec.ts';
import { storeLeftovers } from '../helpers/leaks.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['--network', 'none'];
const detached = (name: string, ...more: string[]): string[] => [
  'run',
  '-d',
  '--name',
  name,
  ...none,
  ...more,
];
const ID = /^[0-9a-f]{64}\n$/;

/** `pid` of containers/<id>: init's pid, its start, when it was made, the monitor's pid, its start. */
async function processes(name: string): Promise<{ init: number; monitor: number; dir: string }> {
  const { stdout } = await skiff.run(['inspect', '-f', '{{.Id}}', name]);
  const dir = `${skiff.store}/containers/${stdout.trim()}`;
  const [init, , , monitor] = readFileSync(`${dir}/pid`, 'utf8').split(' ');
  return { init: Number(init), monitor: Number(monitor), dir };
}

async function status(name: string): Promise<string> {
  return (await skiff.run(['inspect', '-f', '{{.State.Status}}', name])).stdout.trim();
}

const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

describe('run -d', () => {
  test('prints the id, survives its caller, keeps a log, costs one process of at most 2 MB', async () => {
    const script = 'echo to out; echo to err >&2; exec sleep 1000';
    await skiff.run(detached('web', 'busybox', 'sh', '-c', script), { stdout: ID });
    const { init, monitor } = await processes('web');
    expect(readFileSync(`/proc/${init}/status`, 'utf8')).toContain(`PPid:\t${monitor}\n`);
    const status = readFileSync(`/proc/${monitor}/status`, 'utf8');
    expect(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1])).toBeLessThan(2048);
    await expect
      .poll(() => /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${monitor}/status`, 'utf8'))?.[1])
      .not.toBe(String(process.pid));
    await expect
      .poll(async () => (await skiff.run(['logs', 'web'], { stderr: /^/ })).stderr)
      .toBe('to err\n');
    await skiff.run(['logs', 'web'], { stdout: 'to out\n', stderr: 'to err\n' });
    await skiff.run(['stop', 'web'], { stdout: 'web\n' });
    expect(isAlive(monitor)).toBe(false);
    await skiff.run(['rm', 'web'], { stdout: 'web\n' });
  });

  test.each([
    ['a command that is not there', ['nosuch'], 127, /executable file not found/],
    ['a command that cannot be run', ['/etc'], 126, /is a directory/],
  ])('%s: the error and status of the foreground', async (_, command, expected, stderr) => {
    await skiff.run(detached('failing', 'busybox', ...command), { status: expected, stdout: ID, stderr });
    expect(await status('failing')).toBe('created');
    await skiff.run(['start', 'failing'], { status: expected, stdout: '', stderr });
    await skiff.run(['rm', 'failing'], { stdout: 'failing\n' });
  });

  test('what it did to its root directory stays over a restart', async () => {
    const script = 'stat -c %a:%u / && chmod 700 / && chown 5 / && sleep 1000';
    await skiff.run(detached('rooted', 'busybox', 'sh', '-c', script), { stdout: ID });
    await expect.poll(async () => (await skiff.run(['logs', 'rooted'])).stdout).toBe('755:0\n');
    await skiff.run(['restart', '-t', '0', 'rooted'], { stdout: 'rooted\n' });
    await expect.poll(async () => (await skiff.run(['logs', 'rooted'])).stdout).toBe('755:0\n700:5\n');
    await skiff.run(['rm', '-f', 'rooted'], { stdout: 'rooted\n' });
  });

  test('--rm: gone with its end, and wait tells the status all the same', async () => {
    await skiff.run(detached('brief', '--rm', 'busybox', 'sh', '-c', 'sleep 0.5; exit 9'), { stdout: ID });
    await skiff.run(['wait', 'brief'], { stdout: '9\n' });
    await expect.poll(() => storeLeftovers(skiff.store)).toEqual([]);
  });

  test('--rm after a rename: the new name is freed, the old one is not touched', async () => {
    await skiff.run(detached('first', '--rm', 'busybox', 'sleep', '1000'), { stdout: ID });
    await skiff.run(['rename', 'first', 'second']);
    await skiff.run(detached('first', 'busybox', 'sleep', '1000'), { stdout: ID });
    await skiff.run(['stop', 'second'], { stdout: 'second\n' });
    expect(await status('first')).toBe('running');
    await skiff.run(['rm', '-f', 'first'], { stdout: 'first\n' });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

describe('create and start', () => {
  test('a container is created, started, and started again with what it wrote', async () => {
    const script = 'echo run >>/runs; wc -l </runs';
    await skiff.run(['create', '--name', 'twice', ...none, 'busybox', 'sh', '-c', script], { stdout: ID });
    expect(await status('twice')).toBe('created');
    await skiff.run(['start', '-a', 'twice'], { stdout: '1\n' });
    await skiff.run(['start', 'twice'], { stdout: 'twice\n' });
    await skiff.run(['wait', 'twice'], { stdout: '0\n' });
    await skiff.run(['logs', 'twice'], { stdout: '1\n2\n' });
    await skiff.run(['rm', 'twice'], { stdout: 'twice\n' });
  });

  test('create --rm waits for its start, then goes', async () => {
    await skiff.run(['create', '--rm', '--name', 'once', ...none, 'busybox', 'echo', 'x'], { stdout: ID });
    await skiff.run(['ps', '-a', '--format', '{{.Names}} {{.Status}}'], { stdout: 'once Created\n' });
    await skiff.run(['start', '-a', 'once'], { stdout: 'x\n' });
    await expect.poll(() => storeLeftovers(skiff.store)).toEqual([]);
  });

  test('start -ai feeds stdin and ends with the status', async () => {
    await skiff.run(['create', '-i', '--name', 'fed', ...none, 'busybox', 'sh', '-c', 'cat; exit 5'], {
      stdout: ID,
    });
    await skiff.run(['start', '-ai', 'fed'], { stdin: 'input\n', stdout: 'input\n', status: 5 });
    await skiff.run(['rm', 'fed'], { stdout: 'fed\n' });
  });

  test('ten starts at once start it once', async () => {
    const script = 'echo run >>/runs; sleep 1000';
    await skiff.run(['create', '--name', 'raced', ...none, 'busybox', 'sh', '-c', script], { stdout: ID });
    await Promise.all(Array.from({ length: 10 }, () => skiff.run(['start', 'raced'], { stdout: 'raced\n' })));
    await skiff.run(['stop', 'raced'], { stdout: 'raced\n' });
    await skiff.run(['rm', 'raced'], { stdout: 'raced\n' });
  });

  test('start against rm: one wins, and the other says why not', async () => {
    for (let i = 0; i < 5; i++) {
      await skiff.run(['create', '--name', 'torn', ...none, 'busybox', 'sleep', '1000'], { stdout: ID });
      const [start, rm] = await Promise.all([
        skiff.run(['start', 'torn'], { status: null, stderr: /^/ }),
        skiff.run(['rm', 'torn'], { status: null, stderr: /^/ }),
      ]);
      expect([start.status, rm.status].sort()).not.toEqual([1, 1]);
      if (start.status !== 0) expect(start.stderr).toMatch(/no such container/);
      if (rm.status !== 0) expect(rm.stderr).toMatch(/container is running/);
      if (rm.status !== 0) await skiff.run(['rm', '-f', 'torn'], { stdout: 'torn\n' });
    }
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

describe('stop', () => {
  test.each([
    ['-d', ['run', '-d']],
    ['--rm', ['run', '--rm']],
  ])('a signal that the shell had ignored for its background job arrives (%s)', async (_, flags) => {
    const command = [
      'busybox',
      'sh',
      '-c',
      "trap 'exit 5' INT; touch /tmp/ready; while :; do sleep 0.05; done",
    ];
    const words = skiff.words([...flags, '--name', 'deaf', ...none, ...command]);
    const shell = spawn('sh', ['-c', `trap '' INT; ${shellQuote(words)} >/dev/null 2>&1`], {
      env: skiff.env,
      stdio: 'ignore',
      ...(isRoot() ? { uid: skiff.user.uid, gid: skiff.user.gid } : {}),
    });
    const ended = new Promise((resolve) => shell.once('exit', resolve));
    const top = async (): Promise<string> =>
      (await skiff.run(['ps', '--format', '{{.Names}} {{.State}}'])).stdout;
    await expect.poll(top).toBe('deaf running\n');
    const { init } = await processes('deaf');
    await expect.poll(() => existsSync(`/proc/${init}/root/tmp/ready`)).toBe(true);
    await skiff.run(['kill', '-s', 'INT', 'deaf'], { stdout: 'deaf\n' });
    await skiff.run(['wait', 'deaf'], { status: null, stderr: /^/ });
    await ended;
    if (flags.includes('-d')) {
      await skiff.run(['wait', 'deaf'], { stdout: '5\n' });
      await skiff.run(['rm', 'deaf'], { stdout: 'deaf\n' });
    } else expect(shell.exitCode).toBe(5);
  });

  test('a command that ignores the signal is killed after the timeout', async () => {
    const script = "trap '' TERM; while :; do sleep 0.1; done";
    await skiff.run(detached('stubborn', 'busybox', 'sh', '-c', script), { stdout: ID });
    await skiff.run(['stop', '-t', '1', 'stubborn'], { stdout: 'stubborn\n' });
    await skiff.run(['wait', 'stubborn'], { stdout: '137\n' });
    await skiff.run(['rm', 'stubborn'], { stdout: 'stubborn\n' });
  });

  test('uses the stop signal of the container, or the one given', async () => {
    const script = "trap 'exit 21' USR1; trap 'exit 22' USR2; echo ready; while :; do sleep 0.05; done";
    await skiff.run(detached('polite', '--stop-signal', 'USR1', 'busybox', 'sh', '-c', script), {
      stdout: ID,
    });
    const ready = async (count: number) =>
      expect.poll(async () => (await skiff.run(['logs', 'polite'])).stdout).toBe('ready\n'.repeat(count));
    await ready(1);
    await skiff.run(['stop', 'polite'], { stdout: 'polite\n' });
    await skiff.run(['wait', 'polite'], { stdout: '21\n' });
    await skiff.run(['start', 'polite'], { stdout: 'polite\n' });
    await ready(2);
    await skiff.run(['stop', '-s', 'SIGUSR2', 'polite'], { stdout: 'polite\n' });
    await skiff.run(['wait', 'polite'], { stdout: '22\n' });
    await skiff.run(['rm', 'polite'], { stdout: 'polite\n' });
  });
});

describe('restart policies', () => {
  const count = async (name: string): Promise<number> =>
    Number((await skiff.run(['inspect', '-f', '{{.RestartCount}}', name])).stdout);

  test.each([
    ['no', 'exit 3', 0, 3],
    ['on-failure:2', 'exit 3', 2, 3],
    ['on-failure', 'exit 0', 0, 0],
  ])('%s with %s: started again %d times', async (policy, script, times, code) => {
    await skiff.run(detached('policy', '--restart', policy, 'busybox', 'sh', '-c', `echo x; ${script}`), {
      stdout: ID,
    });
    await expect.poll(() => status('policy'), { timeout: 10_000 }).toBe('exited');
    await skiff.run(['logs', 'policy'], { stdout: 'x\n'.repeat(times + 1) });
    expect(await count('policy')).toBe(times);
    await skiff.run(['wait', 'policy'], { stdout: `${code}\n` });
    await skiff.run(['rm', 'policy'], { stdout: 'policy\n' });
  });

  test.each(['always', 'unless-stopped'])('%s goes on until it is stopped, and shows it', async (policy) => {
    await skiff.run(detached('again', '--restart', policy, 'busybox', 'sh', '-c', 'exit 4'), { stdout: ID });
    await expect.poll(() => count('again'), { timeout: 10_000 }).toBeGreaterThan(1);
    await expect
      .poll(async () => (await skiff.run(['ps', '--format', '{{.Names}} {{.Status}}'])).stdout)
      .toMatch(/^again Restarting \(4\) /);
    // It may just be running, and then ends with the container.
    const attach = (): Promise<unknown> => skiff.run(['attach', 'again'], { status: null, stderr: ANY });
    await expect.poll(attach, { timeout: 10_000 }).toMatchObject({ status: 1, stderr: /restarting/ });
    await skiff.run(['stop', 'again'], { stdout: 'again\n' });
    expect(await status('again')).toBe('exited');
    await skiff.run(['start', 'again'], { stdout: 'again\n' });
    await skiff.run(['rm', '-f', 'again'], { stdout: 'again\n' });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('kill ends it as well, and a command that is killed otherwise comes back', async () => {
    await skiff.run(detached('back', '--restart', 'always', 'busybox', 'sleep', '1000'), { stdout: ID });
    const { init } = await processes('back');
    process.kill(init, 'SIGKILL');
    await expect.poll(() => count('back'), { timeout: 10_000 }).toBe(1);
    await expect.poll(async () => (await processes('back')).init, { timeout: 10_000 }).not.toBe(init);
    await expect.poll(() => status('back')).toBe('running');
    await skiff.run(['kill', 'back'], { stdout: 'back\n' });
    expect(await status('back')).toBe('exited');
    await skiff.run(['rm', 'back'], { stdout: 'back\n' });
  });
});

describe('scope and death', () => {
  test('--scope job: dies with the process that called skiff, --rm data and all', async () => {
    const words = skiff.words(detached('job', '--rm', '--scope', 'job', 'busybox', 'sleep', '1000'));
    const shell = spawn('sh', ['-c', `${shellQuote(words)}; exec sleep 1000`], {
      env: skiff.env,
      stdio: ['ignore', 'pipe', 'inherit'],
      ...(isRoot() ? { uid: skiff.user.uid, gid: skiff.user.gid } : {}),
    });
    await new Promise((resolve) => shell.stdout.once('data', resolve));
    const { init, monitor } = await processes('job');
    expect(isAlive(init)).toBe(true);
    shell.kill('SIGKILL');
    await expect.poll(() => isAlive(init) || isAlive(monitor), { timeout: 1000 }).toBe(false);
    await expect.poll(() => storeLeftovers(skiff.store)).toEqual([]);
  });

  test('a monitor that is killed takes its container along', async () => {
    await skiff.run(detached('orphan', 'busybox', 'sleep', '1000'), { stdout: ID });
    const { init, monitor } = await processes('orphan');
    process.kill(monitor, 'SIGKILL');
    await expect.poll(() => isAlive(init)).toBe(false);
    await skiff.run(['ps', '-a', '--format', '{{.Names}} {{.State}}'], { stdout: 'orphan exited\n' });
    await skiff.run(['wait', 'orphan'], { stdout: '137\n' });
    await skiff.run(['start', 'orphan'], { stdout: 'orphan\n' });
    await skiff.run(['rm', '-f', 'orphan'], { stdout: 'orphan\n' });
  });

  // su clears the signal that kills with the parent, by changing ids.
  const su = ['busybox', 'sh', '-c', 'exec su -s /bin/sh nobody -c "exec sleep 1000"'];
  test.each([
    ['start', ['start', 'loose'], 'loose\n'],
    ['rm', ['rm', 'loose'], 'loose\n'],
    ['stop', ['stop', 'loose'], 'loose\n'],
  ])('a container that outlives its monitor is killed by %s', async (_, command, stdout) => {
    await skiff.run(detached('loose', ...su), { stdout: ID });
    const { init, monitor } = await processes('loose');
    await expect.poll(() => readFileSync(`/proc/${init}/cmdline`, 'latin1')).toMatch(/^sleep/);
    process.kill(monitor, 'SIGKILL');
    await expect.poll(() => isAlive(monitor)).toBe(false);
    expect(isAlive(init)).toBe(true);
    await skiff.run(command, { stdout });
    expect(isAlive(init)).toBe(false);
    await skiff.run(['rm', '-f', 'loose'], { stdout: /^/ });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('a --rm container that outlives its monitor is killed by the sweep of ps', async () => {
    await skiff.run(detached('swept', '--rm', ...su), { stdout: ID });
    const { init, monitor, dir } = await processes('swept');
    await expect.poll(() => readFileSync(`/proc/${init}/cmdline`, 'latin1')).toMatch(/^sleep/);
    process.kill(monitor, 'SIGKILL');
    await expect.poll(() => isAlive(monitor)).toBe(false);
    await skiff.run(['ps', '-aq'], { stdout: '' });
    expect(isAlive(init)).toBe(false);
    expect(existsSync(dir)).toBe(false);
  });
});

test('container prune removes what does not run', async () => {
  await skiff.run(detached('kept', 'busybox', 'sleep', '1000'), { stdout: ID });
  await skiff.run(['create', '--name', 'new', '--label', 'a=b', ...none, 'busybox', 'true'], { stdout: ID });
  await skiff.run(['run', '--name', 'old', ...none, 'busybox', 'true']);
  await skiff.run(['container', 'prune'], { status: 125, stderr: /--force/ });
  await skiff.run(['container', 'prune', '-f', '--filter', 'label=a'], {
    stdout: /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: /,
  });
  await skiff.run(['ps', '-a', '--format', '{{.Names}}'], { stdout: 'old\nkept\n' });
  await skiff.run(['container', 'prune', '-f'], { stdout: /^Deleted Containers:\n[0-9a-f]{64}\n\n/ });
  await skiff.run(['ps', '-a', '--format', '{{.Names}}'], { stdout: 'kept\n' });
  await skiff.run(['rm', '-f', 'kept'], { stdout: 'kept\n' });
});
