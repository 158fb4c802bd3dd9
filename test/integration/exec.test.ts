// `skiff exec` without a terminal: what it exits with, what the command gets, and what becomes of it.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/accounts.ts';
import { background, startBackground, type Background } from '../helpers/background.ts';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { processesOf } from '../helpers/leaks.ts';
import { requires } from '../helpers/requires.ts';
import { withTerminal } from '../helpers/terminal.ts';
import { world } from '../helpers/world.ts';
import { EXEC_CASES, type ExecCase } from './exec.cases.ts';

const skiff = sandbox({ sharedStore: true });
background(skiff, 'web', ['--hostname', 'webhost', '--cidfile', `${skiff.dir}/home/cid`]);
background(skiff, 'app', [
  ...['--user', 'app', '-w', '/home/app', '-e', 'OWN=of the container'],
  ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'no-new-privileges'],
  ...['--ulimit', 'nofile=123', '--oom-score-adj', '321'],
]);
let ran = 0;

beforeAll(async () => {
  writeFileSync(`${skiff.dir}/home/vars`, '# two\nA=1\nB=two words\n');
  await skiff.run(['run', '--name', 'stopped', '--network', 'none', 'busybox', 'true']);
  const entry = 'late:x:777:777::/:/bin/sh';
  await skiff.run(['exec', 'web', 'sh', '-c', `echo ${entry} >>/etc/passwd`]);
});

afterAll(async () => {
  await skiff.run(['rm', 'stopped'], { stdout: /./ });
});

function words({ args }: ExecCase): string[] {
  return args.map((arg) => arg.replace('{dir}', `${skiff.dir}/home`));
}

