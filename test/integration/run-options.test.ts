// Users, mounts, files of ours in /etc, bytes of arguments: what scripts rely on.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { execAny, shellQuote } from '../helpers/exec.ts';
import { isRoot } from '../helpers/accounts.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['run', '--rm', '--network', 'none'];

describe('bytes', () => {
  /** Runs a shell as the user, whose words can be any bytes. */
  function shell(script: Buffer): Promise<{ status: number | string; stdout: string; stderr: string }> {
    const ids = isRoot() ? { uid: skiff.user.uid, gid: skiff.user.gid } : {};
    return execAny('bash', ['-s'], {
      input: script,
      env: { ...skiff.env, SKIFF: skiff.binary },
      cwd: '/',
      ...ids,
    });
  }

  test('arguments that are not UTF-8, empty, with spaces and newlines', async () => {
    const run = `$SKIFF ${shellQuote([...none, 'busybox', 'sh', '-c', 'for a; do printf %s "$a" | od -An -tx1 -v; done', 'sh'])}`;
    const { stdout } = await shell(
      Buffer.from(
        `${run} $'\\xff\\xfe\\x80x' '' ' a b ' $'\\n' $'\\xc3\\xbc' $'\\xed\\xb2\\x80' $'\\xef\\xbf\\xbd'\n`,
      ),
    );
    expect(stdout.split('\n').map((line) => line.trim())).toEqual([
      'ff fe 80 78',
      '20 61 20 62 20',
      '0a',
      'c3 bc',
      'ed b2 80',
      'ef bf bd',
      '',
    ]);
  });

  test('environment variables that are not UTF-8', async () => {
    const run = `$SKIFF ${shellQuote([...none, '-e', 'TAKEN'])} -e $'GIVEN=\\xfe' ${shellQuote(['busybox', 'sh', '-c', 'printf %s "$TAKEN$GIVEN" | od -An -tx1'])}`;
    const { stdout, stderr } = await shell(Buffer.from(`export TAKEN=$'a\\xff'; ${run}\n`));
    expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: '61 ff fe', stderr: '' });
  });

  test('a mount source that is not UTF-8', async () => {
    const dir = skiff.makeDir('bytes');
    const { stdout, stderr } = await shell(
      Buffer.from(
        `cd ${dir}; mkdir $'d\\xff'; echo in >$'d\\xff/f'; $SKIFF ${shellQuote(none)} -v $'${dir}/d\\xff:/m\\xfe' busybox cat $'/m\\xfe/f'\n`,
      ),
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'in\n', stderr: '' });
  });

  test('very many and very long arguments', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `a${i}`);
    await skiff.run([...none, 'busybox', 'sh', '-c', 'echo $#', 'sh', ...many], { stdout: '10000\n' });
    await skiff.run([...none, 'busybox', 'sh', '-c', 'printf %s "$1" | wc -c', 'sh', 'x'.repeat(120_000)], {
      stdout: '120000\n',
    });
  });
});

describe('users', () => {
  test.each([
    ['root', [], 'uid=0(root) gid=0(root)'],
    [
      'by name, with its groups',
      ['-u', 'app'],
      'uid=1000(app) gid=1000(app) groups=1000(app),29(audio),2000(extra)',
    ],
    [
      'by number of a known user',
      ['-u', '1000'],
      'uid=1000(app) gid=1000(app) groups=1000(app),29(audio),2000(extra)',
    ],
    ['by number of nobody', ['-u', '4321'], 'uid=4321 gid=0(root)'],
    ['name:group', ['-u', 'app:audio'], 'uid=1000(app) gid=29(audio)'],
    ['number:number', ['-u', '12:34'], 'uid=12 gid=34'],
    [
      '--group-add',
      ['-u', 'app', '--group-add', 'daemon', '--group-add', '77'],
      'uid=1000(app) gid=1000(app) groups=1000(app),1(daemon),29(audio),77,2000(extra)',
    ],
  ])('%s', async (_, flags, expected) => {
    const { stdout } = await skiff.run([...none, ...flags, 'busybox', 'id']);
    const canonical = (text: string): string => {
      const [ids, groups] = text.trim().split(' groups=');
      const list = (groups ?? '')
        .split(',')
        .filter((group) => group !== '')
        .sort();
      return [ids, ...list].join(' ');
    };
    // busybox lists the main group among the groups only sometimes
    const without = (text: string): string =>
      canonical(text).replace(/ 0\(root\)| 1000\(app\)| 29\(audio\)(?=$)| 34$/g, '');
    expect(without(stdout)).toBe(without(expected));
  });

  test('HOME follows the user; -w makes its directory', async () => {
    await skiff.run([...none, '-u', 'app', '-w', '/made/for/w', 'busybox', 'sh', '-c', 'echo $HOME; pwd'], {
      stdout: '/home/app\n/made/for/w\n',
    });
    await skiff.run([...none, '-u', '4321', 'busybox', 'sh', '-c', 'echo $HOME'], { stdout: '/\n' });
  });

  test('files made in a mount belong to the caller; keep-id keeps the id', async () => {
    const dir = skiff.makeDir('shared');
    await skiff.run(
      [...none, '-v', `${dir}:/m`, 'busybox', 'sh', '-c', 'id -u; echo x >/m/as-root; stat -c %u /m'],
      { stdout: '0\n0\n' },
    );
    expect(statSync(`${dir}/as-root`)).toMatchObject({ uid: skiff.user.uid, gid: skiff.user.gid });
    const { uid } = skiff.user;
    // The first use of another id map unpacks the image for it and says so.
    await skiff.run([...none, '--userns', 'keep-id', 'busybox', 'true'], { stderr: /^/ });
    await skiff.run(
      [
        ...none,
        '--userns',
        'keep-id',
        '-v',
        `${dir}:/m`,
        'busybox',
        'sh',
        '-c',
        'id -u; echo x >/m/as-me; stat -c %u /m/as-root',
      ],
      { stdout: `${uid}\n${uid}\n` },
    );
    expect(statSync(`${dir}/as-me`).uid).toBe(uid);
  });
});

