// build: files and contexts that are elsewhere, over loopback alone: ADD of URLs and repositories, contexts that come as
// a tar, a URL or a repository.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { freePort } from '../helpers/docker-registry.ts';
import { ANY, sandbox, type RunOptions } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { tar, type TarEntry } from '../helpers/tar-writer.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();
const { fixtures, missing } = world();
const build = ['build', '--network', 'none', '--progress', 'plain'];
const run = ['run', '--rm', '--network', 'none', '--pull', 'never'];

/** What the server has, by path; anything else is 404. */
const files = new Map<string, string | Buffer>();
const asked: string[] = [];
/** Entity tags, by path. */
const tags = new Map<string, string>();
/** Paths of whole answers. */
const sent: string[] = [];
const server: Server = createServer((request, response) => {
  const path = request.url ?? '';
  asked.push(path);
  const content = files.get(path);
  if (content === undefined) return void response.writeHead(404).end();
  const etag = tags.get(path);
  if (etag !== undefined && request.headers['if-none-match'] === etag)
    return void response.writeHead(304).end();
  sent.push(path);
  if (etag !== undefined) response.setHeader('etag', etag);
  response.writeHead(200, { 'last-modified': 'Mon, 02 Jan 2006 15:04:05 GMT' }).end(content);
});
let origin = '';
let daemon: ChildProcess | undefined;
let repository = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (fixtures.busyboxOciArchive !== undefined)
    await skiff.run(['load', '-q', '-i', fixtures.busyboxOciArchive], { stdout: ANY, stderr: ANY });
  if (missing.git === undefined) repository = await publish();
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  if (daemon === undefined) return;
  const ended = new Promise((resolve) => daemon?.once('exit', resolve));
  daemon.kill();
  await ended;
});

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
    cwd: `${skiff.dir}/work`,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

/** Two commits, the first tagged v1, behind git daemon. */
async function publish(): Promise<string> {
  mkdirSync(`${skiff.dir}/work/app`, { recursive: true });
  git('init', '-q', '-b', 'main');
  writeFileSync(`${skiff.dir}/work/app/a`, 'one\n');
  writeFileSync(`${skiff.dir}/work/app/Dockerfile`, 'FROM busybox\nCOPY . /app/\n');
  symlinkSync('/etc', `${skiff.dir}/work/out`);
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  git('tag', 'v1');
  writeFileSync(`${skiff.dir}/work/app/a`, 'two\n');
  git('commit', '-q', '-am', 'two');
  git('clone', '-q', '--bare', '.', `${skiff.dir}/served/r.git`);
  const port = await freePort();
  const program = `${git('--exec-path')}/git-daemon`;
  const flags = ['--export-all', '--reuseaddr', '--listen=127.0.0.1', `--port=${port}`];
  daemon = spawn(program, [...flags, `--base-path=${skiff.dir}/served`, `${skiff.dir}/served`], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      ...{ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' },
    },
  });
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  return `git://127.0.0.1:${port}/r.git`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

let count = 0;
/** Builds a context of these files as the image `it`. */
async function built(
  dockerfile: string,
  {
    flags = [],
    more = {},
    ...options
  }: { flags?: string[]; more?: Record<string, string> } & RunOptions = {},
): Promise<{ status: number | string; stderr: string }> {
  const dir = skiff.makeDir(`context-${count++}`);
  for (const [name, text] of Object.entries({ Dockerfile: dockerfile, ...more })) {
    mkdirSync(dirname(`${dir}/${name}`), { recursive: true });
    writeFileSync(`${dir}/${name}`, text);
    if (process.getuid?.() === 0) chownSync(`${dir}/${name}`, skiff.user.uid, skiff.user.gid);
  }
  return await skiff.run([...build, '-t', 'it', ...flags, dir], { stderr: ANY, status: null, ...options });
}

const shown = async (command: string): Promise<string> =>
  (await skiff.run([...run, 'it', 'sh', '-c', command], { stdout: ANY, stderr: ANY })).stdout;

const leftovers = (): string[] => readdirSync(`${skiff.store}/tmp`).filter((name) => name !== 'blobs');

