// Health checks: run on schedule by whoever keeps the container, with nothing but skiff on the machine.

import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Health } from '../../src/container/health.ts';
import { ANY, sandbox } from '../helpers/engine.ts';
import { storeLeftovers } from '../helpers/leaks.ts';

const skiff = sandbox({ sharedStore: true });
const ID = /^[0-9a-f]{64}\n$/;
const LONG = 20_000;
const run = (name: string, ...more: string[]): string[] => [
  'run',
  '-d',
  '--name',
  name,
  '--network',
  'none',
  '--health-interval',
  '100ms',
  ...more,
];
const check = (name: string, command: string, ...more: string[]): string[] =>
  run(name, '--health-cmd', command, ...more);

async function health(name: string): Promise<Health> {
  const { stdout } = await skiff.run(['inspect', '-f', '{{json .State.Health}}', name]);
  return JSON.parse(stdout) as Health;
}

async function lastResult(name: string): Promise<Health['Log'][number] | undefined> {
  return (await health(name)).Log.at(-1);
}

const shown = async (name: string): Promise<string> =>
  (
    await skiff.run(['ps', '-a', '--filter', `name=^${name}$`, '--format', '{{.Status}}, {{.HealthStatus}}'])
  ).stdout.trim();

/** How many processes on this machine have `word` among their arguments. */
function processesWith(word: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(word);
    } catch {
      return false;
    }
  }).length;
}

/** A number of seconds nobody else sleeps. */
const uniqueSleep = (): string => String(100_000_000 + Math.floor(Math.random() * 900_000_000));

async function remove(...names: string[]): Promise<void> {
  await skiff.run(['rm', '-f', ...names], { stdout: names.map((name) => `${name}\n`).join('') });
  expect(storeLeftovers(skiff.store)).toEqual([]);
}

describe('on schedule', () => {
  test('starting, healthy, unhealthy, healthy, and starting again after a restart', async () => {
    const flags = [
      '--health-retries',
      '2',
      '--health-start-period',
      '1h',
      '--health-start-interval',
      '100ms',
    ];
    await skiff.run(check('web', 'cat /state', ...flags, 'busybox', 'sleep', '1000'), { stdout: ID });
    expect(await shown('web')).toMatch(/^Up .* \(health: starting\), starting$/);
    // In the start period failures are recorded, and nothing else.
    await expect.poll(async () => (await health('web')).Log.length, { timeout: LONG }).toBeGreaterThan(1);
    expect(await health('web')).toMatchObject({ Status: 'starting', FailingStreak: 0 });

    await skiff.run(['exec', 'web', 'sh', '-c', 'echo well >/state']);
    await skiff.run(['wait', '--condition', 'healthy', 'web'], { stdout: '-1\n' });
    expect(await shown('web')).toMatch(/^Up .* \(healthy\), healthy$/);
    expect(await lastResult('web')).toEqual({
      Start: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/) as string,
      End: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/) as string,
      ExitCode: 0,
      Output: 'well\n',
    });

    await skiff.run(['exec', 'web', 'rm', '/state']);
    await skiff.run(['wait', '--condition', 'unhealthy', 'web'], { stdout: '-1\n' });
    expect(await shown('web')).toMatch(/^Up .* \(unhealthy\), unhealthy$/);
    expect(await lastResult('web')).toMatchObject({
      ExitCode: 1,
      Output: "cat: can't open '/state': No such file or directory\n",
    });
    await expect.poll(async () => (await health('web')).Log.length, { timeout: LONG }).toBe(5);
    for (const [word, expected] of Object.entries({
      unhealthy: 'web\n',
      healthy: '',
      starting: '',
      none: '',
    }))
      await skiff.run(['ps', '--filter', `health=${word}`, '--format', '{{.Names}}'], { stdout: expected });

    await skiff.run(['exec', 'web', 'touch', '/state']);
    await skiff.run(['wait', '--condition', 'healthy', 'web'], { stdout: '-1\n' });
    await skiff.run(['exec', 'web', 'rm', '/state']);
    await skiff.run(['stop', '-t', '0', 'web'], { stdout: 'web\n' });
    expect(await shown('web')).toMatch(/^Exited .*, unhealthy$/);
    await skiff.run(['start', 'web'], { stdout: 'web\n' });
    await expect.poll(async () => (await health('web')).Log.length, { timeout: LONG }).toBeGreaterThan(1);
    expect(await health('web')).toMatchObject({ Status: 'starting', FailingStreak: 0 });
    const filters = ['--filter', 'container=web', '--filter', 'event=health_status'];
    await skiff.run(['events', '--since', '1h', '--until', '0s', ...filters, '--format', '{{.Action}}'], {
      stdout: ['healthy', 'unhealthy', 'healthy'].map((word) => `health_status: ${word}\n`).join(''),
    });
    await remove('web');
  });

  test('a foreground run with --rm is checked as well, and shows no sign of it', async () => {
    const words = ['run', '--rm', '--name', 'front', '--network', 'none', '--health-cmd', 'echo well'];
    const front = skiff.start(
      [...words, '--health-interval', '100ms', '-i', 'busybox', 'sh', '-c', 'echo up; read x; exit 4'],
      {
        keepStdin: true,
      },
    );
    await front.waitForStdout(/up/);
    await skiff.run(['wait', '--condition', 'healthy', 'front'], { stdout: '-1\n' });
    front.child.stdin?.end('x\n');
    expect(await front.result).toMatchObject({ status: 4, stdout: 'up\n', stderr: '' });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test("a probe has the container's user, environment, directory and rights", async () => {
    const probe = 'id -u; pwd; echo $A; grep -E "^(CapEff|Seccomp|NoNewPrivs)" /proc/self/status';
    const flags = ['-u', '5:6', '-w', '/tmp', '-e', 'A=b c', '--security-opt', 'no-new-privileges', '--init'];
    await skiff.run(check('same', probe, ...flags, 'busybox', 'sleep', '1000'), { stdout: ID });
    await skiff.run(['wait', '--condition', 'healthy', 'same'], { stdout: '-1\n' });
    const { stdout } = await skiff.run(['exec', 'same', 'sh', '-c', probe]);
    expect(stdout).toMatch(/^5\n\/tmp\nb c\n/);
    expect(await lastResult('same')).toMatchObject({ ExitCode: 0, Output: stdout });
    await remove('same');
  });

  test('without a check there is nothing to see', async () => {
    await skiff.run(['run', '-d', '--name', 'plain', '--network', 'none', 'busybox', 'sleep', '1000'], {
      stdout: ID,
    });
    expect(await health('plain')).toBeNull();
    expect(await shown('plain')).toMatch(/^Up [^()]*, none$/);
    await skiff.run(['ps', '--filter', 'health=none', '--format', '{{.Names}}'], { stdout: 'plain\n' });
    await skiff.run(['wait', '--condition', 'healthy', 'plain'], {
      status: 1,
      stdout: '',
      stderr: /^Error: waiting for container "plain": it has no health check\n/,
    });
    await skiff.run(['healthcheck', 'run', 'plain'], {
      status: 125,
      stderr: /"plain": it has no health check\n/,
    });
    await remove('plain');
  });
});

