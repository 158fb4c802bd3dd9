// Standard streams are an exact contract: every byte, in order, closed when the other side closes.

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { execAny, shellQuote } from '../helpers/exec.ts';
import { sandbox } from '../helpers/engine.ts';
import { isRoot } from '../helpers/accounts.ts';

const skiff = sandbox({ sharedStore: true });
const BIG = 100_000_000;
const quiet = ['run', '--rm', '--network', 'none'];

/** Runs a shell pipeline as the user; `$SKIFF` is the binary. */
function pipeline(script: string): Promise<{ status: number | string; stdout: string; stderr: string }> {
  const ids = isRoot() ? { uid: skiff.user.uid, gid: skiff.user.gid } : {};
  return execAny('bash', ['-c', script], {
    env: { ...skiff.env, SKIFF: skiff.binary },
    cwd: '/',
    timeoutMs: 100_000,
    ...ids,
  });
}

describe('100 MB', () => {
  const sum = sumOfYes(BIG);

  test('through stdin and stdout of cat', async () => {
    const { status, stdout, stderr } = await pipeline(
      `yes | head -c ${BIG} | $SKIFF ${shellQuote([...quiet, '-i', 'busybox', 'cat'])} | sha256sum`,
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${sum}  -\n`, stderr: '' });
  });

  test('from a file and to a file', async () => {
    const { stdout, stderr } = await pipeline(
      `cd ${skiff.dir}/home; yes | head -c ${BIG} >in; $SKIFF ${shellQuote([...quiet, '-i', 'busybox', 'cat'])} <in >out; echo $?; sha256sum <out; rm in out`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: `0\n${sum}  -\n`, stderr: '' });
  });

  test('without --rm, through the log as well', async () => {
    const name = 'big-log';
    const { status, stdout, stderr } = await pipeline(
      `yes | head -c ${BIG / 10} | $SKIFF run --name ${name} --network none -i busybox cat | sha256sum; $SKIFF logs ${name} | sha256sum; $SKIFF rm ${name} >/dev/null`,
    );
    const tenth = sumOfYes(BIG / 10);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `${tenth}  -\n${tenth}  -\n`,
      stderr: '',
    });
  });

  test('closed early by head: skiff dies of SIGPIPE as cat would', async () => {
    const { stdout } = await pipeline(
      `$SKIFF ${shellQuote([...quiet, 'busybox', 'yes'])} 2>/dev/null | head -c 5000000 | wc -c; echo "\${PIPESTATUS[0]}"`,
    );
    expect(stdout).toBe('5000000\n141\n'); // as pid 1 it gets EPIPE, not the signal, and complains on stderr
  });
});

test('stdout and stderr stay apart', async () => {
  const { stdout, stderr } = await skiff.run(
    [...quiet, 'busybox', 'sh', '-c', 'for i in 1 2 3; do echo out $i; echo err $i >&2; done'],
    { stderr: /^/ },
  );
  expect(stdout).toBe('out 1\nout 2\nout 3\n');
  expect(stderr).toBe('err 1\nerr 2\nerr 3\n');
});

test('stdout and stderr of one file keep their order', async () => {
  const script = 'i=0; while [ $i -lt 2000 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done';
  const { stdout } = await pipeline(`$SKIFF ${shellQuote([...quiet, 'busybox', 'sh', '-c', script])} 2>&1`);
  expect(stdout).toBe(Array.from({ length: 2000 }, (_, i) => `o${i}\ne${i}\n`).join(''));
});

test('without -i the container reads an empty stdin', async () => {
  await skiff.run([...quiet, 'busybox', 'cat'], { stdin: 'not for the container', stdout: '' });
});

test('-i with a closed stdin ends', async () => {
  const { status, stdout } = await pipeline(
    `$SKIFF ${shellQuote([...quiet, '-i', 'busybox', 'cat'])} <&-; echo $?`,
  );
  expect({ status, stdout }).toEqual({ status: 0, stdout: '0\n' });
});

test('closed stdout and stderr do not break a run', async () => {
  const { stdout } = await pipeline(`$SKIFF ${shellQuote([...quiet, 'busybox', 'true'])} >&- 2>&-; echo $?`);
  expect(stdout).toBe('0\n');
});

test('-i ends when the container ends, though stdin stays open', async () => {
  const running = skiff.start([...quiet, '-i', 'busybox', 'head', '-n', '1'], { keepStdin: true });
  running.child.stdin?.write('first\n');
  const { status, stdout } = await running.result;
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'first\n' });
});

test('a line written at the very end is not lost, 50 times', async () => {
  const command = shellQuote([...quiet, 'busybox', 'sh', '-c', 'echo last words; kill -9 $$']);
  const { stdout } = await pipeline(`for i in $(seq 50); do $SKIFF ${command}; done | sort | uniq -c`);
  expect(stdout.trim()).toBe('50 last words');
});

test('without --rm a line written at the very end is not lost either', async () => {
  const command = shellQuote([
    'run',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'echo out; echo err >&2; exit 3',
  ]);
  const { stdout } = await pipeline(
    `for i in $(seq 10); do $SKIFF ${command} 2>&1; echo $?; done | sort | uniq -c; $SKIFF rm $($SKIFF ps -aq) >/dev/null`,
  );
  expect(stdout.trim().replaceAll(/ +/g, ' ')).toBe('10 3\n 10 err\n 10 out');
});

test('the container gets stdin, stdout and stderr and no other descriptor', async () => {
  const { stdout } = await pipeline(
    `exec 7</etc/passwd 8>/dev/null; $SKIFF ${shellQuote([...quiet, 'busybox', 'ls', '/proc/self/fd'])}`,
  );
  // 3 is the directory that ls reads.
  expect(stdout.trim().split(/\s+/)).toEqual(['0', '1', '2', '3']);
});

/** sha256 of the first `size` bytes of yes(1). */
function sumOfYes(size: number): string {
  const hash = createHash('sha256');
  const block = Buffer.from('y\n'.repeat(500_000));
  for (let left = size; left > 0; left -= block.length)
    hash.update(block.subarray(0, Math.min(left, block.length)));
  return hash.digest('hex');
}
