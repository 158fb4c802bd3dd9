// A container that stays: seen by ps, inspect and logs, removed by rm; names, ids and crashes.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { storeLeftovers } from '../helpers/leaks.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['--network', 'none'];

test('run, ps, inspect, logs, rm', async () => {
  const script = 'echo to stdout; echo to stderr >&2; exit 3';
  await skiff.run(['run', '--name', 'seen', '--label', 'a=b', ...none, 'busybox', 'sh', '-c', script], {
    status: 3,
    stdout: 'to stdout\n',
    stderr: 'to stderr\n',
  });
  await skiff.run(['ps'], {
    stdout: /^CONTAINER ID\s+IMAGE\s+COMMAND\s+CREATED\s+STATUS\s+PORTS\s+NAMES\n$/,
  });
  await skiff.run(['ps', '-a'], { stdout: /busybox[^]*Exited \(3\)[^]*seen\n/ });
  await skiff.run(['ps', '-a', '--format', '{{.Names}} {{.Image}}'], { stdout: /^seen .*busybox.*\n$/ });
  const { stdout } = await skiff.run(['inspect', 'seen']);
  const [container] = JSON.parse(stdout) as [
    Record<string, never> & { Id: string; Name: string; State: object; Config: object },
  ];
  expect(container.Name).toMatch(/^\/?seen$/);
  expect(container.State).toMatchObject({ Status: 'exited', Running: false, ExitCode: 3 });
  expect(container.Config).toMatchObject({ Labels: { a: 'b' } });
  await skiff.run(['logs', 'seen'], { stdout: 'to stdout\n', stderr: 'to stderr\n' });
  await skiff.run(['rm', container.Id.slice(0, 12)], { stdout: /./ });
  await skiff.run(['ps', '-aq'], { stdout: '' });
  await skiff.run(['inspect', 'seen'], { status: 1, stderr: /seen/, stdout: /^(\[\]\n)?$/ });
});

describe('names', () => {
  test('a name that is taken is refused; --replace takes it', async () => {
    await skiff.run(['run', '--name', 'taken', ...none, 'busybox', 'true']);
    await skiff.run(['run', '--name', 'taken', ...none, 'busybox', 'true'], { status: 125, stderr: /taken/ });
    await skiff.run(['run', '--rm', '--name', 'taken', '--replace', ...none, 'busybox', 'echo', 'new'], {
      stdout: 'new\n',
    });
    await skiff.run(['ps', '-aq'], { stdout: '' });
  });

  test('of ten runs at once with one name, one wins', async () => {
    const runs = Array.from({ length: 10 }, () =>
      skiff.start(['run', '--name', 'race', ...none, 'busybox', 'sleep', '0.5']),
    );
    const statuses = (await Promise.all(runs.map(({ result }) => result))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 0)).toHaveLength(1);
    expect(statuses.filter((status) => status === 125)).toHaveLength(9);
    await skiff.run(['rm', 'race'], { stdout: 'race\n' });
  });

  test('a name that is none', async () => {
    await skiff.run(['run', '--rm', '--name', '../../etc', ...none, 'busybox', 'true'], {
      status: 125,
      stderr: /\.\.\/\.\.\/etc/,
    });
  });
});

