// `skiff top`: docker's table of the processes of a container.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { background, startBackground } from '../helpers/background.ts';
import { sandbox } from '../helpers/engine.ts';

const skiff = sandbox({ sharedStore: true });
background(skiff, 'web');
background(skiff, 'shared', ['--pid', 'host']);

beforeAll(async () => {
  await skiff.run(['run', '--name', 'stopped', '--network', 'none', 'busybox', 'true']);
});

afterAll(async () => {
  await skiff.run(['rm', 'stopped'], { stdout: /./ });
});

const HEAD = /^UID {17}PID {17}PPID {16}C {19}STIME {15}TTY {17}TIME {16}CMD\n/;

describe.each(['web', 'shared'])('in %s', (name) => {
  test('the processes of the container and no others', async () => {
    const { stdout } = await skiff.run(['top', name], { stdout: HEAD });
    expect(stdout.split('\n').slice(1)).toEqual([
      expect.stringMatching(/^root {16}\d+ +\d+ +\d+ +\d\d:\d\d +\? +00:00:00 +sleep 1000$/),
      '',
    ]);
  });

  test('those of exec too, with the user as the container knows it', async () => {
    const script = 'echo ready; sleep 1000 & exec cat';
    const running = skiff.start(['exec', '-i', '-u', 'app', name, 'sh', '-c', script], { keepStdin: true });
    await running.waitForStdout(/ready/);
    await expect
      .poll(async () =>
        (await skiff.run(['top', '--format', '{{.UID}} {{.CMD}}', name])).stdout.split('\n').sort(),
      )
      .toEqual(['', 'app cat', 'app sleep 1000', 'root sleep 1000']);
    await skiff.run(
      [
        'exec',
        '-u',
        'app',
        name,
        'sh',
        '-c',
        'kill $(ps -o pid,user,args | awk \'$2 == "app" && /sleep/ { print $1 }\')',
      ],
      {
        status: null,
        stderr: /^/,
      },
    );
    running.child.stdin?.end();
    expect(await running.result).toMatchObject({ status: 0 });
  });
});

test('a terminal is named', async () => {
  await skiff.run(['exec', '-d', '-t', 'web', 'sleep', '3']);
  await skiff.run(['top', '--format', '{{.TTY}} {{.CMD}}', 'web'], { stdout: /^pts\/0 sleep 3$/m });
});

test('a name that would drive the terminal does not', async () => {
  await skiff.run(['exec', '-d', 'web', 'sh', '-c', 'sleep 2; : \x1b[31m']);
  const { stdout } = await skiff.run(['top', 'web']);
  expect(stdout).toMatch(/: \?\[31m\n/);
});

describe('with options of ps', () => {
  test.each([
    [['-o', 'pid,args'], /^PID +COMMAND\n\d+ +sleep 1000\n$/],
    [['-eo', 'pid,comm'], /^PID +COMMAND\n\d+ +sleep\n$/],
    [['aux'], /^USER +PID +%CPU[^\n]*\n[^\n]*sleep 1000\n$/],
    [['axf'], /^PID +TTY[^\n]*\n[^\n]*sleep 1000\n$/],
  ] as const)('%j', async (options, stdout) => {
    const alone = await startBackground(skiff, 'alone');
    await skiff.run(['top', 'alone', ...options], { stdout });
    await alone.end();
  });
});

test.each([
  ['json', /^\{"UID":"root","PID":"\d+",[^\n]*"CMD":"sleep 1000"\}\n$/],
  ['table {{.PID}}\t{{.CMD}}', /^PID +CMD\n\d+ +sleep 1000\n$/],
])('--format %j', async (format, stdout) => {
  await skiff.run(['top', '--format', format, 'shared'], { stdout });
});

test.each([
  [['nosuch'], 1, /no such container: nosuch/],
  [['stopped'], 1, /container [0-9a-f]{64} is not running/],
  [['--no-such-flag', 'web'], 125, /--no-such-flag/],
  [[], 125, /CONTAINER/],
  [['web', '-o', 'user'], 1, /couldn't find PID field in ps output/],
  [['web', '--nonsense'], 1, /ps --nonsense: /],
  [['--format', '{{.Nope}}', 'web'], 125, /Nope/],
] as const)('%j: %d', async (args, status, stderr) => {
  await skiff.run(['top', ...args], { status, stdout: '', stderr });
});

test('options need a ps, the table does not', async () => {
  const env = { PATH: '/nonexistent' };
  await skiff.run(['top', 'shared'], { env, stdout: HEAD });
  await skiff.run(['top', 'shared', 'aux'], {
    env,
    status: 125,
    stdout: '',
    stderr: /ps: it is not installed/,
  });
});
