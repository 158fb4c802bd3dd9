// cp by docker's rules: every kind of source and destination, both ways, in containers that run and that do not.

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sandbox, type Engine, type Running } from '../helpers/engine.ts';
import { requires, type Capability } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const { userWithoutRanges, fixtures } = world();
const ordinary = sandbox({ sharedStore: true });
const single = userWithoutRanges === undefined ? undefined : sandbox({ user: userWithoutRanges });
const run = ['run', '--network', 'none', '--pull', 'never'];
const missing = world().missing['busybox-image'] !== undefined;
const NOTE = /^([^\n]*single[^\n]*\n)?$/;

/** What every container and every host folder begins with. */
const SETUP =
  'mkdir -p dir/sub old; echo file > file; echo a > dir/a; echo b > dir/sub/b; chmod 700 dir; chmod 640 dir/a; ' +
  'ln -s file flink; ln -s dir dlink; ln -s /no/where dangling; echo old > old/a; touch -d "2001-02-03 04:05:06" file';

function sh(engine: Engine, script: string, cwd: string): string {
  return execFileSync(
    'setpriv',
    [`--reuid=${engine.user.uid}`, `--regid=${engine.user.gid}`, '--clear-groups', 'sh', '-c', script],
    {
      cwd,
      encoding: 'utf8',
    },
  );
}

let folders = 0;

/** A folder of the host with the files of SETUP. */
function host(engine: Engine, script = SETUP): string {
  const dir = engine.makeDir(`host-${folders++}`);
  sh(engine, script, dir);
  return dir;
}

async function inside(engine: Engine, name: string, script: string): Promise<string> {
  await engine.run(['commit', name, 'look'], { stdout: /^sha256/, stderr: NOTE });
  const { stdout } = await engine.run([...run, '--rm', 'look', 'sh', '-c', script], { stderr: NOTE });
  return stdout;
}

async function container(engine: Engine, name: string, ...flags: string[]): Promise<void> {
  await engine.run(
    [...run, '--name', name, ...flags, 'busybox', 'sh', '-c', `mkdir -p /w; cd /w; ${SETUP}`],
    { stderr: NOTE },
  );
}

afterAll(async () => {
  for (const engine of [ordinary, single]) {
    await engine?.run(['rm', '-fv', '--all'], { status: null, stderr: /^/ });
    await engine?.run(['rmi', '-f', 'look'], { status: null, stderr: /^/ });
  }
  await ordinary.run(['system', 'prune', '-f'], { status: null, stderr: /^/ });
});

interface Row {
  from: string;
  to: string;
  flags?: string[];
  /** Paths and first lines of the files there afterwards, below /w or the host's folder. */
  gives?: Record<string, string>;
  error?: RegExp;
}

/** SRC and DST relative to the two folders: docker-cp(1), "DESCRIPTION". */
const ROWS: Row[] = [
  { from: 'file', to: 'new', gives: { new: 'file' } },
  { from: 'file', to: 'new/', error: /no such directory/ },
  { from: 'file', to: 'no/new', error: /could not find the file|does not exist/ },
  { from: 'file', to: 'old/a', gives: { 'old/a': 'file' } },
  { from: 'file', to: 'old', gives: { 'old/file': 'file', 'old/a': 'old' } },
  { from: 'file', to: 'old/', gives: { 'old/file': 'file' } },
  { from: 'file', to: 'flink', gives: { flink: '-> file', file: 'file' } },
  { from: 'file', to: 'dlink', gives: { 'dir/file': 'file' } },
  { from: 'file', to: 'dangling', error: /could not find the file|does not exist/ },
  { from: 'dir', to: 'new', gives: { 'new/a': 'a', 'new/sub/b': 'b' } },
  { from: 'dir', to: 'new/', gives: { 'new/a': 'a' } },
  { from: 'dir', to: 'file', error: /cannot copy directory/ },
  { from: 'dir', to: 'old', gives: { 'old/dir/a': 'a', 'old/a': 'old' } },
  { from: 'dir/', to: 'old', gives: { 'old/dir/sub/b': 'b' } },
  { from: 'dir/.', to: 'old', gives: { 'old/a': 'a', 'old/sub/b': 'b' } },
  { from: 'dir/.', to: 'new', gives: { 'new/a': 'a', 'new/sub/b': 'b' } },
  { from: 'dir/sub/..', to: 'new', gives: { 'new/a': 'a' } },
  { from: 'flink', to: 'new', gives: { new: '-> file' } },
  { from: 'flink', to: 'old', flags: ['-L'], gives: { 'old/flink': 'file' } },
  { from: 'dlink', to: 'old', gives: { 'old/dlink': '-> dir' } },
  { from: 'dlink/', to: 'old', gives: { 'old/dlink/a': 'a' } },
  { from: 'dlink', to: 'old', flags: ['--follow-link'], gives: { 'old/dlink/a': 'a' } },
  { from: 'dlink/a', to: 'new', gives: { new: 'a' } },
  { from: 'dangling', to: 'new', gives: { new: '-> /no/where' } },
  { from: 'dangling', to: 'new', flags: ['-L'], error: /could not find the file|no such file/ },
  { from: 'missing', to: 'new', error: /could not find the file|no such file/ },
  { from: 'file/', to: 'new', error: /not a directory|no such file/ },
  { from: 'file', to: 'dir/sub', gives: { 'dir/sub/file': 'file' } },
];

