// Clients of a monitor: the foreground of `run` without --rm, `start -a`, and `attach`, several at once.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { withTerminal } from '../helpers/terminal.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['--network', 'none'];
const run = (...more: string[]): string[] => ['run', ...none, ...more];
const status = async (name: string): Promise<string> =>
  (await skiff.run(['inspect', '-f', '{{.State.Status}}', name])).stdout.trim();
const DETACH = '\x10\x11'; // ctrl-p, ctrl-q

describe('the foreground without --rm', () => {
  test('outlives a client that is killed, and keeps its log', async () => {
    const script = 'echo ready; read line; echo got $line; sleep 1000';
    const client = skiff.start(run('--name', 'lives', 'busybox', 'sh', '-c', script), { keepStdin: true });
    await client.waitForStdout(/ready/);
    client.child.kill('SIGKILL');
    await client.result;
    expect(await status('lives')).toBe('running');
    await skiff.run(['logs', 'lives'], { stdout: 'ready\ngot\n' });
    await skiff.run(['rm', '-f', 'lives'], { stdout: 'lives\n' });
  });

  test('outlives a client whose stdout is closed', async () => {
    const script = 'i=0; while [ $i -lt 40 ]; do echo $i; i=$((i+1)); sleep 0.02; done';
    const client = skiff.start(run('--name', 'writes', 'busybox', 'sh', '-c', script));
    await client.waitForStdout(/1\n/);
    client.child.stdout?.destroy();
    await client.result;
    await skiff.run(['wait', 'writes'], { stdout: '0\n' });
    const all = Array.from({ length: 40 }, (_, i) => `${i}\n`).join('');
    await skiff.run(['logs', 'writes'], { stdout: all });
    await skiff.run(['rm', 'writes'], { stdout: 'writes\n' });
  });

  test.each([
    ['SIGTERM', 'exit 31', 31],
    ['SIGINT', 'exit 32', 32],
    ['SIGHUP', 'exit 33', 33],
    ['SIGUSR1', 'exit 34', 34],
  ] as const)('%s is passed on', async (signal, action, expected) => {
    const script = `trap '${action}' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`;
    const client = skiff.start(run('--name', 'gets', 'busybox', 'sh', '-c', script));
    await client.waitForStdout(/ready/);
    client.child.kill(signal);
    expect(await client.result).toMatchObject({ status: expected, stderr: '' });
    await skiff.run(['rm', 'gets'], { stdout: 'gets\n' });
  });

  test('--sig-proxy=false: a signal ends the client alone', async () => {
    const client = skiff.start(
      run('--name', 'deaf', '--sig-proxy=false', 'busybox', 'sh', '-c', 'echo ready; sleep 1000'),
    );
    await client.waitForStdout(/ready/);
    client.child.kill('SIGTERM');
    expect((await client.result).status).toBe('SIGTERM');
    expect(await status('deaf')).toBe('running');
    await skiff.run(['rm', '-f', 'deaf'], { stdout: 'deaf\n' });
  });

  test.each([
    [['-a', 'stdout'], 'out\n', ''],
    [['-a', 'STDERR'], '', 'err\n'],
    [['-a', 'STDOUT', '-a', 'STDERR'], 'out\n', 'err\n'],
    [['--rm', '-a', 'stdout'], 'out\n', ''],
  ])('%s', async (flags, stdout, stderr) => {
    const command = ['busybox', 'sh', '-c', 'echo out; echo err >&2; exit 6'];
    await skiff.run(run('--name', 'some', ...flags, ...command), { status: 6, stdout, stderr });
    await skiff.run(['rm', '-f', 'some'], { status: null, stdout: /^/ });
  });

  test('without either output attached, the id is printed', async () => {
    await skiff.run(run('--name', 'fed', '-i', '-a', 'stdin', 'busybox', 'sh', '-c', 'cat >&2'), {
      stdin: 'x\n',
      stdout: /^[0-9a-f]{64}\n$/,
    });
    await skiff.run(['logs', 'fed'], { stderr: 'x\n' });
    await skiff.run(['rm', 'fed'], { stdout: 'fed\n' });
  });

  test('a monitor that is killed is told by its client', async () => {
    const client = skiff.start(run('--name', 'lost', 'busybox', 'sh', '-c', 'echo ready; sleep 1000'));
    await client.waitForStdout(/ready/);
    const { stdout } = await skiff.run(['inspect', '-f', '{{.Id}}', 'lost']);
    const [, , , monitor] = readFileSync(`${skiff.store}/containers/${stdout.trim()}/pid`, 'utf8').split(' ');
    process.kill(Number(monitor), 'SIGKILL');
    expect(await client.result).toMatchObject({ status: 137, stderr: /^Error: the process that kept/ });
    await skiff.run(['rm', '-f', 'lost'], { stdout: 'lost\n' });
  });
});

