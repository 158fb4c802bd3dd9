import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchFile, parseChecksum } from '../../../../src/builder/context/fetch-file.ts';
import { fetchGit, type GitParts } from '../../../../src/builder/context/fetch-git.ts';
import { withoutCredentials } from '../../../../src/builder/context/credentials.ts';
import { findInside } from '../../../../src/builder/context/inside.ts';
import { parseContextUrl, parseRemoteSource } from '../../../../src/builder/context/remote-source.ts';
import { digestOf } from '../../../../src/core/digest.ts';

describe('what is elsewhere', () => {
  it.each([
    ['https://h/a/b.tar.gz?x=1', { kind: 'file', name: 'b.tar.gz' }],
    ['http://h/', { kind: 'file', name: '__unnamed__' }],
    ['https://h/a%20b', { kind: 'file', name: 'a b' }],
    ['https://h/..%2Fetc', { kind: 'file', name: '__unnamed__' }],
    ['https://h/%2e%2e', { kind: 'file', name: '__unnamed__' }],
    ['https://h/r.git', { kind: 'git', remote: 'https://h/r.git', ref: undefined, directory: '' }],
    ['https://h/r.git#v1:docs', { kind: 'git', remote: 'https://h/r.git', ref: 'v1', directory: 'docs' }],
    ['https://h/r.git#:docs', { kind: 'git', ref: undefined, directory: 'docs' }],
    ['git@github.com:a/b', { kind: 'git', remote: 'git@github.com:a/b' }],
    ['git@h:a/b.git#main', { kind: 'git', remote: 'git@h:a/b.git', ref: 'main' }],
    ['ssh://git@h/a', { kind: 'git', remote: 'ssh://git@h/a' }],
    ['git://h/a#x', { kind: 'git', remote: 'git://h/a', ref: 'x' }],
  ])('%s', (text, expected) => {
    expect(parseRemoteSource(text)).toMatchObject(expected);
  });

  it.each(['a.git', './https://x', 'ftp://h/a', 'dir/git@h:x', 'http:/x', 'a:b'])('%s is a path', (text) => {
    expect(parseRemoteSource(text)).toBeUndefined();
  });
});

it('a context may leave out the scheme of github.com', () => {
  expect(parseContextUrl('github.com/a/b#main:c')).toEqual({
    ...{ kind: 'git', remote: 'https://github.com/a/b', ref: 'main', directory: 'c' },
  });
  expect(parseContextUrl('example.com/a/b')).toBeUndefined();
});

it.each([
  ['ADD https://me:secret@h/x /y', 'ADD https://***@h/x /y'],
  ['ssh://git@h/a and http://t@h', 'ssh://***@h/a and http://***@h'],
  ['http://h/a@b http://h?c@d', 'http://h/a@b http://h?c@d'],
])('a message has no credentials: %s', (text, expected) => {
  expect(withoutCredentials(text)).toBe(expected);
});

let dir: string;
let server: Server;
let origin: string;