describe('-v and --mount', () => {
  test('a directory, a file, read-only, and a path that is made', async () => {
    const dir = skiff.makeDir('mount');
    writeFileSync(`${dir}/file`, 'content\n');
    await skiff.run([...none, '-v', `${dir}:/m`, 'busybox', 'cat', '/m/file'], { stdout: 'content\n' });
    await skiff.run([...none, '-v', `${dir}/file:/etc/one:ro`, 'busybox', 'cat', '/etc/one'], {
      stdout: 'content\n',
    });
    await skiff.run([...none, '-v', `${dir}:/m:ro`, 'busybox', 'sh', '-c', 'echo x >/m/x'], {
      status: 1,
      stderr: /Read-only/,
    });
    await skiff.run(
      [...none, '--mount', `type=bind,src=${dir},dst=/m/n/o,readonly`, 'busybox', 'cat', '/m/n/o/file'],
      { stdout: 'content\n' },
    );
    await skiff.run(
      [
        ...none,
        '--mount',
        `type=tmpfs,dst=/t,tmpfs-size=1m`,
        'busybox',
        'sh',
        '-c',
        'df -k /t | tail -1 | tr -s " " | cut -d" " -f2',
      ],
      { stdout: '1024\n' },
    );
    await skiff.run([...none, '--mount', `type=bind,src=${dir}/missing,dst=/m`, 'busybox', 'true'], {
      status: 125,
      stderr: /missing/,
    });
  });

  test('a symlink of the image cannot send a mount to the host', async () => {
    const dir = skiff.makeDir('escape');
    const script = `ln -s ${'../'.repeat(20)}${dir}/outside /evil`;
    mkdirSync(`${dir}/outside`);
    await skiff.run(['run', '--name', 'escape', '--network', 'none', 'busybox', 'sh', '-c', script]);
    await skiff.run(['rm', 'escape'], { stdout: /escape/ });
    await skiff.run([...none, '-v', `${dir}:/proc/self/root/../../../../etc/evil`, 'busybox', 'true'], {
      status: null,
      stderr: /^/,
    });
    expect(readFileSync('/etc/passwd', 'utf8')).toContain('root:');
  });
});

describe('/etc', () => {
  test('hosts, hostname and resolv.conf are ours', async () => {
    const { stdout } = await skiff.run([
      ...none,
      '-h',
      'box',
      '--add-host',
      'db:10.1.2.3',
      '--dns',
      '192.0.2.7',
      '--dns-search',
      'example.test',
      '--dns-option',
      'ndots:3',
      'busybox',
      'sh',
      '-c',
      'cat /etc/hosts; echo --; cat /etc/resolv.conf',
    ]);
    const [hosts = '', resolv = ''] = stdout.split('--\n');
    expect(hosts).toMatch(/^127\.0\.0\.1\s+localhost/m);
    expect(hosts).toMatch(/^10\.1\.2\.3\s+db$/m);
    expect(hosts).toMatch(/\sbox\b/);
    expect(resolv).toMatch(/^nameserver 192\.0\.2\.7$/m);
    expect(resolv).toMatch(/^search example\.test$/m);
    expect(resolv).toMatch(/^options .*ndots:3/m);
  });

  test('they can be written inside and do not reach the host', async () => {
    const before = readFileSync('/etc/hosts', 'utf8');
    await skiff.run(
      [...none, 'busybox', 'sh', '-c', 'echo "1.2.3.4 x" >>/etc/hosts && tail -n 1 /etc/hosts'],
      { stdout: '1.2.3.4 x\n' },
    );
    expect(readFileSync('/etc/hosts', 'utf8')).toBe(before);
  });
});

