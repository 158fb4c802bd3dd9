// export and import: a file system as a tar, and an image from one.

import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { requires, type Capability } from '../helpers/requires.ts';
import { withTerminal } from '../helpers/terminal.ts';
import { world } from '../helpers/world.ts';

const { userWithoutRanges, fixtures } = world();
const ordinary = sandbox({ sharedStore: true });
const single = userWithoutRanges === undefined ? undefined : sandbox({ user: userWithoutRanges });
const run = ['run', '--network', 'none', '--pull', 'never'];
const NOTE = /^([^\n]*single[^\n]*\n)?$/;
const imported: string[] = [];

afterAll(async () => {
  for (const engine of [ordinary, single]) {
    await engine?.run(['rm', '-fv', '--all'], { status: null, stderr: /^/ });
    await engine?.run(['rmi', '-f', 'from-tar', ...(engine === ordinary ? imported : [])], {
      status: null,
      stdout: /^/,
      stderr: /^/,
    });
    await engine?.run(['system', 'prune', '-f'], { status: null, stdout: /^/, stderr: /^/ });
  }
});

function list(bytes: Buffer): string[] {
  return execFileSync('tar', ['-t'], { input: bytes, encoding: 'utf8', maxBuffer: 1 << 24 }).split('\n');
}

describe.each([
  ['with subordinate ids', 'subuid', ordinary],
  ['with a single id', 'user-without-ranges', single],
] as [string, Capability, Engine | undefined][])('%s', (_title, capability, maybe) => {
  test('what is exported can be imported, and is the same again', async (context) => {
    requires(context, 'busybox-image', capability);
    const skiff = maybe as Engine;
    if (skiff !== ordinary)
      await skiff.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: /^/, stderr: /^/ });
    await skiff.run(
      [
        ...run,
        '--name',
        'out',
        '-v',
        '/anonymous',
        'busybox',
        'sh',
        '-c',
        'echo hi > /root/x; rm -r /home; echo secret > /anonymous/s',
      ],
      { stderr: NOTE },
    );
    const { stdoutBytes: first } = await skiff.run(['export', 'out']);
    const names = list(first);
    expect(names).toContain('root/x');
    expect(names.filter((name) => /^(home|anonymous\/.)/.test(name))).toEqual([]);
    const { stdoutBytes: second } = await skiff.run(['container', 'export', 'out']);
    expect(second.equals(first)).toBe(true);
    await skiff.run(['import', '-c', 'CMD ["cat", "/root/x"]', '-m', 'a note', '-', 'from-tar:1'], {
      stdin: first,
      stdout: /^sha256:[0-9a-f]{64}\n$/,
    });
    await skiff.run([...run, '--rm', 'from-tar:1'], { stdout: 'hi\n', stderr: NOTE });
    const { stdout } = await skiff.run(['image', 'inspect', 'from-tar:1']);
    expect(JSON.parse(stdout)).toMatchObject([{ Comment: 'a note', RepoTags: ['from-tar:1'] }]);
    await skiff.run(['tag', 'from-tar:1', 'from-tar']);
    await skiff.run([...run, '--name', 'again', 'from-tar:1'], { stdout: 'hi\n', stderr: NOTE });
    const { stdoutBytes: third } = await skiff.run(['export', 'again']);
    expect(list(third)).toEqual(names);
    await skiff.run(['rm', '-v', 'out', 'again'], { stdout: 'out\nagain\n' });
  });
});

test('export of a running container', async (context) => {
  requires(context, 'busybox-image');
  const live = ordinary.start(
    [
      ...run,
      '-i',
      '--rm',
      '--name',
      'live',
      '--tmpfs',
      '/t',
      'busybox',
      'sh',
      '-c',
      'echo > /root/new; echo > /t/hidden; echo ready; cat',
    ],
    { keepStdin: true },
  );
  await live.waitForStdout(/ready/);
  const names = list((await ordinary.run(['export', 'live'])).stdoutBytes);
  expect([names.includes('root/new'), names.includes('t/'), names.includes('t/hidden')]).toEqual([
    true,
    true,
    false,
  ]);
  live.child.stdin?.end();
  await live.result;
});