function pattern(text: string): RegExp {
  const literal = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${text.split('%').map(literal).join('[^]*')}$`);
}

describe('without a terminal', () => {
  test.each(EXEC_CASES)('$status: $name', async (row) => {
    ran++;
    const { status, stdout = '', stderr = '', stdin = '' } = row;
    const command = row.name === 'as container exec' ? ['container', 'exec'] : ['exec'];
    await skiff.run([...command, ...words(row)], {
      status,
      stdout,
      stderr: pattern(stderr),
      stdin,
      env: { FROM_CALLER: 'yes' },
    });
  });

  test('every row ran', () => {
    expect(ran).toBe(EXEC_CASES.length);
  });
});

describe('with -t', () => {
  const rows = EXEC_CASES.filter(({ withoutTty }) => withoutTty !== true);

  test.each(rows)('$status: $name', async (row) => {
    const { status, output } = await withTerminal(skiff, ['exec', '-it', ...words(row)], {
      env: { FROM_CALLER: 'yes' },
    }).end;
    expect(output).toMatch(pattern(`${row.stdout ?? ''}${row.stderr ?? ''}`.replaceAll('\n', '\r\n')));
    expect(status).toBe(row.status);
  });
});

test('an id prefix, and one that fits several', async () => {
  const id = readFileSync(`${skiff.dir}/home/cid`, 'utf8');
  await skiff.run(['exec', id.slice(0, 12), 'hostname'], { stdout: 'webhost\n' });
  const extra: Background[] = [];
  // 16 first digits: with 17 more containers two must share one, and one of those ids begins like another.
  const firstDigits = async (): Promise<string[]> =>
    (await skiff.run(['ps', '-q'], { stdout: /./ })).stdout
      .trim()
      .split('\n')
      .map((line) => line[0] as string);
  const twice = (digits: string[]): string | undefined =>
    digits.find((digit, i) => digits.indexOf(digit) < i);
  try {
    while (twice(await firstDigits()) === undefined)
      extra.push(await startBackground(skiff, `more${extra.length}`));
    const digit = twice(await firstDigits()) ?? '';
    await skiff.run(['exec', digit, 'true'], { status: 1, stdout: '', stderr: /fits \d+ containers/ });
  } finally {
    await Promise.all(extra.map((container) => container.end()));
  }
});

test('--latest is the one made last', async () => {
  const last = await startBackground(skiff, 'newest', ['--hostname', 'newest']);
  await skiff.run(['exec', '--latest', 'hostname'], { stdout: 'newest\n' });
  await last.end();
});

test('a command is seen by its container, and leaves no zombie', async () => {
  const count = ['exec', 'web', 'sh', '-c', 'ps -o stat,args | grep -c "^Z"'];
  // What was started with -d belongs to the container's init, which takes its time.
  await expect
    .poll(async () => (await skiff.run(count, { status: null })).stdout, { timeout: 5000 })
    .toBe('0\n');
});

test('100 MB go in and out unchanged', async () => {
  const bytes = randomBytes(100 * 1024 * 1024);
  const { stdoutBytes } = await skiff.run(['exec', '-i', 'web', 'cat'], { stdin: bytes });
  expect(stdoutBytes.length).toBe(bytes.length);
  const digest = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
  expect(digest(stdoutBytes)).toBe(digest(bytes));
});

test('50 at once', async () => {
  const running = Array.from({ length: 50 }, (_, i) => skiff.start(['exec', 'web', 'echo', String(i)]));
  const results = await Promise.all(running.map(({ result }) => result));
  results.forEach((result, i) => expect(result).toMatchObject({ status: 0, stdout: `${i}\n`, stderr: '' }));
});

test('a reader that goes away ends the command as it would outside', async () => {
  const running = skiff.start(['exec', 'web', 'yes']);
  await running.waitForStdout(/y/);
  running.child.stdout?.destroy();
  expect(await running.result).toMatchObject({ status: 141 });
});

test('a file is relayed: the command could open it anew, and write what it may only read', async () => {
  await skiff.run(['exec', '-i', 'web', 'sh', '-c', 'stat -L -c %F /proc/self/fd/0 && cat'], {
    prefix: ['sh', '-c', '"$@" </etc/hostname', 'sh'],
    stdout: `fifo\n${readFileSync('/etc/hostname', 'utf8')}`,
  });
});

describe('signals sent to skiff', () => {
  const loop = ['exec', 'web', 'sh', '-c', 'echo ready; while :; do sleep 0.1; done'];

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGUSR1', 138],
  ] as const)('%s ends a command that does not handle it: %d', async (signal, status) => {
    const running = skiff.start(loop);
    await running.waitForStdout(/ready/);
    running.child.kill(signal);
    expect(await running.result).toMatchObject({ status, stdout: 'ready\n', stderr: '' });
  });

  test('a handler decides', async () => {
    const script = 'trap "echo caught; exit 7" TERM; echo ready; while :; do sleep 0.1; done';
    const running = skiff.start(['exec', 'web', 'sh', '-c', script]);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGTERM');
    expect(await running.result).toMatchObject({ status: 7, stdout: 'ready\ncaught\n', stderr: '' });
  });

  const alive = (): Promise<number> =>
    skiff
      .run(['exec', 'web', 'sh', '-c', 'ps | grep -c "[m]arked"'], { status: null })
      .then(({ stdout }) => Number(stdout));
  const marked = ['web', 'sh', '-c', ': marked; echo ready; while :; do sleep 0.1; done'];

  test('SIGKILL of skiff kills the command', async () => {
    const running = skiff.start(['exec', ...marked]);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGKILL');
    await running.result;
    await expect.poll(alive, { timeout: 5000 }).toBe(0);
  });

  test('the command dies with the caller of skiff', async () => {
    const running = skiff.start(['exec', ...marked], { prefix: ['sh', '-c', '"$@" & wait', 'sh'] });
    await running.waitForStdout(/ready/);
    running.child.kill('SIGKILL');
    await expect.poll(alive, { timeout: 5000 }).toBe(0);
    await running.result;
  });

  test('killed at any instant, it leaves nothing in the container', async () => {
    const container = await startBackground(skiff, 'shot');
    const shots = Array.from({ length: 60 }, async (_, i) => {
      const running = skiff.start(['exec', ...(i % 2 === 0 ? ['-t'] : []), 'shot', 'sleep', '1000']);
      await new Promise((resolve) => setTimeout(resolve, i * 4)); // from before main() to long after execve
      running.child.kill('SIGKILL');
      await running.result;
    });
    await Promise.all(shots);
    await expect
      .poll(async () => (await skiff.run(['top', '--format', '{{.CMD}}', 'shot'])).stdout, { timeout: 5000 })
      .toBe('sleep 1000\n');
    await container.end();
  });

  test('but not when it was asked to survive: nohup, and -d', async () => {
    const stay = ['web', 'sh', '-c', ': marked; echo ready; sleep 1; touch /tmp/"$1"', 'sh'];
    const running = skiff.start(['exec', ...stay, 'nohup'], {
      prefix: ['sh', '-c', 'trap "" HUP; "$@" & wait', 'sh'],
    });
    await running.waitForStdout(/ready/);
    running.child.kill('SIGKILL');
    await skiff.run(['exec', '-d', ...stay, 'detached']);
    await expect
      .poll(() => skiff.run(['exec', 'web', 'ls', '/tmp']).then(({ stdout }) => stdout), { timeout: 10_000 })
      .toBe('detached\nnohup\n');
    await running.result;
  });
});

describe('a container that ends', () => {
  test('ends what was started in it: 137', async () => {
    const container = await startBackground(skiff, 'short');
    const running = skiff.start(['exec', 'short', 'sh', '-c', 'echo ready; exec sleep 1000']);
    await running.waitForStdout(/ready/);
    await container.end();
    expect(await running.result).toMatchObject({ status: 137, stdout: 'ready\n', stderr: '' });
    await skiff.run(['exec', 'short', 'true'], { status: 1, stdout: '', stderr: /no such container: short/ });
  });

  test("with the host's process ids too", async () => {
    const container = await startBackground(skiff, 'shared', ['--pid', 'host']);
    const running = skiff.start(['exec', 'shared', 'sh', '-c', 'echo ready; exec sleep 1000']);
    await running.waitForStdout(/ready/);
    await container.end();
    expect(await running.result).toMatchObject({ status: 137, stderr: '' });
  });

  test('meanwhile: each exec works or says why', async () => {
    const container = await startBackground(skiff, 'going', [], 'sleep 0.7');
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const running = Array.from({ length: 4 }, () => skiff.start(['exec', 'going', 'sleep', '0.02']));
      for (const { status, stderr } of await Promise.all(running.map(({ result }) => result))) {
        const fine =
          status === 0 || status === 137 ? stderr === '' : /not running|no such container/.test(stderr);
        expect(fine, `status ${status}: ${stderr}`).toBe(true);
        seen.add(String(status));
      }
      if (seen.has('1')) break;
    }
    expect([...seen]).toContain('0');
    expect([...seen]).toContain('1');
    await container.running.result;
  });

  test('whose number somebody else has now is not entered', async () => {
    const container = await startBackground(skiff, 'reused');
    const id = (await skiff.run(['ps', '-q', '--no-trunc', '--filter', 'name=reused'])).stdout.trim();
    const file = `${skiff.store}/containers/${id}/pid`;
    const pid = readFileSync(file, 'utf8');
    writeFileSync(file, `${process.pid} 12345\n`);
    await skiff.run(['exec', 'reused', 'true'], { status: 1, stderr: /is not running/ });
    writeFileSync(file, pid);
    await skiff.run(['exec', 'reused', 'true']);
    await container.end();
  });
});

describe('kinds of user namespaces', () => {
  async function works(engine: Engine, flags: string[], uid: number): Promise<void> {
    const container = await startBackground(engine, 'kind', flags);
    await engine.run(['exec', 'kind', 'id', '-u'], { stdout: `${uid}\n` });
    await engine.run(['exec', '-t', 'kind', 'tty'], { stdout: '/dev/pts/0\r\n' });
    await engine.run(['exec', 'kind', 'nosuch'], { status: 127, stderr: /nosuch/ });
    const namespaces = (pid: string): string[] => [
      ...['exec', 'kind', 'sh', '-c'],
      `for ns in user mnt pid net ipc uts cgroup; do readlink /proc/${pid}/ns/$ns || echo none; done`,
    ];
    const { stdout } = await engine.run(namespaces('self'));
    const { stdout: theirs } = await engine.run(namespaces('1'));
    expect(stdout).not.toContain('none');
    expect(stdout).toBe(theirs);
    await container.end();
  }

  test('behind an init of skiff', async () => {
    await works(skiff, ['--init'], 0);
  });

  test('keep-id', async (context) => {
    requires(context, 'subuid');
    await works(skiff, ['--userns', 'keep-id'], skiff.user.uid);
  });

  const root = sandbox({ user: ROOT });
  test('none, as root', async (context) => {
    requires(context, 'root', 'busybox-image');
    await root.run(['load', '--quiet', '--input', world().fixtures.busyboxOciArchive ?? ''], {
      stdout: /^/,
      stderr: /^/,
    });
    await works(root, [], 0);
    await root.run(['rmi', 'busybox'], { stdout: /./ });
  });

  const { userWithoutRanges } = world();
  const single = sandbox(userWithoutRanges ? { user: userWithoutRanges } : {});
  test('a single id', async (context) => {
    requires(context, 'user-without-ranges', 'busybox-image');
    await single.run(['load', '--quiet', '--input', world().fixtures.busyboxOciArchive ?? ''], {
      stdout: /^/,
      stderr: /^/,
    });
    const container = await startBackground(single, 'one');
    await single.run(['exec', 'one', 'id'], { stdout: 'uid=0(root) gid=0(root)\n' });
    await single.run(['exec', '-u', 'app', 'one', 'id'], {
      status: 125,
      stderr: /uid 1000 has no id on the host/,
    });
    await container.end();
    await single.run(['rmi', 'busybox'], { stdout: /./ });
  });
});

test('nothing of the helper stays', async () => {
  const before = processesOf(skiff.user).length;
  await skiff.run(['exec', 'web', 'true']);
  await skiff.run(['exec', '-d', 'web', 'true']);
  await expect.poll(() => processesOf(skiff.user).length, { timeout: 3000 }).toBe(before);
});
