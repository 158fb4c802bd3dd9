// commit: an image of what a container changed. Other tools read what comes of it, and so does skiff.

import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { requires, type Capability } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const { userWithoutRanges, fixtures } = world();
const ordinary = sandbox({ sharedStore: true });
const single = userWithoutRanges === undefined ? undefined : sandbox({ user: userWithoutRanges });
const run = ['run', '--network', 'none', '--pull', 'never'];
const NOTE = /^([^\n]*single[^\n]*\n)?$/;
const ID = /^sha256:[0-9a-f]{64}\n$/;

afterAll(async () => {
  for (const engine of [ordinary, single]) {
    await engine?.run(['rm', '-fv', '--all'], { status: null, stdout: /^/, stderr: /^/ });
    await engine?.run(['rmi', '-f', 'new', 'new:2', 'third'], { status: null, stdout: /^/, stderr: /^/ });
    await engine?.run(['system', 'prune', '-f'], { status: null, stdout: /^/, stderr: /^/ });
  }
});

async function inspect(engine: Engine, image: string): Promise<Record<string, unknown>> {
  const [only] = JSON.parse((await engine.run(['image', 'inspect', image])).stdout) as [
    Record<string, unknown>,
  ];
  return only;
}

describe.each([
  ['with subordinate ids', 'subuid', ordinary],
  ['with a single id', 'user-without-ranges', single],
] as [string, Capability, Engine | undefined][])('%s', (_title, capability, maybe) => {
  const skiff = maybe as Engine;

  test('files, whiteouts and opaque directories; the base is left alone', async (context) => {
    requires(context, 'busybox-image', capability);
    if (skiff !== ordinary)
      await skiff.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: /^/, stderr: /^/ });
    const script =
      'echo hi > /root/x; ln /root/x /root/y; rm /etc/group; rm -r /usr; mkdir -p /usr/z; mkfifo /root/p; chmod 4711 /root/x; echo v > /vol/v';
    await skiff.run([...run, '--name', 'work', '-v', '/vol', 'busybox', 'sh', '-c', script], {
      stderr: NOTE,
    });
    await skiff.run(['commit', 'work', 'new'], { stdout: ID });
    const look = 'cat /root/x; stat -c "%a %h %F" /root/x /root/p; ls /usr; ls /etc/group; ls /vol';
    await skiff.run([...run, '--rm', 'new', 'sh', '-c', look], {
      status: 0,
      stdout: 'hi\n4711 2 regular file\n644 1 fifo\nz\n',
      stderr: /\/etc\/group: No such file/,
    });
    await skiff.run([...run, '--rm', 'busybox', 'ls', '/etc/group'], {
      stdout: '/etc/group\n',
      stderr: NOTE,
    });
    // On top of that once more.
    await skiff.run([...run, '--name', 'more', 'new', 'sh', '-c', 'rm /root/x; echo back > /etc/group'], {
      stderr: NOTE,
    });
    await skiff.run(['commit', 'more', 'new:2'], { stdout: ID });
    await skiff.run([...run, '--rm', 'new:2', 'sh', '-c', 'ls /root; cat /etc/group'], {
      stdout: 'p\ny\nback\n',
      stderr: NOTE,
    });
    await skiff.run(['rm', '-v', 'work', 'more'], { stdout: 'work\nmore\n' });
  });
});

test('the configuration is the container’s, with what --change says', async (context) => {
  requires(context, 'busybox-image');
  const flags = [
    '-e',
    'FROM_FLAG=1',
    '-l',
    'kept=yes',
    '-u',
    '1000:1000',
    '-w',
    '/tmp',
    '--expose',
    '80',
    '-v',
    '/data',
    '--entrypoint',
    'echo',
  ];
  await ordinary.run([...run, '--name', 'conf', ...flags, 'busybox', 'word'], { stdout: 'word\n' });
  const changes = [
    'ENV ADDED="a b"',
    'CMD ["other"]',
    'LABEL new=1',
    'STOPSIGNAL SIGINT',
    'HEALTHCHECK NONE',
  ].flatMap((text) => ['-c', text]);
  const { stdout } = await ordinary.run(
    ['container', 'commit', '--author', 'Me <me@example.com>', '-m', 'a note', ...changes, 'conf', 'new:2'],
    { stdout: ID },
  );
  expect(await inspect(ordinary, 'new:2')).toMatchObject({
    Id: stdout.trim(),
    Author: 'Me <me@example.com>',
    Comment: 'a note',
    Config: {
      User: '1000:1000',
      Env: [expect.stringMatching(/^PATH=/), 'FROM_FLAG=1', 'ADDED=a b'],
      Entrypoint: ['echo'],
      Cmd: ['other'],
      Labels: { kept: 'yes', new: '1' },
      WorkingDir: '/tmp',
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['NONE'] },
    },
  });
  await ordinary.run([...run, '--rm', 'new:2'], { stdout: 'other\n' });
  await ordinary.run(['rm', '-v', 'conf'], { stdout: 'conf\n' });
});