describe('the command', () => {
  test('one that takes too long is killed with what it has started', async () => {
    const [one, two] = [uniqueSleep(), uniqueSleep()];
    const probe = `echo begun; sleep ${one} & setsid -c true; sleep ${two}`;
    const flags = ['--health-timeout', '300ms', '--health-interval', '1h', '--health-start-period', '1h'];
    await skiff.run(
      check(
        'slow',
        probe,
        ...flags,
        '--health-start-interval',
        '10ms',
        '--health-retries',
        '1',
        'busybox',
        'sleep',
        '1000',
      ),
      { stdout: ID },
    );
    await expect
      .poll(() => lastResult('slow'), { timeout: LONG })
      .toMatchObject({
        ExitCode: -1,
        Output: 'Health check exceeded timeout (300ms): begun\n',
      });
    await skiff.run(['stop', '-t', '0', 'slow'], { stdout: 'slow\n' });
    expect([processesWith(one), processesWith(two)]).toEqual([0, 0]);
    await remove('slow');
  });

  test('its output is kept up to 4096 bytes, whatever they are', async () => {
    await skiff.run(
      check(
        'big',
        "printf '\\377\\000\"\\\\\\033'; yes",
        '--health-timeout',
        '300ms',
        'busybox',
        'sleep',
        '1000',
      ),
      {
        stdout: ID,
      },
    );
    const start = 'Health check exceeded timeout (300ms): \ufffd\u0000"\\\u001by\ny\n';
    await expect
      .poll(async () => (await lastResult('big'))?.Output.slice(0, start.length), { timeout: LONG })
      .toBe(start);
    const output = (await lastResult('big'))?.Output ?? '';
    expect(output).toHaveLength('Health check exceeded timeout (300ms): '.length + 4096 + '...'.length);
    expect(output.endsWith('y\n...') || output.endsWith('\ny...')).toBe(true);
    await remove('big');
  });

  test('one that cannot be executed, or is killed, is a failure', async () => {
    await Promise.all([
      skiff.run(check('nope', '["/nope"]', '--health-retries', '1', 'busybox', 'sleep', '1000'), {
        stdout: ID,
      }),
      skiff.run(check('shot', 'kill -9 $$', '--health-retries', '1', 'busybox', 'sleep', '1000'), {
        stdout: ID,
      }),
    ]);
    await skiff.run(['wait', '--condition', 'unhealthy', 'nope', 'shot'], { stdout: '-1\n-1\n' });
    expect(await lastResult('nope')).toMatchObject({
      ExitCode: -1,
      Output: 'starting "/nope": No such file or directory',
    });
    expect(await lastResult('shot')).toMatchObject({ ExitCode: 137, Output: '' });
    await remove('nope', 'shot');
  });

  test('healthcheck run asks once, whatever the schedule has found', async () => {
    const seconds = uniqueSleep();
    const probe = `if [ -e /slow ]; then sleep ${seconds}; fi; sleep 5 & echo out; echo err >&2; echo last; test -e /state`;
    await skiff.run(
      [
        'run',
        '-d',
        '--name',
        'asked',
        '--network',
        'none',
        '--health-cmd',
        probe,
        '--health-timeout',
        '1s',
        'busybox',
        'sleep',
        '1000',
      ],
      { stdout: ID },
    );
    await skiff.run(['healthcheck', 'run', 'asked'], {
      status: 1,
      stdout: 'unhealthy\n',
      stderr: 'out\nerr\nlast\n',
    });
    await skiff.run(['exec', 'asked', 'touch', '/state']);
    await skiff.run(['healthcheck', 'run', 'asked'], { stdout: '' });
    await skiff.run(['exec', 'asked', 'touch', '/slow']);
    await skiff.run(['healthcheck', 'run', 'asked'], {
      status: 1,
      stdout: 'unhealthy\n',
      stderr: 'Health check exceeded timeout (1s)\n',
    });
    await expect.poll(() => processesWith(seconds)).toBe(0);
    expect(await health('asked')).toEqual({ Status: 'starting', FailingStreak: 0, Log: [] });
    await skiff.run(['stop', '-t', '0', 'asked'], { stdout: 'asked\n' });
    await skiff.run(['healthcheck', 'run', 'asked'], { status: 125, stderr: /is not running\n/ });
    await skiff.run(['healthcheck', 'run', 'nobody'], { status: 125, stderr: /no such container: nobody\n/ });
    await remove('asked');
  });
});

