// diff: what a container changed, as docker shows it, with and without subordinate ids.

import { afterAll, describe, expect, test } from 'vitest';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const run = ['run', '--network', 'none', '--pull', 'never'];
/** Adds, changes and deletes, all of it in directories that root alone may read. */
const WORK = [
  'echo hi > /root/x; ln /root/x /root/xx; mkfifo /root/p',
  'rm /etc/group; rm -rf /usr; mkdir -p /usr/z /newdir; echo y > /newdir/y; chmod 700 /var/log',
].join('; ');
const EXPECTED = `C /etc
D /etc/group
A /newdir
A /newdir/y
C /root
A /root/p
A /root/x
A /root/xx
C /usr
D /usr/bin
A /usr/z
C /var
C /var/log
`;

const ordinary = sandbox({ sharedStore: true });
const { userWithoutRanges } = world();
const single = userWithoutRanges === undefined ? undefined : sandbox({ user: userWithoutRanges });

afterAll(async () => {
  for (const engine of [ordinary, single])
    await engine?.run(['rm', '-fv', '--all'], { status: null, stderr: /^/ });
});

async function busybox(engine: Engine): Promise<void> {
  if (engine === ordinary) return;
  await engine.run(['load', '-q', '-i', world().fixtures.busyboxOciArchive ?? ''], {
    stdout: /^/,
    stderr: /^/,
  });
}

describe.each([
  ['with subordinate ids', 'subuid', ordinary],
  ['with a single id', 'user-without-ranges', single],
] as const)('%s', (_title, capability, engine) => {
  test('everything a container changed, sorted, and nothing that skiff made', async (context) => {
    requires(context, 'busybox-image', capability);
    const skiff = engine as Engine;
    await busybox(skiff);
    await skiff.run([...run, '--name', 'work', 'busybox', 'sh', '-c', WORK], { stderr: /^/ });
    await skiff.run(['diff', 'work'], { stdout: EXPECTED });
    const { stdout } = await skiff.run(['container', 'diff', '--format', 'json', 'work']);
    expect(JSON.parse(stdout)).toEqual({
      changed: ['/etc', '/root', '/usr', '/var', '/var/log'],
      added: ['/newdir', '/newdir/y', '/root/p', '/root/x', '/root/xx', '/usr/z'],
      deleted: ['/etc/group', '/usr/bin'],
    });
    await skiff.run(['diff', '--format', '{{.Type}}{{.Path}}', 'work'], {
      stdout: /^C\/etc\nD\/etc\/group\n/,
    });
    await skiff.run(['rm', '-v', 'work'], { stdout: 'work\n' });
  });
});

test('a container that changed nothing; one that runs', async (context) => {
  requires(context, 'busybox-image');
  await ordinary.run([...run, '--name', 'nothing', 'busybox', 'true']);
  await ordinary.run(['diff', 'nothing'], { stdout: '' });
  await ordinary.run(['diff', '--format', 'json', 'nothing'], { stdout: '{}\n' });
  await ordinary.run(['rm', '-v', 'nothing'], { stdout: 'nothing\n' });
  const running = ordinary.start(
    [...run, '-i', '--rm', '--name', 'live', 'busybox', 'sh', '-c', 'echo > /root/new; echo ready; cat'],
    {
      keepStdin: true,
    },
  );
  await running.waitForStdout(/ready/);
  await ordinary.run(['diff', 'live'], { stdout: 'C /root\nA /root/new\n' });
  running.child.stdin?.end();
  await running.result;
});

test('names with newlines and control characters stay on their line; json has them as they are', async (context) => {
  requires(context, 'busybox-image');
  const script = String.raw`cd /tmp; touch "$(printf 'a\nA b')" "$(printf 'esc\033[31m')" "$(printf 'tab\t')" "$(printf 'byte\377')" ünï`;
  await ordinary.run([...run, '--name', 'odd', 'busybox', 'sh', '-c', script]);
  const { stdoutBytes } = await ordinary.run(['diff', 'odd']);
  expect(stdoutBytes.toString('latin1').split('\n')).toEqual([
    'C /tmp',
    String.raw`A /tmp/a\nA b`,
    'A /tmp/byte\xff',
    String.raw`A /tmp/esc\x1b[31m`,
    String.raw`A /tmp/tab\t`,
    `A /tmp/${Buffer.from('ünï').toString('latin1')}`,
    '',
  ]);
  const { stdout } = await ordinary.run(['diff', '--format', 'json', 'odd']);
  expect(JSON.parse(stdout)).toMatchObject({
    added: ['/tmp/a\nA b', expect.any(String), '/tmp/esc\u001b[31m', '/tmp/tab\t', '/tmp/ünï'],
  });
  await ordinary.run(['rm', '-v', 'odd'], { stdout: 'odd\n' });
});

test.each([
  { args: ['nobody'], status: 1, stderr: /no such container: nobody/ },
  { args: [], status: 125, stderr: /argument/ },
  { args: ['a', 'b'], status: 125, stderr: /argument/ },
  { args: ['--bad', 'a'], status: 125, stderr: /--bad/ },
  { args: ['--format', '{{.Nope}}', 'made'], status: 125, stderr: /Nope/ },
])('diff $args fails with $status', async ({ args, status, stderr }) => {
  if (args.includes('made')) {
    if (world().missing['busybox-image'] !== undefined) return;
    await ordinary.run([...run, '--name', 'made', 'busybox', 'true']);
  }
  await ordinary.run(['diff', ...args], { status, stdout: '', stderr });
});

test('a container made from a directory has no layer to compare', async (context) => {
  requires(context, 'busybox-image');
  const root = ordinary.makeDir('root');
  await ordinary.run(['run', '--network', 'none', '--rootfs', '--name', 'dir', root, '/none'], {
    status: 127,
    stderr: /^/,
  });
  await ordinary.run(['diff', 'dir'], { status: 1, stderr: /made from the directory ".*root"/ });
  await ordinary.run(['rm', '-v', 'dir'], { stdout: 'dir\n' });
});