describe('attach', () => {
  test('who comes while the container ends hears of that, not of a keeper that was killed', async () => {
    await skiff.run(run('-d', '--name', 'ends', 'busybox', 'sleep', '1000'), { stdout: /./ });
    const { stdout } = await skiff.run(['inspect', '-f', '{{.Id}}', 'ends']);
    const dir = `${skiff.store}/containers/${stdout.trim()}`;
    const [init, , , monitor] = readFileSync(`${dir}/pid`, 'utf8').split(' ').map(Number);
    process.kill(monitor as number, 'SIGSTOP');
    const client = skiff.start(['attach', '--no-stdin', 'ends']);
    const state = (pid = 0): string | undefined =>
      /^State:\t(.)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    const waits = (): boolean => {
      const words = readFileSync(`/proc/${client.child.pid}/cmdline`, 'latin1');
      return /^skiff\0attach\0\d+\0$/.test(words) && state(client.child.pid) === 'S';
    };
    // Connected, and what it has sent is not read.
    await expect.poll(waits, { timeout: 10_000 }).toBe(true);
    process.kill(init as number, 'SIGKILL');
    await expect.poll(() => state(init), { timeout: 10_000 }).toBe('Z');
    process.kill(monitor as number, 'SIGCONT');
    expect(await client.result).toMatchObject({ status: 137, stdout: '', stderr: '' });
    await skiff.run(['rm', 'ends'], { stdout: 'ends\n' });
  });

  test('several clients see the same, and each may write', async () => {
    await skiff.run(run('-d', '-i', '--name', 'shared', 'busybox', 'cat'), { stdout: /./ });
    const clients = [1, 2, 3].map(() => skiff.start(['attach', 'shared'], { keepStdin: true }));
    const watcher = skiff.start(['attach', '--no-stdin', 'shared']);
    const hello = async (): Promise<void> => {
      // Attached is who has seen something; what was written before is not shown again.
      for (let i = 0; ![...clients, watcher].every((client) => client.stdout() !== ''); i++) {
        clients[0]?.child.stdin?.write(`hello ${i}\n`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await hello();
    for (const [i, client] of clients.entries()) {
      client.child.stdin?.write(`from ${i}\n`);
      await Promise.all(
        [...clients, watcher].map((other) => other.waitForStdout(new RegExp(`from ${i}\\n`))),
      );
    }
    clients[0]?.child.kill('SIGKILL');
    clients[1]?.child.stdin?.write('still here\n');
    await watcher.waitForStdout(/still here/);
    await skiff.run(['stop', 'shared'], { stdout: 'shared\n' });
    for (const client of [...clients.slice(1), watcher])
      expect(await client.result).toMatchObject({ status: 143, stderr: '' });
    await skiff.run(['rm', 'shared'], { stdout: 'shared\n' });
  });

  test('a client that does not read delays nobody for ever: it is forgotten when it goes', async () => {
    const script = 'read start; seq 100000; echo end';
    await skiff.run(run('-d', '-i', '--name', 'slow', 'busybox', 'sh', '-c', script), { stdout: /./ });
    const stalled = skiff.start(['attach', 'slow'], { keepStdin: true });
    stalled.child.stdin?.write('go\n');
    await stalled.waitForStdout(/1\n/);
    stalled.child.kill('SIGSTOP');
    stalled.child.kill('SIGKILL');
    await skiff.run(['wait', 'slow'], { stdout: '0\n' });
    await skiff.run(['logs', '--tail', '1', 'slow'], { stdout: 'end\n' });
    await skiff.run(['rm', 'slow'], { stdout: 'slow\n' });
  });

  test('is refused where the streams are those of a run --rm', async () => {
    const direct = skiff.start(
      run('--rm', '--name', 'direct', 'busybox', 'sh', '-c', 'echo ready; sleep 1000'),
    );
    await direct.waitForStdout(/ready/);
    await skiff.run(['attach', 'direct'], {
      status: 1,
      stderr: /its streams are those of the "skiff run --rm"/,
    });
    await skiff.run(['stop', 'direct'], { stdout: 'direct\n' });
    expect((await direct.result).status).toBe(143);
  });
});

describe('on a terminal', () => {
  test('the keys that detach leave the container running, and it can be attached to again', async () => {
    const shell = withTerminal(skiff, run('-it', '--name', 'tty', 'busybox', 'sh'));
    await shell.waitFor(/# /);
    shell.type('x=kept\n');
    shell.type(DETACH);
    const first = await shell.end;
    expect(first.status).toBe(0);
    expect(first.output).toContain('read escape sequence');
    expect(await status('tty')).toBe('running');
    const again = withTerminal(skiff, ['attach', '--detach-keys', 'ctrl-x,y', 'tty']);
    again.type('\n');
    await again.waitFor(/# /);
    again.type('echo $x again\n');
    await again.waitFor(/kept again/);
    again.resize(77, 33);
    await new Promise((resolve) => setTimeout(resolve, 100));
    again.type('stty size </dev/console; ls /proc/self/fd/0 -l\n');
    await again.waitFor(/\/dev\/pts\/0/);
    again.type('\x18y');
    expect((await again.end).status).toBe(0);
    const last = withTerminal(skiff, ['attach', 'tty']);
    last.type('exit 7\n');
    expect((await last.end).status).toBe(7);
    await skiff.run(['rm', 'tty'], { stdout: 'tty\n' });
  });

  test('a terminal that is closed ends the client alone', async () => {
    const shell = withTerminal(skiff, run('-it', '--name', 'hung', 'busybox', 'sh'));
    await shell.waitFor(/# /);
    shell.hangUp();
    await shell.end;
    expect(await status('hung')).toBe('running');
    await skiff.run(['rm', '-f', 'hung'], { stdout: 'hung\n' });
  });

  test('--rm with --detach-keys can be left too', async () => {
    const shell = withTerminal(
      skiff,
      run('--rm', '-it', '--detach-keys', 'ctrl-a', '--name', 'left', 'busybox', 'sh'),
    );
    await shell.waitFor(/# /);
    shell.type('\x01');
    expect((await shell.end).status).toBe(0);
    expect(await status('left')).toBe('running');
    await skiff.run(['stop', '-s', 'KILL', 'left'], { stdout: 'left\n' });
  });

  test.each([
    ['with --rm', ['--rm']],
    ['without', ['--name', 'plain']],
  ])('no -t: the container sees pipes, in order, and not our terminal (%s)', async (_, flags) => {
    const script =
      'for fd in 0 1 2; do test -t $fd && echo terminal $fd; done; for i in 1 2 3; do echo o$i; echo e$i >&2; done; read line; echo got $line; exit 3';
    const shell = withTerminal(skiff, run('-i', ...flags, 'busybox', 'sh', '-c', script));
    await shell.waitFor(/e3/);
    shell.type('typed\n');
    const { status: code, output } = await shell.end;
    expect(code).toBe(3);
    expect(output).not.toContain('terminal');
    expect(output).toContain('got typed');
    if (flags[0] === '--rm') expect(output).toContain('o1\r\ne1\r\no2\r\ne2\r\no3\r\ne3\r\n');
    if (flags[0] !== '--rm') await skiff.run(['rm', 'plain'], { stdout: 'plain\n' });
  });
});