describe('of the image', () => {
  test('HEALTHCHECK applies, flags override it, --no-healthcheck takes it away', async () => {
    await skiff.run(['create', '--name', 'base', '--network', 'none', 'busybox', 'sleep', '1000'], {
      stdout: ID,
    });
    const commit = (change: string, image: string): Promise<unknown> =>
      skiff.run(['commit', '-c', change, 'base', image], { stdout: /^sha256:/ });
    await commit('HEALTHCHECK --interval=100ms --retries=7 CMD ["echo", "a  b"]', 'listed');
    await commit('HEALTHCHECK --interval=100ms CMD echo $0 | cat', 'shelled');
    const start = (name: string, image: string, ...flags: string[]): Promise<unknown> =>
      skiff.run(['run', '-d', '--name', name, '--network', 'none', ...flags, image], { stdout: ID });
    await start('listed', 'listed');
    await start('shelled', 'shelled');
    await start('over', 'listed', '--health-cmd', 'exit 9', '--health-retries', '1');
    await start('off', 'listed', '--no-healthcheck');
    await skiff.run(['wait', '--condition', 'healthy', 'listed', 'shelled'], { stdout: '-1\n-1\n' });
    expect(await lastResult('listed')).toMatchObject({ Output: 'a  b\n' });
    expect(await lastResult('shelled')).toMatchObject({ Output: '/bin/sh\n' });
    await skiff.run(['wait', '--condition', 'unhealthy', 'over'], { stdout: '-1\n' });
    expect(await lastResult('over')).toMatchObject({ ExitCode: 9 });
    expect(await health('off')).toBeNull();
    const config = async (name: string): Promise<unknown> =>
      JSON.parse((await skiff.run(['inspect', '-f', '{{json .Config.Healthcheck}}', name])).stdout);
    expect(await config('listed')).toEqual({ Test: ['CMD', 'echo', 'a  b'], Interval: 1e8, Retries: 7 });
    expect(await config('over')).toEqual({ Test: ['CMD-SHELL', 'exit 9'], Interval: 1e8, Retries: 1 });
    expect(await config('off')).toEqual({ Test: ['NONE'] });
    await remove('listed', 'shelled', 'over', 'off', 'base');
    await skiff.run(['rmi', 'listed', 'shelled'], { stdout: /Deleted/ });
  });
});