describe('ADD of a URL', () => {
  test('is a file for root alone, called as the URL calls it', async (cx) => {
    requires(cx, 'busybox-image');
    files.set('/dir/tool%20x.tar?v=1', tar([{ path: 'inside', content: 'x' }]));
    files.set('/plain', 'plain\n');
    const text = `FROM busybox\nADD ${origin}/dir/tool%20x.tar?v=1 local ${origin}/plain /got/\nADD --chmod=755 --chown=5:6 ${origin}/plain /named\n`;
    const { status, stderr } = await built(text, { more: { local: 'local\n' } });
    expect(stderr).toMatch(/DONE/);
    expect(status).toBe(0);
    expect(await shown('stat -c "%n %a %u:%g %Y" /got/* /named; cat /got/local /got/plain')).toBe(
      [
        '/got/local 644 0:0 315619200',
        '/got/plain 600 0:0 315619200',
        '/got/tool x.tar 600 0:0 315619200',
        '/named 755 5:6 315619200',
        'local',
        'plain',
        '',
      ].join('\n'),
    );
    expect((await built(text, { more: { local: 'local\n' } })).stderr).toMatch(
      /ADD --chmod[^\n]*\n#\d+ CACHED/,
    );
    files.set('/plain', 'other\n');
    const changed = await built(text, { more: { local: 'local\n' } });
    expect(changed.stderr).toMatch(/ADD --chmod[^\n]*\n#\d+ DONE/);
    expect(await shown('cat /named')).toBe('other\n');
  });

  test('--timestamp now keeps what the server says; --unpack makes files of an archive', async (cx) => {
    requires(cx, 'busybox-image');
    files.set('/a.tgz', gzipSync(tar([{ path: 'inside', content: 'x' }])));
    files.set('/f', 'f');
    const text = `FROM busybox\nADD ${origin}/f /f\nADD --unpack=true ${origin}/a.tgz /a/\n`;
    expect(await built(text, { flags: ['--timestamp', 'now'] })).toMatchObject({ status: 0 });
    expect(await shown('stat -c %Y /f; ls /a')).toBe('1136214245\ninside\n');
  });

  test('one that has not changed is not sent again', async (cx) => {
    requires(cx, 'busybox-image');
    const path = '/tagged';
    const dockerfile = (first: string) =>
      `FROM busybox\nRUN ${first}\nADD ${origin}${path} /x\nADD --chmod=644 ${origin}${path} /y\n`;
    const count = () => [asked, sent].map((list) => list.filter((one) => one === path).length);
    files.set(path, 'one\n');
    tags.set(path, '"v1"');
    await built(dockerfile('true'));
    expect(count()).toEqual([1, 1]);
    const again = await built(dockerfile('true'));
    expect(again.stderr).toMatch(/ADD http.* \/x\n#\d+ CACHED/);
    expect(count()).toEqual([2, 1]);
    // The step before it is another: its bytes are needed after all.
    await built(dockerfile('true # again'));
    expect(await shown('cat /x /y; stat -c %a /x /y')).toBe('one\none\n600\n644\n');
    files.set(path, 'two\n');
    tags.set(path, '"v2"');
    const before = count() as [number, number];
    expect(await built(dockerfile('true'))).toMatchObject({ status: 0 });
    expect(await shown('cat /x')).toBe('two\n');
    expect(count()).toEqual([before[0] + 1, before[1] + 1]);
    // A server that lies: its word is not taken twice.
    files.set(path, 'three\n');
    const lie = await built(dockerfile('true # lie'));
    expect(lie.status).toBe(1);
    expect(lie.stderr).toMatch(/said that the file is unchanged, and gives another one/);
    expect(await built(dockerfile('true # lie'))).toMatchObject({ status: 0 });
    expect(await shown('cat /x')).toBe('three\n');
  });

  test('with a checksum it is asked for once, and needs no net later', async (cx) => {
    requires(cx, 'busybox-image');
    files.set('/sum', 'content');
    const text = `FROM busybox\nADD --checksum=${digestOf('content')} ${origin}/sum /sum\n`;
    expect(await built(text)).toMatchObject({ status: 0 });
    const before = asked.length;
    const again = await built(text, { env: { SKIFF_OFFLINE: '1' } });
    expect(again.stderr).toMatch(/ADD --checksum[^\n]*\n#\d+ CACHED/);
    expect(asked).toHaveLength(before);
    const offline = await built(`FROM busybox\nADD ${origin}/sum /x\n`, { env: { SKIFF_OFFLINE: '1' } });
    expect(offline.status).toBe(1);
    expect(offline.stderr).toMatch(/offline/);
    expect(asked).toHaveLength(before);
  });

  test.each([
    ['a missing file', 'ADD ORIGIN/none /x', /failed to solve: fetching "ORIGIN\/none": .*404/],
    [
      'another checksum',
      `ADD --checksum=${digestOf('y')} ORIGIN/there /x`,
      /failed to solve: fetching "ORIGIN\/there": expected sha256:/,
    ],
    ['no checksum', 'ADD --checksum=md5:1 ORIGIN/there /x', /--checksum=md5:1: expected sha256:/],
    [
      'a checksum of a file here',
      `ADD --checksum=${digestOf('y')} local /x`,
      /checksum requires HTTP\(S\) or git sources/,
    ],
    ['two sources for one name', 'ADD ORIGIN/there local /x', /several sources need a directory/],
    [
      'a password',
      'ADD http://me:hunter2@127.0.0.1:1/x /x',
      /a name and password in a URL are not supported/,
    ],
  ])('%s is an error', async (_, instruction, message) => {
    files.set('/there', 'there');
    const text = `FROM scratch\n${instruction.replaceAll('ORIGIN', origin)}\n`;
    const { status, stderr } = await built(text, { more: { local: 'x' } });
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(message.source.replaceAll('ORIGIN', origin)));
    expect(stderr).not.toContain('hunter2');
    expect(leftovers()).toEqual([]);
  });
});

describe('ADD of a repository', () => {
  test('has the files of a directory of a commit, and .git when it is kept', async (cx) => {
    requires(cx, 'busybox-image', 'git');
    const text = `FROM busybox\nADD ${repository}#v1:app /v1\nADD --keep-git-dir=true ${repository} /now/\n`;
    expect(await built(text)).toMatchObject({ status: 0 });
    expect(await shown('cat /v1/a /now/app/a; ls -A /v1 /now; stat -c %u:%g /now/app/a')).toBe(
      'one\ntwo\n/now:\n.git\napp\nout\n\n/v1:\nDockerfile\na\n0:0\n',
    );
    expect((await built(text)).stderr).toMatch(/ADD --keep[^\n]*\n#\d+ CACHED/);
  });

  test('a commit in the cache needs no net; --checksum names one', async (cx) => {
    requires(cx, 'busybox-image', 'git');
    const commit = git('rev-parse', 'v1');
    const text = `FROM busybox\nADD ${repository}#${commit} /r/\n`;
    expect(await built(text)).toMatchObject({ status: 0 });
    const again = await built(text, { env: { SKIFF_OFFLINE: '1' } });
    expect(again.stderr).toMatch(/ADD git:[^\n]*\n#\d+ CACHED/);
    const pinned = `FROM busybox\nADD --checksum=${commit.slice(0, 12)} ${repository}#v1 /r/\n`;
    expect(await built(pinned)).toMatchObject({ status: 0 });
    const moved = await built(pinned.replace('#v1', '#main'));
    expect(moved.status).toBe(1);
    expect(moved.stderr).toMatch(new RegExp(`expected commit ${commit.slice(0, 12)}, got [0-9a-f]{40}`));
  });

  test('what it does not have is an error', async (cx) => {
    requires(cx, 'git');
    for (const [fragment, message] of [
      ['#nosuch', /fetching "git:[^"]*": .*nosuch/],
      ['#v1:none', /has no directory "none"/],
      // A link to /etc.
      ['#v1:out', /has no directory "out"/],
      ['#--upload-pack=id', /is no name of a branch/],
    ] as const) {
      const { status, stderr } = await built(`FROM scratch\nADD ${repository}${fragment} /\n`);
      expect(status).toBe(1);
      expect(stderr).toMatch(message);
      expect(leftovers()).toEqual([]);
    }
  });

  test('without git, and offline, it says so', async (cx) => {
    requires(cx, 'git', 'subuid');
    const bin = skiff.makeDir('bin');
    for (const name of ['newuidmap', 'newgidmap']) symlinkSync(`/usr/bin/${name}`, `${bin}/${name}`);
    const text = `FROM scratch\nADD ${repository} /\n`;
    const without = await built(text, { env: { PATH: bin } });
    expect(without.status).toBe(1);
    expect(without.stderr).toMatch(/git cannot be run \(ENOENT\)\n.*install git/);
    const offline = await built(text, { env: { SKIFF_OFFLINE: '1' } });
    expect(offline.status).toBe(1);
    expect(offline.stderr).toMatch(/told to stay offline/);
  });
});

describe('a context from elsewhere', () => {
  const DOCKERFILE = 'FROM busybox\nCOPY . /app/\n';
  const entries = (): TarEntry[] => [
    { path: 'Dockerfile', content: DOCKERFILE },
    { path: 'sub/other', content: 'FROM busybox\nCOPY a /other\n' },
    { path: 'a', content: 'a\n' },
    { path: 'hidden', content: 'hidden\n' },
    { path: '.dockerignore', content: 'hidden\n' },
  ];
  const from = async (context: string, options: object = {}, ...flags: string[]) =>
    await skiff.run([...build, '-t', 'it', ...flags, context], { stderr: ANY, status: null, ...options });

  test('a tar on stdin, compressed or not', async (cx) => {
    requires(cx, 'busybox-image');
    expect(await from('-', { stdin: tar(entries()) })).toMatchObject({ status: 0 });
    expect(await shown('ls -A /app; cat /app/a')).toBe('.dockerignore\nDockerfile\na\nsub\na\n');
    const again = await from('-', { stdin: gzipSync(tar(entries())) });
    expect(again.stderr).toMatch(/COPY \. \/app\/\n#\d+ CACHED/);
    expect(await from('-', { stdin: tar(entries()) }, '-f', 'sub/other')).toMatchObject({ status: 0 });
    expect(await shown('cat /other')).toBe('a\n');
    expect(leftovers()).toEqual([]);
  });

  test('a URL of a tar, and of a Dockerfile', async (cx) => {
    requires(cx, 'busybox-image');
    files.set('/context', gzipSync(tar(entries())));
    files.set('/Dockerfile', 'FROM busybox\nLABEL from=url\n');
    const { status, stderr } = await from(`${origin}/context`);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^#0 \[internal\] load build context http/m);
    expect(await shown('cat /app/a')).toBe('a\n');
    expect(await from(`${origin}/Dockerfile`)).toMatchObject({ status: 0 });
    const stdin = 'FROM busybox\nCOPY a /from-stdin\n';
    expect(await from(`${origin}/context`, { stdin }, '-f', '-')).toMatchObject({ status: 0 });
    expect(await shown('cat /from-stdin')).toBe('a\n');
    const check = await skiff.run(['build', '--check', `${origin}/context`], { stdout: ANY });
    expect(check.stdout).toBe('Check complete, no warnings found.\n');
    expect(leftovers()).toEqual([]);
  });

  test('a directory of a repository', async (cx) => {
    requires(cx, 'busybox-image', 'git');
    expect(await from(`${repository}#v1:app`)).toMatchObject({ status: 0 });
    expect(await shown('cat /app/a; ls -A /app')).toBe('one\nDockerfile\na\n');
    const out = await from(`${repository}#v1:out`);
    expect(out.status).toBe(1);
    expect(out.stderr).toMatch(/has no directory "out"/);
    const ref = await from(`${repository}#nosuch`);
    expect(ref.status).toBe(1);
    expect(ref.stderr).toMatch(/nosuch/);
    expect(leftovers()).toEqual([]);
  });

  test('named contexts: a tar, a repository, an image’s layout', async (cx) => {
    requires(cx, 'busybox-image', 'git');
    files.set('/named', gzipSync(tar(entries())));
    files.set('/plain', 'text');
    const text = 'FROM busybox\nCOPY --from=src . /src/\nCOPY --from=repo app/a /repo\n';
    const named = ['--build-context', `src=${origin}/named`, '--build-context', `repo=${repository}#v1`];
    const unused = ['--build-context', `unused=${origin}/nowhere`];
    const { status, stderr } = await built(text, { flags: [...named, ...unused] });
    expect(status).toBe(0);
    expect(stderr).toMatch(/\[internal\] load build context http:.*named/);
    expect(await shown('ls -A /src; cat /repo')).toBe('.dockerignore\nDockerfile\na\nhidden\nsub\none\n');
    const plain = await built('FROM busybox\nCOPY --from=src . /\n', {
      flags: ['--build-context', `src=${origin}/plain`],
    });
    expect(plain.status).toBe(1);
    expect(plain.stderr).toMatch(/build context "src": "http.*" is no archive/);
    const layout = `oci-layout://${fixtures.busyboxLayout ?? ''}`;
    const from = 'FROM base\nCOPY --from=base /bin/busybox /other\n';
    expect(await built(from, { flags: ['--build-context', `base=${layout}`] })).toMatchObject({ status: 0 });
    expect(await built(from, { flags: ['--build-context', `base=${layout}:latest`] })).toMatchObject({
      status: 0,
    });
    const tag = await built(from, { flags: ['--build-context', `base=${layout}:nosuch`] });
    expect(tag.stderr).toMatch(/its index.json has no image with the tag "nosuch"/);
    const target = await built(from, { flags: ['--build-context', 'base=target:x'] });
    expect(target.stderr).toMatch(/targets are of bake files/);
    // Only the command line says what of this machine is read.
    expect((await built(`FROM ${layout}\n`)).status).not.toBe(0);
    expect(leftovers()).toEqual([]);
  });

  test('a Dockerfile on stdin with a directory', async (cx) => {
    requires(cx, 'busybox-image');
    const dir = skiff.makeDir('with-stdin');
    writeFileSync(`${dir}/a`, 'here\n');
    const stdin = 'FROM busybox\nCOPY a /a\n';
    expect(await from(dir, { stdin }, '-f', '-')).toMatchObject({ status: 0 });
    expect(await shown('cat /a')).toBe('here\n');
  });

  test.each<[string, () => TarEntry[], RegExp]>([
    ['climbs out', () => [...entries(), { path: '../../out', content: 'x' }], /out/],
    [
      'writes through a link',
      () => [
        { path: 'd', type: 'symlink', link: '/tmp' },
        { path: 'd/skiff-out', content: 'x' },
        ...entries(),
      ],
      /.*/,
    ],
    [
      'has a Dockerfile elsewhere',
      () => [{ path: 'Dockerfile', type: 'symlink', link: '/etc/passwd' }],
      /open Dockerfile: no such file/,
    ],
    [
      'has a fifo for a Dockerfile',
      () => [{ path: 'Dockerfile', type: 'fifo' }],
      /open Dockerfile: no such file/,
    ],
    ['has no Dockerfile', () => [{ path: 'a', content: '' }], /open Dockerfile: no such file/],
    ['is cut', () => [{ path: 'a', content: 'x', lieAboutSize: 5000 }], /build context/],
  ])('a tar that %s does no harm', async (_, hostile, message) => {
    const { stderr } = await from('-', { stdin: tar(hostile()) });
    expect(stderr).toMatch(message);
    expect(existsSync('/tmp/skiff-out')).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test('an ignore file that is a link leads nowhere', async (cx) => {
    requires(cx, 'busybox-image');
    const list = entries().filter(({ path }) => path !== '.dockerignore');
    const stdin = tar([...list, { path: '.dockerignore', type: 'fifo' }]);
    const { status } = await from('-', { stdin }, '-f', 'sub/other');
    expect(status).toBe(0);
  });

  test.each([
    ['a missing URL', () => `${origin}/gone`, /fetching "http[^"]*gone": .*404/],
    ['a path that is not there', () => 'nowhere', /path "nowhere" not found/],
    ['a password', () => 'http://me:hunter2@127.0.0.1:1/x', /a name and password/],
    ['a password for git', () => 'http://me:hunter2@127.0.0.1:1/x.git', /fetching "http:\/\/\*\*\*@127/],
  ])('%s is an error', async (_, context, message) => {
    const { status, stderr } = await from(context());
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('hunter2');
  });
});