test('umoci and skopeo read the store and find the same', async (context) => {
  requires(context, 'busybox-image', 'umoci', 'skopeo', 'root');
  const script =
    'cd /root; echo a > a; ln a b; mkfifo p; mkdir "$(printf "odd\\nname")"; touch -d "2001-02-03 04:05:06" a; chown 1000:2000 a; chmod 600 a; rm /etc/group';
  await ordinary.run([...run, '--name', 'peer', 'busybox', 'sh', '-c', script]);
  await ordinary.run(['commit', 'peer', 'third'], { stdout: ID });
  const dir = ordinary.makeDir('peers');
  cpSync(`${ordinary.store}/oci`, `${dir}/oci`, { recursive: true });
  const image = `${dir}/oci:docker.io/library/third:latest`;
  execFileSync('umoci', ['unpack', '--image', image, `${dir}/bundle`], { stdio: 'ignore' });
  const root = `${dir}/bundle/rootfs`;
  expect(execFileSync('stat', ['-c', '%u:%g %a %h %Y', `${root}/root/a`], { encoding: 'utf8' })).toBe(
    '1000:2000 600 2 981173106\n',
  );
  expect(readdirSync(`${root}/root`)).toEqual(['a', 'b', 'odd\nname', 'p']);
  expect(readdirSync(`${root}/etc`)).not.toContain('group');
  const inspected = JSON.parse(
    execFileSync('skopeo', ['inspect', '--config', `oci:${image}`], { encoding: 'utf8' }),
  ) as { history: { created_by?: string }[] };
  expect(inspected.history.at(-1)?.created_by).toMatch(/^sh -c cd \/root/);
  rmSync(dir, { recursive: true });
  await ordinary.run(['rm', '-v', 'peer'], { stdout: 'peer\n' });
});

test('the same container gives the same layer every time', async (context) => {
  requires(context, 'busybox-image');
  await ordinary.run([
    ...run,
    '--name',
    'same',
    'busybox',
    'sh',
    '-c',
    'for i in 1 2 3 4 5; do echo $i > /tmp/$i; done',
  ]);
  const layers: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const { stdout } = await ordinary.run(['commit', 'same'], { stdout: ID });
    layers.push((await inspect(ordinary, stdout.trim()))['RootFS']);
    await ordinary.run(['rmi', stdout.trim()], { stdout: /^/ });
  }
  expect(layers[1]).toEqual(layers[0]);
  await ordinary.run(['rm', '-v', 'same'], { stdout: 'same\n' });
});

test('a running container: committed as it is, with a word about pausing', async (context) => {
  requires(context, 'busybox-image');
  const live = ordinary.start(
    [...run, '-i', '--rm', '--name', 'live', 'busybox', 'sh', '-c', 'echo now > /root/now; echo ready; cat'],
    { keepStdin: true },
  );
  await live.waitForStdout(/ready/);
  await ordinary.run(['commit', 'live', 'new'], {
    stdout: ID,
    stderr: /cannot be paused here; --pause=false/,
  });
  await ordinary.run(['commit', '--pause=false', 'live', 'new'], { stdout: ID });
  live.child.stdin?.end();
  await live.result;
  await ordinary.run([...run, '--rm', 'new', 'cat', '/root/now'], { stdout: 'now\n' });
});

test.each([
  { args: ['nobody'], status: 1, stderr: /no such container: nobody/ },
  { args: [], status: 125, stderr: /argument/ },
  { args: ['--bad', 'a'], status: 125, stderr: /--bad/ },
  { args: ['made', 'Bad Name'], status: 125, stderr: /name/ },
  { args: ['made', `name@sha256:${'0'.repeat(64)}`], status: 125, stderr: /cannot hold a digest/ },
  { args: ['-c', 'RUN x', 'made'], status: 1, stderr: /RUN is not a valid change command/ },
])('commit $args fails with $status and leaves nothing', async ({ args, status, stderr }) => {
  if (args.includes('made') && world().missing['busybox-image'] === undefined)
    await ordinary.run([...run, '--replace', '--name', 'made', 'busybox', 'true']);
  const blobs = (): string[] => readdirSync(`${ordinary.store}/oci/blobs/sha256`);
  const before = blobs();
  await ordinary.run(['commit', ...args], { status, stdout: '', stderr });
  expect(blobs()).toEqual(before);
  expect(readFileSync(`${ordinary.store}/oci/index.json`, 'utf8')).not.toContain('Bad');
});