describe.each([
  ['with subordinate ids', 'subuid', ordinary],
  ['with a single id', 'user-without-ranges', single],
] as [string, Capability, Engine | undefined][])('%s', (_title, capability, maybe) => {
  const engine = maybe as Engine;
  const absent = missing || world().missing[capability] !== undefined;
  beforeAll(async () => {
    if (absent) return;
    if (engine !== ordinary)
      await engine.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: /^/, stderr: /^/ });
    await container(engine, 'out');
  });

  test.for(ROWS.map((row) => ({ ...row, title: `${(row.flags ?? []).join(' ')} ${row.from} ${row.to}` })))(
    'out of a container:$title',
    async ({ from, to, flags = [], gives, error }, context) => {
      requires(context, 'busybox-image', capability);
      const dir = host(engine);
      const status = error === undefined ? 0 : 1;
      await engine.run(['cp', ...flags, `out:/w/${from}`, `${dir}/${to}`], {
        status,
        stdout: '',
        stderr: error ?? NOTE,
      });
      for (const [path, line] of Object.entries(gives ?? {})) {
        const stat = lstatSync(`${dir}/${path}`);
        expect([
          path,
          stat.isSymbolicLink()
            ? `-> ${readlinkSync(`${dir}/${path}`)}`
            : readFileSync(`${dir}/${path}`, 'utf8').trim(),
        ]).toEqual([path, line]);
        expect([stat.uid, stat.gid]).toEqual([engine.user.uid, engine.user.gid]);
      }
    },
  );

  test('into a container: the same rules', async (context) => {
    requires(context, 'busybox-image', capability);
    // One container, one folder a row; looked at all at once in the end.
    const checks: string[] = [];
    await engine.run(
      [
        ...run,
        '--name',
        'in',
        'busybox',
        'sh',
        '-c',
        ROWS.map((_, i) => `(mkdir -p /w${i}; cd /w${i}; ${SETUP})`).join('; '),
      ],
      { stderr: NOTE },
    );
    const dir = host(engine);
    for (const [i, { from, to, flags = [], gives, error }] of ROWS.entries()) {
      const status = error === undefined ? 0 : 1;
      await engine.run(['cp', ...flags, `${dir}/${from}`, `in:/w${i}/${to}`], {
        status,
        stdout: '',
        stderr: error ?? NOTE,
      });
      for (const path of Object.keys(gives ?? {}))
        checks.push(
          `p=/w${i}/${path}; if [ -L $p ]; then echo "-> $(readlink $p)"; else cat $p; fi; stat -c %u:%g $p`,
        );
    }
    const expected = ROWS.flatMap(({ gives }) => Object.values(gives ?? {})).map((line) => `${line}\n0:0\n`);
    expect(await inside(engine, 'in', checks.join('; '))).toBe(expected.join(''));
    await engine.run(['rm', '-v', 'in'], { stdout: 'in\n' });
  });
});

test('the table is whole', () => {
  expect(ROWS.length).toBe(28);
});

test('modes and times are kept, setuid only with its owner; hard links and odd names arrive', async (context) => {
  requires(context, 'busybox-image');
  const dir = host(
    ordinary,
    `${SETUP}; chmod 4755 file; ln dir/a dir/z; touch "dir/$(printf 'n\\nl')" "dir/$(printf 'b\\377')"`,
  );
  await container(ordinary, 'keep');
  await ordinary.run(['cp', `${dir}/.`, 'keep:/w/new']);
  const script =
    'cd /w/new; stat -c "%a %Y %h" file dir/a dir/z; [ -e "dir/$(printf "n\\nl")" ] && [ -e "dir/$(printf "b\\377")" ] && echo both';
  expect(await inside(ordinary, 'keep', script)).toMatch(/^755 981173106 1\n640 \d+ 2\n640 \d+ 2\nboth\n$/);
  await ordinary.run(['cp', 'keep:/w/new/.', `${dir}/back`]);
  expect(
    sh(ordinary, `diff -r dir back/dir && stat -c '%a %Y' back/file && stat -c %h back/dir/z`, dir),
  ).toBe('755 981173106\n2\n');
  await ordinary.run(['rm', '-v', 'keep'], { stdout: 'keep\n' });
});

