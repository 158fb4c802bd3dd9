// `logs`: selection, rotation, and following without losing or doubling a line.

import { appendFileSync, existsSync, readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';

const skiff = sandbox({ sharedStore: true });
const run = (...more: string[]): string[] => ['run', '-d', '--network', 'none', ...more];
const numbers = (count: number): string => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('');

describe('logs -f', () => {
  test('shows every line once and in order, through rotation and the end', async () => {
    const script = 'sleep 0.3; i=1; while [ $i -le 60000 ]; do echo $i; i=$((i+1)); done';
    const options = ['--log-opt', 'max-size=300k', '--log-opt', 'max-file=50'];
    await skiff.run(run('--name', 'many', ...options, 'busybox', 'sh', '-c', script), { stdout: /./ });
    const { stdout } = await skiff.run(['logs', '-f', 'many']);
    expect(stdout === numbers(60000)).toBe(true);
    await skiff.run(['logs', 'many'], { stdout: numbers(60000) });
    await skiff.run(['rm', 'many'], { stdout: 'many\n' });
  });

  test('a flood, through rotation and the end: every line once and in order', async () => {
    // As fast as a container can: half a million lines, and a new file about every twelve thousand.
    const count = 500_000;
    const options = ['--log-opt', 'max-size=1m', '--log-opt', 'max-file=1000'];
    const script = `sleep 0.3; seq ${count}`;
    await skiff.run(run('--name', 'flood', ...options, 'busybox', 'sh', '-c', script), { stdout: /./ });
    const following = skiff.start(['logs', '-f', 'flood'], { timeoutMs: 110_000 });
    await skiff.run(['wait', 'flood'], { stdout: '0\n', timeoutMs: 110_000 });
    const wanted = numbers(count);
    const { status, stdout, stderr } = await following.result;
    expect([status, stderr, stdout === wanted]).toEqual([0, '', true]);
    const id = (await skiff.run(['inspect', '-f', '{{.Id}}', 'flood'])).stdout.trim();
    const files = readdirSync(`${skiff.store}/containers/${id}`).filter((name) => name.startsWith('log'));
    expect(files.length).toBeGreaterThan(20);
    expect((await skiff.run(['logs', 'flood'])).stdout === wanted).toBe(true);
    await skiff.run(['logs', '-n', '2', 'flood'], { stdout: `${count - 1}\n${count}\n` });
    await skiff.run(['rm', 'flood'], { stdout: 'flood\n' });
  });

  test('both streams, each to its own, without a newline where there was none', async () => {
    const long = 'x'.repeat(40_000); // three entries of the log
    const script = `sleep 0.2; i=0; while [ $i -lt 300 ]; do echo $i; echo $i >&2; i=$((i+1)); done; echo ${long} >&2; printf end >&2`;
    await skiff.run(run('--name', 'both', 'busybox', 'sh', '-c', script), { stdout: /./ });
    const lines = numbers(299);
    const wanted = { stdout: `0\n${lines}`, stderr: `0\n${lines}${long}\nend` };
    await skiff.run(['logs', '-f', 'both'], wanted);
    await skiff.run(['logs', 'both'], wanted);
    await skiff.run(['rm', 'both'], { stdout: 'both\n' });
  });

  test('goes on over restarts, and ends with the last', async () => {
    await skiff.run(
      run('--name', 'over', '--restart', 'on-failure:2', 'busybox', 'sh', '-c', 'echo x; exit 1'),
      {
        stdout: /./,
      },
    );
    await skiff.run(['logs', '-f', 'over'], { stdout: 'x\nx\nx\n' });
    await skiff.run(['rm', 'over'], { stdout: 'over\n' });
  });

  test('a last line without a newline is there', async () => {
    await skiff.run(run('--name', 'cut', 'busybox', 'sh', '-c', 'sleep 0.2; echo a; printf b'), {
      stdout: /./,
    });
    await skiff.run(['logs', '-f', 'cut'], { stdout: 'a\nb' });
    await skiff.run(['rm', 'cut'], { stdout: 'cut\n' });
  });

  test('--until ends it while the container runs', async () => {
    await skiff.run(run('--name', 'until', 'busybox', 'sh', '-c', 'echo early; sleep 1000'), { stdout: /./ });
    await expect.poll(async () => (await skiff.run(['logs', 'until'])).stdout).toBe('early\n');
    const until = new Date(Date.now() + 300).toISOString();
    await skiff.run(['logs', '-f', '--until', until, 'until'], { stdout: 'early\n' });
    await skiff.run(['rm', '-f', 'until'], { stdout: 'until\n' });
  });
});

test('--log-opt keeps so many files of about that size', async () => {
  const options = ['--log-opt', 'max-size=10k', '--log-opt', 'max-file=3'];
  await skiff.run(run('--name', 'small', ...options, 'busybox', 'seq', '3000'), { stdout: /./ });
  await skiff.run(['wait', 'small'], { stdout: '0\n' });
  const { stdout } = await skiff.run(['inspect', '-f', '{{.Id}} {{json .HostConfig.LogConfig}}', 'small']);
  const [id = '', config = ''] = stdout.trim().split(/ (.*)/);
  expect(JSON.parse(config)).toEqual({ Type: 'json-file', Config: { 'max-size': '10k', 'max-file': '3' } });
  const dir = `${skiff.store}/containers/${id}`;
  const files = readdirSync(dir).filter((name) => name.startsWith('log'));
  expect(files.sort()).toEqual(['log', 'log.1', 'log.2']);
  for (const file of files) expect(statSync(`${dir}/${file}`).size).toBeLessThan(10 * 1024 + 200);
  const shown = await skiff.run(['logs', 'small']);
  expect(numbers(3000).endsWith(shown.stdout)).toBe(true);
  expect(shown.stdout.length).toBeGreaterThan(500);
  await skiff.run(['logs', '--tail', '2', 'small'], { stdout: '2999\n3000\n' });
  await skiff.run(['rm', 'small'], { stdout: 'small\n' });
});

test('a log that a crash has cut off goes on with a line of its own', async () => {
  await skiff.run(run('--name', 'torn', 'busybox', 'echo', 'x'), { stdout: /./ });
  await skiff.run(['wait', 'torn'], { stdout: '0\n' });
  const id = (await skiff.run(['inspect', '-f', '{{.Id}}', 'torn'])).stdout.trim();
  appendFileSync(`${skiff.store}/containers/${id}/log`, '{"log":"to');
  await skiff.run(['start', '-a', 'torn'], { stdout: 'x\n' });
  await skiff.run(['logs', 'torn'], { stdout: 'x\nx\n' });
  await skiff.run(['rm', 'torn'], { stdout: 'torn\n' });
});

test('--since and --until select by time', async () => {
  await skiff.run(run('--name', 'timed', 'busybox', 'sh', '-c', 'echo a; sleep 1.2; echo b'), {
    stdout: /./,
  });
  await skiff.run(['wait', 'timed'], { stdout: '0\n' });
  const { stdout } = await skiff.run(['logs', '-t', 'timed'], { stdout: /^\S+Z a\n\S+Z b\n$/ });
  const [first = '', second = ''] = stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
  await skiff.run(['logs', '--since', second, 'timed'], { stdout: 'b\n' });
  await skiff.run(['logs', '--until', first, 'timed'], { stdout: 'a\n' });
  await skiff.run(['logs', '--since', '1h', '--until', '0s', 'timed'], { stdout: 'a\nb\n' });
  await skiff.run(['logs', '--since', 'x', 'timed'], { status: 125, stderr: /--since "x"/ });
  await skiff.run(['rm', 'timed'], { stdout: 'timed\n' });
});

test('without a log there is none to show', async () => {
  await skiff.run(run('--name', 'quiet', '--log-driver', 'none', 'busybox', 'echo', 'x'), { stdout: /./ });
  await skiff.run(['logs', 'quiet'], { status: 1, stderr: /does not support reading \(none\)/ });
  await skiff.run(['rm', '-f', 'quiet'], { stdout: 'quiet\n' });
});

// With one: test/vm/run.sh.
test.skipIf(existsSync('/run/systemd/journal/socket'))('journald needs a journal', async () => {
  for (const command of [['run', '-d'], ['run', '--rm'], ['create']]) {
    await skiff.run([...command, '--name', 'none', '--log-driver', 'journald', 'busybox', 'true'], {
      status: 125,
      stdout: '',
      stderr: /^Error: --log-driver journald: there is no journal here: .*socket is missing\n.*json-file/,
    });
  }
  await skiff.run(['ps', '-aq'], { stdout: '' });
});
