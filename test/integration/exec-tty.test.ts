// `skiff exec -t`: a terminal of the container's own for one more command.

import { describe, expect, test } from 'vitest';
import { background, startBackground } from '../helpers/background.ts';
import { sandbox } from '../helpers/engine.ts';
import { withTerminal } from '../helpers/terminal.ts';

const skiff = sandbox({ sharedStore: true });
background(skiff, 'web');

test('the command has a controlling terminal of the container', async () => {
  const script = 'tty; echo x >/dev/tty; ls /dev/console 2>&1; echo $TERM';
  const { status, output } = await withTerminal(skiff, ['exec', '-it', 'web', 'sh', '-c', script]).end;
  expect(output).toBe('/dev/pts/0\r\nx\r\nls: /dev/console: No such file or directory\r\nxterm\r\n');
  expect(status).toBe(0);
});

test('its owner is the user', async () => {
  await skiff.run(['exec', '-t', '-u', 'app', 'web', 'stat', '-c', '%u', '/dev/pts/0'], {
    stdout: '1000\r\n',
  });
});

test('two at once have two', async () => {
  const first = withTerminal(skiff, ['exec', '-it', 'web', 'sh', '-c', 'tty; read x']);
  await first.waitFor(/pts.0/);
  const second = withTerminal(skiff, ['exec', '-it', 'web', 'tty']);
  expect((await second.end).output).toBe('/dev/pts/1\r\n');
  first.type('\r');
  expect((await first.end).status).toBe(0);
});

test('the size is passed on, and its changes', async () => {
  const script = 'stty size; trap "stty size; exit 5" WINCH; echo ready; while :; do sleep 0.1; done';
  const session = withTerminal(skiff, ['exec', '-it', 'web', 'sh', '-c', script], {
    before: 'stty columns 91 rows 37;',
  });
  await session.waitFor(/ready/);
  session.resize(123, 45);
  const { status, output } = await session.end;
  expect(output).toBe('37 91\r\nready\r\n45 123\r\n');
  expect(status).toBe(5);
});

test('a shell with job control: ^C interrupts what runs in it', async () => {
  const session = withTerminal(skiff, ['exec', '-it', 'web', 'sh']);
  await session.waitFor(/# /);
  session.type('echo be""gun; sleep 100; echo status $?\r');
  await session.waitFor(/begun/);
  session.type('\x03');
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
  const { status, output } = await withTerminal(
    skiff,
    ['exec', '-it', 'web', 'sh', '-c', 'stty raw -echo; kill -9 $$'],
    { prefix: after },
  ).end;
  expect(output).toBe('same\r\n');
  expect(status).toBe(137);
});

test('input that is no terminal is refused, as in docker; without -i a terminal is given all the same', async () => {
  await skiff.run(['exec', '-it', 'web', 'cat'], {
    status: 1,
    stdout: '',
    stderr: /^Error: the input device is not a TTY\n/,
  });
  await skiff.run(['exec', '-t', 'web', 'tty'], { stdout: /^\/dev\/pts\/\d+\r\n$/ });
});

test('much output arrives whole', async () => {
  const { output } = await withTerminal(skiff, ['exec', '-it', 'web', 'seq', '20000']).end;
  expect(output).toBe(Array.from({ length: 20_000 }, (_, i) => `${i + 1}\r\n`).join(''));
});

test('a closed terminal window ends the command', async () => {
  const session = withTerminal(skiff, [
    'exec',
    '-it',
    'web',
    'sh',
    '-c',
    ': marked; echo ready; sleep 100; :',
  ]);
  await session.waitFor(/ready/);
  session.hangUp();
  await session.end.catch(() => undefined);
  await expect.poll(marked, { timeout: 5000 }).toBe(0);
});

test('a helper that is killed hangs its terminal up', async () => {
  const session = withTerminal(skiff, ['exec', '-it', 'web', 'sh', '-c', ': marked; echo ready; read x; :']);
  await session.waitFor(/ready/);
  process.kill(session.pid(), 'SIGKILL');
  await session.end;
  await expect.poll(marked, { timeout: 5000 }).toBe(0);
});

test('a terminal without -t: ^C reaches every process of the command', async () => {
  const script = ': marked; echo ready; sleep 100; sleep 100';
  const session = withTerminal(skiff, ['exec', '-i', 'web', 'sh', '-c', script]);
  await session.waitFor(/ready/);
  session.type('\x03');
  expect((await session.end).status).toBe(130);
  await expect.poll(() => count('[s]leep 100$'), { timeout: 3000 }).toBe(0);
});

describe('the keys that leave', () => {
  const command = ['web', 'sh', '-c', ': marked; echo ready; read x; echo "got $x" >/tmp/left; exec sleep 2'];

  test('^P^Q leaves the command running', async () => {
    const session = withTerminal(skiff, [
      'exec',
      '-it',
      'web',
      'sh',
      '-c',
      ': marked; echo ready; sleep 2; echo on >/tmp/on',
    ]);
    await session.waitFor(/ready/);
    session.type('\x10\x11');
    expect((await session.end).status).toBe(0);
    expect(await marked()).toBe(1);
    await expect.poll(marked, { timeout: 8000 }).toBe(0);
    await skiff.run(['exec', 'web', 'cat', '/tmp/on'], { stdout: 'on\n' });
  });

  test('what only begins like them is typed', async () => {
    const session = withTerminal(skiff, [
      'exec',
      '-it',
      'web',
      'sh',
      '-c',
      'stty -echo raw; echo ready; head -c 4 | od -An -c',
    ]);
    await session.waitFor(/ready/);
    session.type('\x10\x10x');
    session.type('\x11');
    expect((await session.end).output).toMatch(/020 020 {3}x 021/);
  });

  test('others can be chosen, or none', async () => {
    const chosen = withTerminal(skiff, ['exec', '-it', '--detach-keys', 'ctrl-a,d', ...command]);
    await chosen.waitFor(/ready/);
    chosen.type('\x01d');
    expect((await chosen.end).status).toBe(0);
    const kill = "kill -9 $(ps -o pid,args | awk '/[m]arked/ { print $1 }')";
    await skiff.run(['exec', 'web', 'sh', '-c', kill]);
    const none = withTerminal(skiff, [
      'exec',
      '-it',
      '--detach-keys',
      '',
      'web',
      'sh',
      '-c',
      'stty -echo raw; echo ready; head -c 2 | od -An -c',
    ]);
    await none.waitFor(/ready/);
    none.type('\x10\x11');
    expect((await none.end).output).toMatch(/020 021/);
  });
});

test('a container that ends hangs up: 137', async () => {
  const container = await startBackground(skiff, 'short');
  const session = withTerminal(skiff, ['exec', '-it', 'short', 'sh', '-c', 'echo ready; exec sleep 1000']);
  await session.waitFor(/ready/);
  await container.end();
  expect((await session.end).status).toBe(137);
});

/** Processes of `web` whose arguments match. */
async function count(expression: string): Promise<number> {
  const script = `ps -o args | grep -c '${expression}'`;
  return Number((await skiff.run(['exec', 'web', 'sh', '-c', script], { status: null })).stdout);
}

function marked(): Promise<number> {
  return count('[m]arked');
}