describe('rm', () => {
  test('of a running container is refused, -f kills it', async () => {
    const running = skiff.start([
      'run',
      '--name',
      'running',
      ...none,
      'busybox',
      'sh',
      '-c',
      'echo ready; sleep 100',
    ]);
    await running.waitForStdout(/ready/);
    await skiff.run(['ps', '--format', '{{.Names}}'], { stdout: 'running\n' });
    await skiff.run(['rm', 'running'], { status: 2, stderr: /running/ });
    await skiff.run(['rm', '-f', 'running'], { stdout: 'running\n' });
    expect((await running.result).status).toBe(137);
    await skiff.run(['ps', '-aq'], { stdout: '' });
  });

  test('of something missing: 1; several: goes on', async () => {
    await skiff.run(['rm', 'missing'], { status: 1, stderr: /missing/ });
    await skiff.run(['run', '--name', 'there', ...none, 'busybox', 'true']);
    await skiff.run(['rm', 'missing', 'there'], { status: 1, stdout: 'there\n', stderr: /missing/ });
    await skiff.run(['rm', '-f', 'missing'], { status: null, stderr: /^/ });
  });

  test('files of every user inside are gone', async () => {
    const script =
      'mkdir -p /d/e && echo x >/d/e/f && chown -R 1000:1000 /d && chmod 000 /d/e && ln -s / /d/l';
    await skiff.run(['run', '--name', 'owned', ...none, 'busybox', 'sh', '-c', script]);
    await skiff.run(['rm', 'owned'], { stdout: 'owned\n' });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

describe('--cidfile', () => {
  test('holds the id; is not overwritten', async () => {
    const file = `${skiff.dir}/home/cid`;
    await skiff.run(['run', '--rm', '--cidfile', file, ...none, 'busybox', 'hostname'], {
      stdout: /^[0-9a-f]{12}\n$/,
    });
    expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{64}$/);
    await skiff.run(['run', '--rm', '--cidfile', file, ...none, 'busybox', 'true'], {
      status: 125,
      stderr: /cid/,
    });
  });
});

describe('after a crash', () => {
  test('kill -9 of the client: the container lives on; of its monitor: it is shown as dead and can be removed', async () => {
    const running = skiff.start([
      'run',
      '--name',
      'crashed',
      ...none,
      'busybox',
      'sh',
      '-c',
      'echo ready; sleep 100',
    ]);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGKILL');
    await running.result;
    const { stdout } = await skiff.run(['ps', '-q', '--no-trunc', '--filter', 'status=running']);
    const [, , , monitor] = readFileSync(`${skiff.store}/containers/${stdout.trim()}/pid`, 'utf8').split(' ');
    process.kill(Number(monitor), 'SIGKILL');
    await expect
      .poll(async () => (await skiff.run(['ps', '-a', '--format', '{{.Names}} {{.Status}}'])).stdout, {
        timeout: 5000,
      })
      .toMatch(/crashed (Exited|Dead)/);
    await skiff.run(['rm', 'crashed'], { stdout: 'crashed\n' });
  });

  test('kill -9 of a run --rm: the next command cleans up', async () => {
    const running = skiff.start([
      'run',
      '--rm',
      '--name',
      'gone',
      ...none,
      'busybox',
      'sh',
      '-c',
      'echo ready; sleep 100',
    ]);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGKILL');
    await running.result;
    await expect.poll(async () => (await skiff.run(['ps', '-aq'])).stdout, { timeout: 5000 }).toBe('');
    await skiff.run(['run', '--rm', '--name', 'gone', ...none, 'busybox', 'true']);
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('a torn config.json does not break ps', async () => {
    await skiff.run(['run', '--name', 'torn', ...none, 'busybox', 'true']);
    const { stdout } = await skiff.run(['ps', '-aq', '--no-trunc']);
    const file = `${skiff.store}/containers/${stdout.trim()}/config.json`;
    expect(existsSync(file)).toBe(true);
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40));
    await skiff.run(['ps', '-a'], { status: null, stderr: /^/ });
    await skiff.run(['rm', '-f', stdout.trim()], { stdout: /./, stderr: /^/ });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

test('logs: --tail, --timestamps, a container that printed nothing, and none at all', async () => {
  await skiff.run(['run', '--name', 'lines', ...none, 'busybox', 'seq', '5'], { stdout: '1\n2\n3\n4\n5\n' });
  await skiff.run(['logs', '--tail', '2', 'lines'], { stdout: '4\n5\n' });
  await skiff.run(['logs', '-t', '--tail', '1', 'lines'], { stdout: /^\d{4}-\d\d-\d\dT\S+Z 5\n$/ });
  await skiff.run(['rm', 'lines'], { stdout: 'lines\n' });
  await skiff.run(['run', '--name', 'silent', ...none, 'busybox', 'true']);
  await skiff.run(['logs', 'silent'], { stdout: '' });
  await skiff.run(['rm', 'silent'], { stdout: 'silent\n' });
  await skiff.run(['logs', 'silent'], { status: 1, stderr: /silent/ });
});