test('-o: a whole file or none; never a terminal', async (context) => {
  requires(context, 'busybox-image');
  await ordinary.run([...run, '--name', 'file', 'busybox', 'true']);
  const dir = ordinary.makeDir('exported');
  const path = `${dir}/root.tar`;
  writeFileSync(path, 'an earlier one');
  await ordinary.run(['export', '-o', path, 'nobody'], { status: 1, stderr: /no such container/ });
  expect(readFileSync(path, 'utf8')).toBe('an earlier one');
  await ordinary.run(['export', '--output', path, 'file'], { stdout: '' });
  expect([statSync(path).size > 1e6, statSync(path).mode & 0o777]).toEqual([true, 0o600]);
  expect(readdirSync(dir)).toEqual(['root.tar']);
  await ordinary.run(['export', '-o', '/dev/null', 'file']);
  await ordinary.run(['export', '-o', '/no/where/x', 'file'], {
    status: 1,
    stderr: /directory "\/no\/where" does not exist/,
  });
  await ordinary.run(['export', '-o', dir, 'file'], { status: 1, stderr: /is a directory/ });
  const { status, output } = await withTerminal(ordinary, ['export', 'file']).end;
  expect(status).toBe(1);
  expect(output).toMatch(/cowardly refusing to save to a terminal/);
  await ordinary.run(['rm', '-v', 'file'], { stdout: 'file\n' });
});

test.each([
  { args: ['export', 'nobody'], status: 1, stderr: /no such container: nobody/ },
  { args: ['export'], status: 125, stderr: /argument/ },
  { args: ['export', '--bad', 'a'], status: 125, stderr: /--bad/ },
  { args: ['import'], status: 125, stderr: /argument/ },
  { args: ['import', '/no/such.tar'], status: 125, stderr: /"\/no\/such.tar": no such file/ },
  { args: ['import', '/etc'], status: 125, stderr: /it is a directory/ },
  { args: ['import', '/etc/passwd'], status: 125, stderr: /wrong checksum|cut off/ },
  { args: ['import', '/dev/null'], status: 125, stderr: /it is empty/ },
  { args: ['import', '/dev/null', 'Bad:Name:x'], status: 125, stderr: /lower-case|name/ },
  { args: ['import', '-c', 'FROM x', '/dev/null'], status: 1, stderr: /not a valid change command/ },
  { args: ['import', '--platform', 'a/b/c/d', '/dev/null'], status: 125, stderr: /platform/ },
  { args: ['import', 'http://127.0.0.1:1/x.tar'], status: 125, stderr: /127\.0\.0\.1/ },
])('$args fails with $status', async ({ args, status, stderr }) => {
  await ordinary.run(args, { status, stdout: '', stderr });
});

test('a tar that leads outside is refused, and nothing of it stays', async () => {
  const evil = execFileSync('tar', ['-cP', '../../etc/passwd'], {
    cwd: '/usr/share',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const blobs = (): string[] =>
    existsSync(`${ordinary.store}/oci/blobs/sha256`) ? readdirSync(`${ordinary.store}/oci/blobs/sha256`) : [];
  const before = blobs();
  await ordinary.run(['import', '-'], {
    stdin: evil,
    status: 125,
    stdout: '',
    stderr: /leads outside of it/,
  });
  expect(blobs()).toEqual(before);
});

test('import takes what is compressed, from files and from the web', async () => {
  const dir = ordinary.makeDir('compressed');
  writeFileSync(`${dir}/file`, 'content'.repeat(200));
  execFileSync(
    'sh',
    [
      '-c',
      'tar -cf root.tar file; gzip -k root.tar; for p in xz bzip2 zstd; do ! command -v $p || $p -qk root.tar; done',
    ],
    { cwd: dir },
  );
  const diffIds = new Set<string>();
  const keep = async (args: string[], options = {}): Promise<void> => {
    const { stdout } = await ordinary.run(['import', ...args], options);
    imported.push(stdout.trim());
    const inspected = JSON.parse((await ordinary.run(['image', 'inspect', stdout.trim()])).stdout) as [
      { RootFS: { Layers: string[] } },
    ];
    diffIds.add(inspected[0].RootFS.Layers.join());
  };
  const names = readdirSync(dir).filter((name) => name.startsWith('root.tar'));
  expect(names.length).toBeGreaterThanOrEqual(2);
  for (const name of names) await keep([`${dir}/${name}`]);
  const server = createServer((request, response) => {
    const ok = request.url === '/root.tar.gz';
    response.writeHead(ok ? 200 : 404).end(ok ? readFileSync(`${dir}/root.tar.gz`) : 'no');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await keep([`${url}/root.tar.gz`]);
  await ordinary.run(['import', `${url}/none`], { status: 125, stderr: /status 404/ });
  await ordinary.run(['import', `${url}/root.tar.gz`], {
    env: { SKIFF_OFFLINE: '1' },
    status: 125,
    stderr: /offline/,
  });
  server.close();
  expect(diffIds.size).toBe(1);
});