test('--archive keeps owners that the container has; the archive on stdin has its own', async (context) => {
  requires(context, 'busybox-image', 'subuid');
  await container(ordinary, 'own');
  const dir = host(ordinary);
  const tar = (uid: number): Buffer =>
    execFileSync('tar', ['-c', `--owner=:${uid}`, '--group=:2000', 'file'], { cwd: dir });
  await ordinary.run(['cp', '-', 'own:/tmp'], { stdin: tar(1000) });
  await ordinary.run(['cp', '-a', `${dir}/file`, 'own:/tmp/mine']);
  expect(await inside(ordinary, 'own', 'stat -c %u:%g /tmp/file /tmp/mine')).toBe('1000:2000\n0:0\n');
  await ordinary.run(['cp', '-', 'own:/tmp'], {
    stdin: tar(3_000_000),
    stderr: /1 file without their owner.*"file"/,
  });
  await ordinary.run(['rm', '-v', 'own'], { stdout: 'own\n' });
});

test('tar streams: out with docker’s names, in compressed or not, only to a directory', async (context) => {
  requires(context, 'busybox-image');
  await container(ordinary, 'tar');
  const names = async (path: string): Promise<string> => {
    const { stdoutBytes } = await ordinary.run(['cp', path, '-']);
    return execFileSync('tar', ['-t'], { input: stdoutBytes, encoding: 'utf8' });
  };
  expect(await names('tar:/w/dir')).toBe('dir/\ndir/a\ndir/sub/\ndir/sub/b\n');
  expect(await names('tar:/w/dir/.')).toBe('a\nsub/\nsub/b\n');
  expect(await names('tar:w/file')).toBe('file\n');
  const dir = host(ordinary);
  const gz = execFileSync('tar', ['-cz', 'dir/sub/b'], { cwd: dir });
  await ordinary.run(['cp', '-', 'tar:/w/new'], { stdin: gz, status: 1, stderr: /must be a directory/ });
  await ordinary.run(['cp', '-', 'tar:/w/file'], { stdin: gz, status: 1, stderr: /must be a directory/ });
  await ordinary.run(['cp', '-', 'tar:/w'], { stdin: gz });
  await ordinary.run(['cp', '-', 'tar:/w'], { stdin: 'no tar at all', status: 125, stderr: /cut off/ });
  const evil = execFileSync('tar', ['-cP', '../../etc/passwd'], {
    cwd: '/usr/share',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await ordinary.run(['cp', '-', 'tar:/w'], { stdin: evil, status: 125, stderr: /leads outside/ });
  await ordinary.run(['rm', '-v', 'tar'], { stdout: 'tar\n' });
});

describe('a running container', () => {
  let live: Running | undefined;
  let volume = '';
  beforeAll(async () => {
    if (missing) return;
    volume = host(ordinary);
    const script = `mkdir /w; cd /w; ${SETUP}; ln -s / top; ln -s ../../../.. up; echo t > /t/f; echo ready; cat`;
    live = ordinary.start(
      [
        ...run,
        '-i',
        '--rm',
        '--name',
        'live',
        '--tmpfs',
        '/t',
        '-v',
        `${volume}:/vol`,
        '-v',
        `${volume}/file:/one`,
        'busybox',
        'sh',
        '-c',
        script,
      ],
      { keepStdin: true },
    );
    await live.waitForStdout(/ready/);
  });
  afterAll(async () => {
    live?.child.stdin?.end();
    await live?.result;
  });

  test('mounts are seen, both ways', async (context) => {
    requires(context, 'busybox-image');
    const dir = host(ordinary);
    await ordinary.run(['cp', 'live:/t/f', `${dir}/t`]);
    expect(readFileSync(`${dir}/t`, 'utf8')).toBe('t\n');
    await ordinary.run(['cp', `${dir}/dir`, 'live:/vol/into']);
    expect(readFileSync(`${volume}/into/sub/b`, 'utf8')).toBe('b\n');
    expect(statSync(`${volume}/into`).uid).toBe(ordinary.user.uid);
    await ordinary.run(['cp', 'live:/vol/dir/.', `${dir}/vol`]);
    expect(readFileSync(`${dir}/vol/a`, 'utf8')).toBe('a\n');
  });

  test('links that climb end at its root, and so does ".."', async (context) => {
    requires(context, 'busybox-image');
    const dir = host(ordinary);
    for (const [i, path] of [
      '/w/up/etc/passwd',
      '/w/top/etc/passwd',
      '../../etc/passwd',
      '/proc/1/root/etc/passwd',
    ].entries()) {
      await ordinary.run(['cp', `live:${path}`, `${dir}/passwd${i}`]);
      expect(readFileSync(`${dir}/passwd${i}`, 'utf8')).toContain('An App');
    }
    await ordinary.run(['cp', 'live:/proc/self/environ', dir], {
      status: 1,
      stderr: /could not find the file/,
    });
  });

  test('a file that is a mount point is not taken away', async (context) => {
    requires(context, 'busybox-image');
    const dir = host(ordinary);
    await ordinary.run(['cp', `${dir}/dir/a`, 'live:/one'], {
      status: 1,
      stderr: /busy: something is mounted there/,
    });
    await ordinary.run(['cp', `${dir}/dir/a`, 'live:/etc/hosts'], { status: 1, stderr: /busy/ });
    await ordinary.run(['cp', 'live:/one', `${dir}/one`]);
    expect(readFileSync(`${dir}/one`, 'utf8')).toBe('file\n');
  });
});

test('a container that does not run has its bind mounts, and its read-only root', async (context) => {
  requires(context, 'busybox-image');
  const dir = host(ordinary);
  await ordinary.run([...run, '--name', 'ro', '--read-only', '-v', `${dir}:/vol`, 'busybox', 'true']);
  await ordinary.run(['cp', `${dir}/file`, 'ro:/root/'], { status: 1, stderr: /read-only/ });
  await ordinary.run(['cp', `${dir}/file`, 'ro:/vol/copied']);
  expect(readFileSync(`${dir}/copied`, 'utf8')).toBe('file\n');
  await ordinary.run(['rm', '-v', 'ro'], { stdout: 'ro\n' });
});

test('directories and other files do not replace each other; a failed copy leaves the rest', async (context) => {
  requires(context, 'busybox-image');
  await container(ordinary, 'clash');
  const dir = host(ordinary, 'mkdir -p s/file s2; echo x > s/file/x; echo x > s2/dir');
  await ordinary.run(['cp', `${dir}/s/.`, 'clash:/w'], {
    status: 1,
    stderr: /cannot overwrite non-directory "file" with directory/,
  });
  await ordinary.run(['cp', `${dir}/s2/.`, 'clash:/w'], {
    status: 1,
    stderr: /cannot overwrite directory "dir"/,
  });
  expect(await inside(ordinary, 'clash', 'cat /w/file /w/dir/a')).toBe('file\na\n');
  await ordinary.run(['rm', '-v', 'clash'], { stdout: 'clash\n' });
});

test('files that the caller may not read, and folders he may not write to', async (context) => {
  requires(context, 'busybox-image', 'root');
  await container(ordinary, 'rights');
  const dir = host(ordinary);
  writeFileSync(`${dir}/secret`, 'root alone', { mode: 0o600 });
  await ordinary.run(['cp', `${dir}/secret`, 'rights:/w'], { status: 125, stderr: /EACCES/ });
  mkdirSync(`${dir}/locked`, { mode: 0o755 });
  await ordinary.run(['cp', 'rights:/w/file', `${dir}/locked/`], { status: 1, stderr: /permission denied/ });
  expect(existsSync(`${dir}/locked/file`)).toBe(false);
  for (const path of ['secret', 'locked']) rmSync(`${dir}/${path}`, { recursive: true });
  await ordinary.run(['rm', '-v', 'rights'], { stdout: 'rights\n' });
});

test.each([
  { args: ['nobody:/x', '/tmp'], status: 1, stderr: /no such container: nobody/ },
  { args: ['/etc/passwd', 'nobody:/x'], status: 1, stderr: /no such container: nobody/ },
  { args: ['a:/x', 'b:/y'], status: 1, stderr: /copying between containers is not supported/ },
  { args: ['/etc/passwd', '/tmp/x'], status: 1, stderr: /must specify at least one container source/ },
  { args: ['./a:b', '/tmp/x'], status: 1, stderr: /must specify at least one container source/ },
  { args: ['-', '-'], status: 1, stderr: /must specify at least one container source/ },
  { args: ['a:/x'], status: 125, stderr: /argument/ },
  { args: ['--bad', 'a:/x', '/tmp'], status: 125, stderr: /--bad/ },
])('cp $args fails with $status', async ({ args, status, stderr }) => {
  await ordinary.run(['cp', ...args], { status, stdout: '', stderr });
});
