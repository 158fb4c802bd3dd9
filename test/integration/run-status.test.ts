// What `skiff run` exits with, with and without a terminal.

import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { withTerminal } from '../helpers/terminal.ts';
import { STATUS_CASES, type StatusCase } from './run-status.cases.ts';
import { processesOf } from '../helpers/leaks.ts';

const skiff = sandbox({ sharedStore: true });
let ran = 0;

function argsOf({ flags = [], image = 'busybox', command = [] }: StatusCase, ...more: string[]): string[] {
  return [
    'run',
    '--rm',
    '--network',
    'none',
    ...more,
    ...flags,
    ...(image === '' ? [] : [image]),
    ...command,
  ];
}

function pattern(text: string): RegExp {
  const literal = (part: string): string => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  return new RegExp(`^${text.split('%').map(literal).join('[^]*')}$`);
}

describe('without a terminal', () => {
  test.each(STATUS_CASES)('$status: $name', async (row) => {
    ran++;
    const { status, stdout = '', stderr = '' } = row;
    await skiff.run(argsOf(row), { status, stdout, stderr: pattern(stderr) });
  });
});

describe('with -t', () => {
  test.each(STATUS_CASES)('$status: $name', async (row) => {
    ran++;
    const { status, output } = await withTerminal(skiff, argsOf(row, '-i', '-t')).end;
    expect(output).toMatch(pattern(`${row.stdout ?? ''}${row.stderr ?? ''}`.replaceAll('\n', '\r\n')));
    expect(status).toBe(row.status);
  });
});

test('every row ran, twice', () => {
  expect(ran).toBe(2 * STATUS_CASES.length);
});

describe('signals sent to skiff', () => {
  const loop = [
    'run',
    '--rm',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'echo ready; while :; do sleep 1; done',
  ];
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGUSR1', 138],
    ['SIGALRM', 142],
  ] as const)('%s without a handler ends the container at once: %d', async (signal, status) => {
    const running = skiff.start(loop);
    await running.waitForStdout(/ready/);
    running.child.kill(signal);
    expect(await running.result).toMatchObject({ status, stdout: 'ready\n', stderr: '' });
  });

  test('the same for a command of another user', async () => {
    const running = skiff.start([...loop.slice(0, 4), '-u', 'app', ...loop.slice(4)]);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGTERM');
    expect(await running.result).toMatchObject({ status: 143, stdout: 'ready\n', stderr: '' });
  });

  test('a handler of the container gets the signal and decides the status', async () => {
    const script = 'trap "echo caught; exit 7" TERM; echo ready; while :; do sleep 0.1; done';
    const running = skiff.start(['run', '--rm', '--network', 'none', 'busybox', 'sh', '-c', script]);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGTERM');
    expect(await running.result).toMatchObject({ status: 7, stdout: 'ready\ncaught\n', stderr: '' });
  });

  test('a signal the container ignores is ignored', async () => {
    const script = 'trap "" TERM; echo ready; read line; echo "got $line"';
    const running = skiff.start(['run', '--rm', '-i', '--network', 'none', 'busybox', 'sh', '-c', script], {
      keepStdin: true,
    });
    await running.waitForStdout(/ready/);
    running.child.kill('SIGTERM');
    running.child.stdin?.end('on\n');
    expect(await running.result).toMatchObject({ status: 0, stdout: 'ready\ngot on\n', stderr: '' });
  });

  test('--init forwards too, and reaps', async () => {
    const running = skiff.start([
      'run',
      '--rm',
      '--init',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'echo ready; sleep 100',
    ]);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGTERM');
    expect(await running.result).toMatchObject({ status: 143, stderr: '' });
  });

  test('SIGKILL of skiff kills the container', async () => {
    const before = new Set(processesOf(skiff.user).map(({ key }) => key));
    const running = skiff.start(loop);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGKILL');
    expect((await running.result).status).toBe('SIGKILL');
    await expect
      .poll(() => processesOf(skiff.user).filter(({ key }) => !before.has(key)), { timeout: 3000 })
      .toEqual([]);
    await skiff.run(['ps', '--all', '--quiet'], { stdout: '' });
  });

  test('the container dies with the caller of skiff', async () => {
    const before = new Set(processesOf(skiff.user).map(({ key }) => key));
    const running = skiff.start(loop, { prefix: ['sh', '-c', '"$@" & wait', 'sh'] });
    await running.waitForStdout(/ready/);
    running.child.kill('SIGKILL');
    await expect
      .poll(() => processesOf(skiff.user).filter(({ key }) => !before.has(key)), { timeout: 3000 })
      .toEqual([]);
    await running.result;
  });
});

test('--timeout kills the container', async () => {
  const { status } = await skiff.run(
    ['run', '--rm', '--timeout', '1', '--network', 'none', 'busybox', 'sleep', '50'],
    { status: 137, stdout: '', stderr: /^/ },
  );
  expect(status).toBe(137);
});
