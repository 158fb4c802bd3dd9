// -t: a terminal of the container's own.

import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { withTerminal } from '../helpers/terminal.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['--network', 'none'];
const onTty = ['run', '--rm', '-it', '--network', 'none'];

test('the container has a controlling terminal of its own /dev/pts', async () => {
  const { end } = withTerminal(skiff, [
    ...onTty,
    'busybox',
    'sh',
    '-c',
    'tty; ls -l /dev/console /dev/pts; echo x >/dev/tty',
  ]);
  const { status, output } = await end;
  expect(output).toMatch(/^\/dev\/pts\/0\r\n/);
  expect(output).toMatch(/x\r\n$/);
  expect(status).toBe(0);
});

test('the size is passed on, and its changes', async () => {
  const script = 'stty size; trap "stty size; exit 5" WINCH; echo ready; while :; do sleep 0.1; done';
  const session = withTerminal(skiff, [...onTty, 'busybox', 'sh', '-c', script], {
    before: 'stty columns 91 rows 37;',
  });
  await session.waitFor(/ready/);
  session.resize(123, 45);
  const { status, output } = await session.end;
  expect(output).toBe('37 91\r\nready\r\n45 123\r\n');
  expect(status).toBe(5);
});

test('what is typed reaches the container, ^C included', async () => {
  const session = withTerminal(skiff, [
    ...onTty,
    'busybox',
    'sh',
    '-c',
    'trap "echo interrupted; exit 9" INT; echo ready; read x; echo "<$x>"; read y',
  ]);
  await session.waitFor(/ready/);
  session.type('hello\r');
  await session.waitFor(/<hello>/);
  session.type('\x03');
  const { status, output } = await session.end;
  expect(output).toContain('interrupted');
  expect(status).toBe(9);
});

test('a shell can be typed to', async () => {
  const session = withTerminal(skiff, [...onTty, 'busybox', 'sh']);
  await session.waitFor(/# /);
  session.type('exit 4\r');
  expect((await session.end).status).toBe(4);
});

test("the caller's terminal is as it was afterwards", async () => {
  const after = [
    'sh',
    '-c',
    'before=$(stty -g); "$@"; status=$?; [ "$before" = "$(stty -g)" ] && echo same; exit $status',
    'sh',
  ];
  const { end } = withTerminal(skiff, [...onTty, 'busybox', 'sh', '-c', 'stty -echo; exit 3'], {
    prefix: after,
  });
  const { status, output } = await end;
  expect(output).toBe('same\r\n');
  expect(status).toBe(3);
});

test('the terminal is as it was even when the container is killed', async () => {
  const after = ['sh', '-c', 'before=$(stty -g); "$@"; [ "$before" = "$(stty -g)" ] && echo same', 'sh'];
  const session = withTerminal(
    skiff,
    [...onTty, 'busybox', 'sh', '-c', 'stty raw; kill -9 $$; sh -c "kill -9 1"; exec sleep 0'],
    { prefix: after },
  );
  expect((await session.end).output).toMatch(/same\r\n$/);
});

test('SIGTERM to skiff reaches the container', async () => {
  const session = withTerminal(skiff, [
    ...onTty,
    'busybox',
    'sh',
    '-c',
    'trap "exit 6" TERM; echo ready; while :; do sleep 0.1; done',
  ]);
  await session.waitFor(/ready/);
  process.kill(session.pid(), 'SIGTERM');
  expect((await session.end).status).toBe(6);
});

test('a closed terminal window ends the container', async () => {
  const session = withTerminal(skiff, [...onTty, 'busybox', 'sh', '-c', 'echo ready; sleep 100']);
  await session.waitFor(/ready/);
  session.hangUp();
  await session.end.catch(() => undefined);
  await expect.poll(async () => (await skiff.run(['ps', '-q'])).stdout, { timeout: 5000 }).toBe('');
});

test('much output over a terminal arrives whole', async () => {
  const { end } = withTerminal(skiff, [...onTty, 'busybox', 'seq', '20000']);
  const { output } = await end;
  expect(output).toBe(Array.from({ length: 20_000 }, (_, i) => `${i + 1}\r\n`).join(''));
});

test('-t without a terminal gives the container one all the same', async () => {
  await skiff.run(['run', '--rm', '-t', '--network', 'none', 'busybox', 'tty'], { stdout: '/dev/pts/0\r\n' });
});

test("-it with a stdin that is no terminal is refused in docker's words, before anything is made", async () => {
  const refused = { status: 1, stdout: '', stderr: /^Error: the input device is not a TTY\n/ };
  await skiff.run(['run', '--rm', '-it', ...none, 'busybox', 'true'], refused);
  await skiff.run(['run', '-i', '-t', '--name', 'none', ...none, 'busybox', 'true'], refused);
  await skiff.run(['inspect', 'none'], { status: 1, stdout: '[]\n', stderr: /no such object/ });
  await skiff.run(['run', '-d', '--rm', '-it', ...none, 'busybox', 'true'], { stdout: /^[0-9a-f]{64}\n$/ });
});