beforeEach(async () => {
  dir = mkdtempSync(`${tmpdir()}/skiff-remote-`);
  mkdirSync(`${dir}/www`);
  mkdirSync(`${dir}/out`);
  server = createServer((request, response) => {
    const path = `${dir}/www${new URL(request.url ?? '', 'http://x').pathname}`;
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile() !== true) return void response.writeHead(404).end();
    response.writeHead(200, { 'last-modified': 'Mon, 02 Jan 2006 15:04:05 GMT' });
    response.end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});

it('links of a foreign directory lead nowhere but within it', () => {
  mkdirSync(`${dir}/www/sub`);
  writeFileSync(`${dir}/www/etc`, '');
  symlinkSync('/etc', `${dir}/www/sub/link`);
  symlinkSync('../../../../sub', `${dir}/www/up`);
  expect(findInside(`${dir}/www`, 'sub/link')).toEqual({ path: `${dir}/www/etc`, type: 'file' });
  expect(findInside(`${dir}/www`, 'up')).toEqual({ path: `${dir}/www/sub`, type: 'dir' });
  expect(findInside(`${dir}/www`, '../..')).toEqual({ path: `${dir}/www`, type: 'dir' });
  expect(findInside(`${dir}/www`, 'sub/none')).toBeUndefined();
});

const quiet = { warn() {}, info() {}, debug() {} };
const web = {
  config: { offline: false, mirrors: {}, insecureRegistries: [] },
  env: {},
  log: quiet,
};

describe('ADD of a URL', () => {
  const fetchIt = (checksum?: string, path = 'f') =>
    fetchFile(
      web,
      { url: new URL(`${origin}/${path}`), name: 'f', checksum, known: undefined },
      `${dir}/out`,
    );

  it('is for root alone, and as old as the server says', async () => {
    writeFileSync(`${dir}/www/f`, 'content');
    await fetchIt(digestOf('content'));
    const stat = statSync(`${dir}/out/f`);
    expect(readFileSync(`${dir}/out/f`, 'utf8')).toBe('content');
    expect([stat.mode & 0o7777, stat.mtimeMs]).toEqual([0o600, Date.UTC(2006, 0, 2, 15, 4, 5)]);
  });

  it('with another checksum leaves nothing', async () => {
    writeFileSync(`${dir}/www/f`, 'content');
    await expect(fetchIt(digestOf('other'))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', exitCode: 1 });
    expect(readdirSync(`${dir}/out`)).toEqual([]);
    await expect(fetchIt(undefined, 'none')).rejects.toThrow('the server answers with status 404');
    expect(readdirSync(`${dir}/out`)).toEqual([]);
  });

  it.each(['sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', 'abc', ''])(
    'refuses the checksum %j',
    (text) => {
      expect(() => parseChecksum(text)).toThrow(`--checksum=${text}: expected sha256:`);
    },
  );
});

describe('ADD of a git repository', () => {
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  };
  const parts = (): GitParts => ({ env, signal: new AbortController().signal, offline: false });
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: `${dir}/work`,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();

  /** A repository with two commits, the first tagged v1, served as plain files. */
  function publish(): [first: string, second: string] {
    mkdirSync(`${dir}/work/docs`, { recursive: true });
    git('init', '-q', '-b', 'main');
    writeFileSync(`${dir}/work/docs/a`, 'one');
    git('add', '.');
    git('commit', '-q', '-m', 'one');
    git('tag', 'v1');
    const first = git('rev-parse', 'HEAD');
    writeFileSync(`${dir}/work/docs/a`, 'two');
    git('commit', '-q', '-am', 'two');
    const second = git('rev-parse', 'HEAD');
    git('clone', '-q', '--bare', '.', `${dir}/www/r.git`);
    execFileSync('git', ['update-server-info'], { cwd: `${dir}/www/r.git` });
    return [first, second];
  }

  const fetchIt = (ref: string | undefined, keepGitDir = false): Promise<string> =>
    fetchGit(
      parts(),
      { remote: `${origin}/r.git`, ref, directory: '' },
      { directory: `${dir}/out`, keepGitDir },
    ).then(({ commit }) => commit);

  it('has the files of the commit, and no history', async () => {
    const [, second] = publish();
    expect(await fetchIt(undefined)).toBe(second);
    expect(readdirSync(`${dir}/out`)).toEqual(['docs']);
    expect(readFileSync(`${dir}/out/docs/a`, 'utf8')).toBe('two');
  });

  it('of a tag, keeping .git, whatever the umask', async () => {
    const [first] = publish();
    const umask = process.umask(0o077);
    expect(await fetchIt('v1', true).finally(() => process.umask(umask))).toBe(first);
    expect(readdirSync(`${dir}/out`).sort()).toEqual(['.git', 'docs']);
    // Who built, and when.
    for (const name of ['logs', 'FETCH_HEAD']) expect(readdirSync(`${dir}/out/.git`)).not.toContain(name);
    expect(statSync(`${dir}/out/docs/a`).mode & 0o777).toBe(0o644);
  });

  it('of a commit', async () => {
    const [first] = publish();
    expect(await fetchIt(first)).toBe(first);
    expect(readFileSync(`${dir}/out/docs/a`, 'utf8')).toBe('one');
  });

  it('says what git says', async () => {
    publish();
    await expect(fetchIt('nosuch')).rejects.toThrow(/fetching "http:.*r.git": .*nosuch/);
    await expect(fetchIt('--upload-pack=touch /tmp/x')).rejects.toThrow('is no name of a branch');
    await expect(
      fetchGit(
        { ...parts(), offline: true },
        { remote: 'x', ref: undefined, directory: '' },
        { directory: dir, keepGitDir: false },
      ),
    ).rejects.toMatchObject({ code: 'OFFLINE' });
    await expect(
      fetchGit(
        parts(),
        { remote: `ext::sh -c id`, ref: undefined, directory: '' },
        { directory: `${dir}/out`, keepGitDir: false },
      ),
    ).rejects.toThrow(/not allowed/);
  });
});