describe('the end of the container', () => {
  test.each([
    ['kill', [], ['kill signal=9']],
    ['stop', ['--stop-timeout', '0'], ['kill signal=15', 'kill signal=9']],
  ])('--health-on-failure %s tells its signals', async (action, flags, kills) => {
    const name = `ill-${action}`;
    const words = ['--health-retries', '1', '--health-on-failure', action, ...flags];
    await skiff.run(
      check(name, 'false', ...words, 'busybox', 'sh', '-c', 'trap "" TERM; sleep 1000 & wait'),
      {
        stdout: ID,
      },
    );
    await skiff.run(['wait', name], { stdout: '137\n' });
    const filters = ['--filter', `container=${name}`, '--filter', 'event=kill'];
    await skiff.run(
      [
        'events',
        '--since',
        '1h',
        '--until',
        '0s',
        ...filters,
        '--format',
        '{{.Action}} signal={{.Actor.Attributes.signal}}',
      ],
      { stdout: kills.map((line) => `${line}\n`).join('') },
    );
    await remove(name);
  });

  test('ends a wait for its health', async () => {
    await skiff.run(check('brief', 'false', '--rm', 'busybox', 'sh', '-c', 'sleep 1; exit 6'), {
      stdout: ID,
    });
    await skiff.run(['wait', '--condition', 'healthy', 'brief'], {
      status: 1,
      stdout: '',
      stderr: 'Error: waiting for container "brief": it has ended with exit status 6 before it was healthy\n',
    });
    await expect.poll(() => storeLeftovers(skiff.store)).toEqual([]);
  });

  test.each([
    ['stop', ['stop', '-t', '0', 'busy']],
    ['kill', ['kill', 'busy']],
    ['rm -f', ['rm', '-f', 'busy']],
  ])('%s during a probe takes that along', async (_, command) => {
    const seconds = uniqueSleep();
    await skiff.run(check('busy', `sleep ${seconds}`, 'busybox', 'sleep', '1000'), { stdout: ID });
    await expect.poll(() => processesWith(seconds), { timeout: LONG }).toBe(1);
    await skiff.run(command, { stdout: 'busy\n' });
    expect(processesWith(seconds)).toBe(0);
    await skiff.run(['rm', '-f', 'busy'], { status: null, stdout: ANY, stderr: ANY });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('and so does SIGKILL for its keeper', async () => {
    const seconds = uniqueSleep();
    await skiff.run(check('lost', `sleep ${seconds} & sleep ${seconds}`, 'busybox', 'sleep', '1000'), {
      stdout: ID,
    });
    await expect.poll(() => processesWith(seconds), { timeout: LONG }).toBeGreaterThan(0);
    const { stdout } = await skiff.run(['inspect', '-f', '{{.Id}}', 'lost']);
    const pids = readFileSync(`${skiff.store}/containers/${stdout.trim()}/pid`, 'utf8').split(' ');
    process.kill(Number(pids[3]), 'SIGKILL');
    await expect.poll(() => processesWith(seconds), { timeout: LONG }).toBe(0);
    expect(await shown('lost')).toMatch(/^Exited \(137\).*, unhealthy$/);
    await remove('lost');
  });
});

describe('refused before anything is made', () => {
  test.each([
    [
      ['--health-interval', '5'],
      'invalid argument "5" for "--health-interval" flag: time: missing unit in duration "5"',
    ],
    [['--health-cmd', 'x', '--health-timeout', '5us'], 'Timeout in Healthcheck cannot be less than 1ms'],
    [['--health-retries=-1'], '--health-retries cannot be negative'],
    [['--no-healthcheck', '--health-cmd', 'x'], '--no-healthcheck conflicts with --health-* options'],
    [['--health-on-failure', 'kill'], '--health-on-failure kill: the container has no health check'],
    [['--health-on-failure', 'odd'], 'flag --health-on-failure: "odd" is none of none, kill, restart, stop'],
  ])('%j', async (flags, message) => {
    await skiff.run(['run', '--name', 'never', ...flags, 'busybox', 'true'], {
      status: 125,
      stdout: '',
      stderr: new RegExp(`^Error: (skiff run: )?${message.replaceAll(/[-*()[\]]/g, '\\$&')}\n`),
    });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});