test('--env-file, --entrypoint, --label', async () => {
  const file = `${skiff.makeDir('env')}/vars`;
  writeFileSync(file, '# comment\nA=1\nB=two words\nTAKEN\n\nC="quoted"\n');
  await skiff.run([...none, '--env-file', file, 'busybox', 'sh', '-c', 'echo "$A|$B|$C|$TAKEN"'], {
    env: { TAKEN: 'over' },
    stdout: '1|two words|"quoted"|over\n',
  });
  await skiff.run([...none, '--entrypoint', 'echo', 'busybox', 'a', 'b'], { stdout: 'a b\n' });
});

test('--rootfs runs a directory', async () => {
  const dir = skiff.makeDir('rootfs');
  mkdirSync(`${dir}/bin`);
  writeFileSync(`${dir}/bin/busybox`, readFileSync('/bin/busybox'), { mode: 0o755 });
  await skiff.run([...none, '--rootfs', dir, '/bin/busybox', 'echo', 'from a directory'], {
    stdout: 'from a directory\n',
  });
});

test('--plan prints and does nothing', async () => {
  const { stdout } = await skiff.run([
    'run',
    '--plan=json',
    '--name',
    'planned',
    '-p',
    '8080:80',
    'busybox',
    'echo',
    'x',
  ]);
  expect(JSON.parse(stdout)).toBeTypeOf('object');
  await skiff.run(['run', '--plan', 'busybox'], { stdout: /busybox[^]*sh/ });
  await skiff.run(['ps', '-aq'], { stdout: '' });
});

describe('what cannot be done is told', () => {
  test.each<[string[], RegExp]>([
    [
      ['-v', '/etc:/etc/passwd'],
      /^Error: mounting "\/etc\/passwd": the source "\/etc" is a directory and the target is not: check that the host path is what was meant\n$/,
    ],
    [
      ['-v', '/etc/passwd:/etc'],
      /^Error: mounting "\/etc": the source "\/etc\/passwd" is no directory and the target is one: check that/,
    ],
    [
      ['--group-add', '99999999'],
      /^Error: --group-add "99999999": gid 99999999 has no id on the host\nHint: /,
    ],
  ])('%j', async (flags, stderr) => {
    await skiff.run([...none, ...flags, 'busybox', 'true'], { status: 125, stdout: '', stderr });
  });

  test('a limit above the hard one of the caller: what is used instead, also in --plan', async () => {
    const stderr =
      /^Warning: --ulimit nofile=99999999: only root may go above the hard limit of the caller \("ulimit -H"\): using (\d+)\n$/;
    const { stdout } = await skiff.run(
      [...none, '--ulimit', 'nofile=99999999', 'busybox', 'sh', '-c', 'ulimit -Hn'],
      { stderr },
    );
    const plan = await skiff.run(['run', '--plan', '--ulimit', 'nofile=99999999', 'busybox'], { stderr: '' });
    expect(plan.stdout).toMatch(new RegExp(`^limit: +ulimit nofile=${stdout.trim()}:${stdout.trim()}$`, 'm'));
  });
});

test('an empty --name, --hostname and --cidfile are as good as none', async () => {
  const empty = ['--name', '', '--hostname', '', '--cidfile', ''];
  await skiff.run([...none, ...empty, 'busybox', 'hostname'], { stdout: /^[0-9a-f]{12}\n$/ });
});

test.each<[string[], RegExp]>([
  [['-v', '/tmp:/m:ro,rw'], /^Error: -v "\/tmp:\/m:ro,rw": invalid mode: ro,rw\n$/],
  [['--network', 'host'], /^Error: skiff run: flag --network: conflicting values "none" and "host"\n/],
  [['--device', '/etc'], /^Error: --device "\/etc": error gathering .*: no device node in this directory\n$/],
  [['--no-hosts', '--add-host', 'a:1.1.1.1'], /^Error: --no-hosts: conflicting options: --add-host/],
  [['--tmpfs', '/t:size=abc'], /^Error: --tmpfs "\/t:size=abc": invalid size=abc, expected a number/],
  [
    ['--tmpfs', '/t:uid=99999999'],
    /^Error: --tmpfs "\/t:uid=99999999": uid 99999999 has no id on the host\n$/,
  ],
  [['--annotation', 'a'], /^Error: --annotation "a": expected KEY=VALUE\n$/],
  [
    ['--platform', 'bogus'],
    /^Error: reading platform "bogus": neither .*\nHint: architectures are 386, amd64,/,
  ],
])('refused up front: %j', async (flags, stderr) => {
  await skiff.run([...none, ...flags, 'busybox', 'true'], { status: 125, stdout: '', stderr });
});

test('--shm-size 0 is the default size', async () => {
  const script = 'df -k /dev/shm | tail -n 1';
  await skiff.run([...none, '--shm-size', '0', 'busybox', 'sh', '-c', script], {
    stdout: /^shm +65536 |^tmpfs +65536 /,
  });
});

test('--tmpfs takes what the kernel takes', async () => {
  const flags = ['--tmpfs', '/t:size=1m,mode=01700,uid=5,gid=6,nr_inodes=1k,huge=never'];
  await skiff.run([...none, ...flags, 'busybox', 'stat', '-c', '%a %u %g', '/t'], { stdout: '1700 5 6\n' });
});
