// Volumes in `run`: where their content comes from, whom it belongs to, who removes them, and that nothing half-filled is
// ever seen.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { storeLeftovers } from '../helpers/leaks.ts';
import { writeOciLayout } from '../helpers/oci-layout.ts';
import { requires } from '../helpers/requires.ts';
import { tar, type TarEntry } from '../helpers/tar-writer.ts';
import { world } from '../helpers/world.ts';
import { busyboxEntries, IMAGE_ENV } from '../setup/busybox.ts';

const { fixtures, missing, userWithoutRanges } = world();
const skiff = sandbox();
const single = sandbox(userWithoutRanges ? { user: userWithoutRanges } : {});
const none = ['run', '--network', 'none'];
const rm = [...none, '--rm'];

const CONTENT: TarEntry[] = [
  { path: 'data/', type: 'dir', mode: 0o2750, uid: 1000, gid: 1000, mtime: 1_500_000_000 },
  { path: 'data/file', uid: 1000, gid: 29, mode: 0o640, content: 'content\n' },
  { path: 'data/again', type: 'link', link: 'data/file', uid: 1000, gid: 29, mode: 0o640 },
  { path: 'data/link', type: 'symlink', link: '/etc/passwd', uid: 7 },
  { path: 'data/attributes', content: 'x', xattrs: { 'user.colour': 'green' } },
  { path: 'data/gone', content: 'x' },
  { path: 'data/secret/', type: 'dir', mode: 0o700, uid: 1000, gid: 1000 },
  { path: 'data/secret/deep/', type: 'dir', mode: 0o500, uid: 3 },
  { path: 'data/secret/deep/file', content: 'deep\n', mode: 0o400, uid: 3 },
  { path: 'data/opaque/', type: 'dir' },
  { path: 'data/opaque/old', content: 'x' },
  { path: 'empty/', type: 'dir', mode: 0o1777, uid: 1000, gid: 1000 },
  { path: 'plain/', type: 'dir', mode: 0o711 },
  { path: 'other/', type: 'dir' },
  { path: 'other/file', content: 'other\n' },
  // A mount point behind links that a host would resolve elsewhere.
  { path: 'absolute', type: 'symlink', link: '/data' },
  { path: 'climbing', type: 'symlink', link: '../../../../../../../../../../../etc' },
  { path: 'circle', type: 'symlink', link: 'circle' },
  { path: 'dangling', type: 'symlink', link: '/nowhere/below' },
];
const ABOVE: TarEntry[] = [
  { path: 'data/.wh.gone', content: '' },
  { path: 'data/opaque/', type: 'dir' },
  { path: 'data/opaque/.wh..wh..opq', content: '' },
  { path: 'data/opaque/new', content: 'new\n' },
  { path: 'data/added', content: 'added\n' },
];
/** Enough that a copy takes a while. */
const LARGE: TarEntry[] = [
  { path: 'large/', type: 'dir', uid: 1000, gid: 1000, mode: 0o700 },
  ...Array.from({ length: 400 }, (_, i): TarEntry => ({
    path: `large/${i}`,
    uid: 1000,
    gid: 1000,
    content: randomBytes(64 << 10),
  })),
];
const COUNT = 'ls /large | wc -l; cat /large/* | md5sum';

/** `content` has VOLUMEs, `plain` has none; both the same files. */
async function loadImages(engine: Engine): Promise<void> {
  const images: [name: string, layers: TarEntry[][], config: object][] = [
    ['content:1', [[...busyboxEntries(), ...CONTENT], ABOVE], { Volumes: { '/data': {}, '/empty': {} } }],
    ['plain:1', [[...busyboxEntries(), ...CONTENT], ABOVE], {}],
    ['large:1', [[...busyboxEntries(), ...LARGE]], {}],
  ];
  for (const [name, layers, config] of images) {
    const dir = engine.makeDir(`layout-${name.replace(':', '-')}`);
    writeOciLayout(dir, name, {
      layers: layers.map((entries) => ({ tar: tar(entries), compression: 'none' })),
      config: { Cmd: ['sh'], Env: IMAGE_ENV, ...config },
    });
    await engine.run(['load', '--quiet', '--input', dir], { stdout: /^/, stderr: /^/ });
  }
}

beforeAll(async () => {
  if (missing['busybox-image'] === undefined) await loadImages(skiff);
}, 120_000);

const sh = (script: string): string[] => ['sh', '-c', script];
const removeVolumes = (...names: string[]) =>
  skiff.run(['volume', 'rm', ...names], { stdout: names.map((name) => `${name}\n`).join('') });

/** What list-tree prints of /data and the like: types, modes, owners, times, attributes, links, digests. */
function listTree(flags: string[], image: string, path: string): string[] {
  return [...rm, '-v', `${fixtures.listTree ?? ''}:/list-tree:ro`, ...flags, image, '/list-tree', path];
}

describe('content of the image', () => {
  test('all of it, as the image shows it; then the volume is as it was left', async (context) => {
    requires(context, 'busybox-image', 'static-tools', 'subuid');
    const { stdout: wanted } = await skiff.run(listTree([], 'plain:1', '/data'));
    expect(wanted).toMatch(/\.\/secret\/deep\/file/);
    expect(wanted).not.toMatch(/gone|old/);
    await skiff.run(listTree(['-v', 'vol:/data'], 'plain:1', '/data'), { stdout: wanted });
    await skiff.run(listTree(['-v', 'vol:/elsewhere'], 'plain:1', '/elsewhere'), { stdout: wanted });
    await skiff.run(listTree(['-v', 'vol:/other'], 'plain:1', '/other'), { stdout: wanted });
    await skiff.run([...rm, '-v', 'vol:/data', 'plain:1', ...sh('rm -r /data/secret; ls /data/secret')], {
      status: 1,
      stderr: /secret/,
    });
    await skiff.run([...rm, '-v', 'vol:/data', 'plain:1', 'ls', '/data'], {
      stdout: 'added\nagain\nattributes\nfile\nlink\nopaque\n',
    });
    await removeVolumes('vol');
  });

  test('every kind of file there is', async (context) => {
    requires(context, 'root', 'busybox-image', 'static-tools', 'subuid');
    const odd = skiff.makeDir('odd');
    execFileSync('cp', ['-r', `${fixtures.oddLayout ?? ''}/.`, odd]);
    execFileSync('chmod', ['-R', 'a+rX', odd]);
    const { stdout } = await skiff.run(['load', '--input', odd], { stdout: /^/, stderr: /^/ });
    const image = /sha256:([0-9a-f]{64})/.exec(stdout)?.[1] ?? '';
    for (const path of ['/odd', '/change']) {
      const { stdout: wanted } = await skiff.run(listTree([], image, path));
      await skiff.run(listTree(['-v', `vol:${path}`], image, path), { stdout: wanted });
      await removeVolumes('vol');
    }
    await skiff.run(['rmi', image], { stdout: /^/, stderr: /^/ });
  });

  const directories: [path: string, shown: string][] = [
    ['/data', '2750 1000 1000'],
    ['/empty', '1777 1000 1000'],
    ['/plain', '711 0 0'],
    ['/not-there', '755 0 0'],
  ];
  test.each(directories)('the directory itself: %s', async (path, shown) => {
    const stat = ['stat', '-c', '%a %u %g', path];
    await skiff.run([...rm, '-v', `vol:${path}`, 'plain:1', ...stat], { stdout: `${shown}\n` });
    await skiff.run([...rm, '-v', path, 'plain:1', ...stat], { stdout: `${shown}\n` });
    await removeVolumes('vol');
  });

  const empty: [what: string, flags: string[], stdout: string][] = [
    ['nocopy', ['-v', 'vol:/data:nocopy'], '0\n'],
    ['volume-nocopy', ['--mount', 'type=volume,src=vol,dst=/data,volume-nocopy'], '0\n'],
    ['a directory of the host', ['-v', './bound:/data'], '0\n'],
    ['a read-only one is filled all the same', ['-v', 'vol:/data:ro'], '7\n'],
    ['--mount', ['--mount', 'source=vol,target=/data'], '7\n'],
    ['a second place', ['-v', 'vol:/other', '-v', 'bol:/data'], '7\n'],
  ];
  test.each(empty)('%s', async (_, flags, stdout) => {
    await skiff.run([...rm, ...flags, 'plain:1', ...sh('ls /data | wc -l')], { stdout, cwd: skiff.dir });
    await skiff.run(['volume', 'prune', '-af'], { stdout: /^/ });
  });

  test('one that has something in it gets nothing', async () => {
    await skiff.run([...rm, '-v', 'vol:/d', 'plain:1', 'touch', '/d/own']);
    await skiff.run([...rm, '-v', 'vol:/data', 'plain:1', 'ls', '/data'], { stdout: 'own\n' });
    await removeVolumes('vol');
  });

  const hostile: [path: string, stdout: RegExp][] = [
    ['/absolute', /^file\n$/],
    ['/climbing', /^passwd\n$/],
    ['/absolute/opaque', /^new\n$/],
    ['/climbing/../data/secret/..', /^file\n$/],
  ];
  test.each(hostile)('a mount point behind a link stays inside the image: %s', async (path, stdout) => {
    await skiff.run(
      [...rm, '-v', `vol:${path}`, 'plain:1', ...sh(`ls ${path} | grep -x -e file -e passwd -e new`)],
      {
        stdout,
      },
    );
    const { stdout: copied } = await skiff.run([...rm, '-v', 'vol:/v', 'plain:1', 'cat', '/v/passwd'], {
      status: null,
      stderr: /^/,
    });
    expect(copied === '' || copied.startsWith('root:x:0:0:root:/root:/bin/sh\ndaemon')).toBe(true);
    await removeVolumes('vol');
  });

  test.each(['/circle', '/data/file'])('a mount point that is no directory: %s', async (path) => {
    await skiff.run([...rm, '-v', `vol:${path}`, 'plain:1', 'true'], {
      status: 125,
      stderr: new RegExp(path),
    });
    await removeVolumes('vol');
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('owners under another id map are what the ids say; removal works all the same', async (context) => {
    requires(context, 'subuid');
    await skiff.run([...rm, '-v', 'vol:/data', 'plain:1', 'true']);
    const stat = sh('stat -c %u /data');
    const { stdout } = await skiff.run(
      [...rm, '--userns', 'keep-id', '-v', 'vol:/data', 'plain:1', ...stat],
      {
        stderr: /^/,
      },
    );
    expect(stdout).not.toBe('1000\n');
    await removeVolumes('vol');
    await skiff.run([...rm, '--userns', 'keep-id', '-v', 'vol:/data', 'plain:1', ...stat], {
      stdout: '1000\n',
      stderr: /^/,
    });
    await removeVolumes('vol');
  });
});

describe('never half-filled', () => {
  test('of two at once one copies and the other waits', async () => {
    const { stdout } = await skiff.run([...rm, 'large:1', ...sh(COUNT)]);
    const runs = Array.from({ length: 4 }, () =>
      skiff.run([...rm, '-v', 'vol:/large', 'large:1', ...sh(COUNT)], { stdout }),
    );
    await Promise.all(runs);
    await removeVolumes('vol');
  });

  test('killed in the middle: the next one fills it properly', async () => {
    const { stdout } = await skiff.run([...rm, 'large:1', ...sh(COUNT)]);
    const dir = `${skiff.store}/volumes/vol`;
    let caught = 0;
    for (let attempt = 0; attempt < 30 && caught < 3; attempt++) {
      const run = skiff.start([...none, '--rm', '-v', 'vol:/large', 'large:1', 'true']);
      while (!existsSync(`${dir}/fill.part`) && !existsSync(`${dir}/fill`) && run.child.exitCode === null)
        await sleep(1);
      run.child.kill('SIGKILL');
      await run.result;
      if (existsSync(`${dir}/fill.part`) || existsSync(`${dir}/fill`)) caught++;
      await skiff.run([...rm, '-v', 'vol:/large', 'large:1', ...sh(COUNT)], { stdout });
      expect(readdirSync(dir).sort()).toEqual(['_data', 'lock', 'volume.json']);
      await skiff.run(['ps', '-aq'], { stdout: '' });
      await removeVolumes('vol');
    }
    expect(caught).toBe(3);
  }, 120_000);

  test('Ctrl-C in the middle: ended, and nothing is left of the run', async () => {
    const dir = `${skiff.store}/volumes/vol`;
    let caught = 0;
    for (let attempt = 0; attempt < 30 && caught === 0; attempt++) {
      const run = skiff.start([...none, '-v', 'vol:/large', 'large:1', 'true']);
      while (!existsSync(`${dir}/fill.part`) && run.child.exitCode === null) await sleep(1);
      run.child.kill('SIGINT');
      const { status, stderr } = await run.result;
      if (stderr !== '') {
        caught++;
        expect([status, stderr]).toEqual(['SIGINT', 'Error: filling volume "vol": cancelled\n']);
        expect(readdirSync(dir).sort()).toEqual(['_data', 'lock', 'volume.json']);
        expect(readdirSync(`${skiff.store}/containers`)).toEqual([]);
      }
      await skiff.run(['rm', '--all', '--force'], { stdout: /^/ });
      await removeVolumes('vol');
    }
    expect(caught).toBe(1);
  });

  test('removed and used at the same time: no run fails', async () => {
    const use = Array.from({ length: 12 }, () =>
      skiff.run([...rm, '-v', 'vol:/other', 'plain:1', 'cat', '/other/file'], { stdout: 'other\n' }),
    );
    const remove = Array.from({ length: 12 }, () => skiff.start(['volume', 'rm', '--force', 'vol']).result);
    await Promise.all(use);
    for (const { status, stderr } of await Promise.all(remove))
      expect([status, stderr]).toEqual(
        status === 0 ? [0, ''] : [1, expect.stringMatching(/^Error: remove vol: volume is in use - \[/)],
      );
    await skiff.run(['volume', 'rm', '--force', 'vol'], { stdout: 'vol\n' });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('on a full disk: said, and empty', async (context) => {
    requires(context, 'root', 'subuid');
    await skiff.run(['volume', 'create', 'vol'], { stdout: 'vol\n' });
    await skiff.run(['volume', 'rm', 'vol'], { stdout: 'vol\n' });
    const dir = `${skiff.store}/volumes`;
    const { uid, gid } = skiff.user;
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=8m,mode=755,uid=${uid},gid=${gid}`, 'none', dir]);
    try {
      await skiff.run([...none, '-v', 'vol:/large', 'large:1', 'true'], {
        status: 125,
        stdout: '',
        stderr:
          /^Error: filling volume "vol" [^]*no space left[^]*\nHint: free space with "skiff system prune"/,
      });
      expect(readdirSync(`${dir}/vol`).sort()).toEqual(['_data', 'lock', 'volume.json']);
      expect(readdirSync(`${dir}/vol/_data`)).toEqual([]);
      await skiff.run([...rm, '-v', 'vol:/other', 'plain:1', 'cat', '/other/file'], { stdout: 'other\n' });
      await removeVolumes('vol');
    } finally {
      execFileSync('umount', [dir]);
    }
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

describe('anonymous volumes', () => {
  test('VOLUME of the image: a volume of its own for each container, filled', async () => {
    const script =
      'cat /data/file; echo x >/data/new; grep -c -e " /data " -e " /empty " /proc/self/mountinfo';
    for (const flags of [[], ['--read-only']])
      await skiff.run([...rm, ...flags, 'content:1', ...sh(script)], { stdout: 'content\n2\n' });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('they stay with a container that stays; rm -v takes them along, rm does not', async () => {
    await skiff.run([...none, '--name', 'kept', 'content:1', ...sh('echo mine >/data/mine')]);
    const { stdout } = await skiff.run(['inspect', 'kept']);
    const [{ Mounts: mounts, Config: config }] = JSON.parse(stdout) as [
      { Mounts: Record<string, unknown>[]; Config: { Volumes: unknown } },
    ];
    expect(config.Volumes).toEqual({ '/data': {}, '/empty': {} });
    const name = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(mounts.find(({ Destination }) => Destination === '/data')).toEqual({
      Type: 'volume',
      Name: name,
      Source: expect.stringMatching(/\/volumes\/[0-9a-f]{64}\/_data$/) as string,
      Destination: '/data',
      Driver: 'local',
      Mode: '',
      RW: true,
      Propagation: '',
    });
    await skiff.run(['volume', 'ls', '-q'], { stdout: /^([0-9a-f]{64}\n){2}$/ });
    await skiff.run(['rm', 'kept'], { stdout: 'kept\n' });
    await skiff.run(['volume', 'prune', '-f'], { stdout: /^Deleted Volumes:\n([0-9a-f]{64}\n){2}\nTotal/ });
    await skiff.run([...none, '--name', 'kept', '-v', 'named:/n', 'content:1', 'true']);
    await skiff.run(['rm', '--volumes', 'kept'], { stdout: 'kept\n' });
    await skiff.run(['volume', 'ls', '-q'], { stdout: 'named\n' });
    await removeVolumes('named');
  });

  test('--rm takes them along, also after kill -9 of its keeper', async () => {
    await skiff.run([...rm, '-v', '/anon', '-v', 'named:/n', 'content:1', 'touch', '/anon/x', '/data/x']);
    expect(storeLeftovers(skiff.store)).toEqual([`volume ${skiff.store}/volumes/named`]);
    const run = skiff.start([...rm, 'content:1', ...sh('echo started; exec sleep 1000')]);
    await run.waitForStdout(/started/);
    const { stdout } = await skiff.run(['volume', 'ls', '-q']);
    const names = stdout.split('\n').filter((line) => line.length === 64);
    expect(names).toHaveLength(2);
    await skiff.run(['volume', 'rm', names[0] ?? ''], { status: 1, stderr: /volume is in use/ });
    run.child.kill('SIGKILL');
    await run.result;
    await skiff.run(['volume', 'prune', '-f'], { stdout: /^Total reclaimed space: 0B\n$/ });
    await skiff.run(['volume', 'ls', '-q'], { stdout: 'named\n' });
    await removeVolumes('named');
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('a run that fails leaves none', async () => {
    await skiff.run([...none, '--name', 'failing', 'content:1', '/no/such'], {
      status: 127,
      stderr: /no\/such/,
    });
    await skiff.run(['rm', '-v', 'failing'], { stdout: 'failing\n' });
    const bad = [
      '--mount',
      'source=bad,target=/b,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/no/such',
    ];
    await skiff.run([...none, ...bad, 'content:1', 'true'], {
      status: 125,
      stderr: /\/no\/such: no such directory/,
    });
    await skiff.run([...none, '-v', 'vol:/data/file', 'content:1', 'true'], {
      status: 125,
      stderr: /\/data\/file/,
    });
    await skiff.run(['rm', '-v', '--all'], { stdout: /^/ });
    await skiff.run(['volume', 'ls', '-q', '--filter', 'label=com.docker.volume.anonymous'], { stdout: '' });
    await skiff.run(['volume', 'prune', '-af'], { stdout: /bad/ });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

describe('--volumes-from', () => {
  test('volumes and directories of a container that has ended; read-only on demand', async () => {
    const bound = skiff.makeDir('from');
    const first = ['--name', 'first', '-v', 'named:/n', '-v', `${bound}:/b`];
    await skiff.run([...none, ...first, 'content:1', ...sh('echo 1 >/n/f; echo 2 >/b/f; echo 3 >/data/f')]);
    const read = sh('cat /n/f /b/f /data/f');
    await skiff.run([...rm, '--volumes-from', 'first', 'plain:1', ...read], { stdout: '1\n2\n3\n' });
    await skiff.run([...rm, '--volumes-from', 'first:ro', 'plain:1', ...sh('cat /n/f; echo x >/data/f')], {
      status: 1,
      stdout: '1\n',
      stderr: /Read-only/,
    });
    await skiff.run([...rm, '--volumes-from', 'first', '-v', '/n', 'plain:1', ...read], {
      status: 1,
      stdout: '2\n3\n',
      stderr: /\/n\/f/,
    });
    await skiff.run([...none, '--name', 'second', '--volumes-from', 'first', 'plain:1', 'true']);
    await skiff.run(['rm', '-v', 'first'], { stdout: 'first\n' });
    await skiff.run([...rm, '--volumes-from', 'second', 'plain:1', ...read], { stdout: '1\n2\n3\n' });
    await skiff.run(['rm', '-v', 'second'], { stdout: 'second\n' });
    await removeVolumes('named');
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('of a --rm container that goes before: what is shared stays', async () => {
    const first = skiff.start(
      [
        ...rm,
        '--name',
        'giver',
        '-i',
        'content:1',
        ...sh('echo 1 >/data/f; echo ready; read x; cat /data/g'),
      ],
      {
        keepStdin: true,
      },
    );
    await first.waitForStdout(/ready/);
    const second = skiff.start(
      [
        ...rm,
        '-i',
        '--volumes-from',
        'giver',
        'plain:1',
        ...sh('echo 2 >/data/g; echo ready; read x; cat /data/f'),
      ],
      {
        keepStdin: true,
      },
    );
    await second.waitForStdout(/ready/);
    first.child.stdin?.end('\n');
    expect(await first.result).toMatchObject({ status: 0, stdout: 'ready\n2\n', stderr: '' });
    await skiff.run(['ps', '-q'], { stdout: /^[0-9a-f]{12}\n$/ });
    await skiff.run(['volume', 'prune', '-f'], { stdout: /^Total/ });
    second.child.stdin?.end('\n');
    expect(await second.result).toMatchObject({ status: 0, stdout: 'ready\n1\n', stderr: '' });
    await skiff.run(['volume', 'prune', '-f'], { stdout: /^Deleted Volumes:\n([0-9a-f]{64}\n){2}/ });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  const bad: [text: string, status: number, stderr: RegExp][] = [
    ['nobody', 125, /^Error: --volumes-from: no such container: nobody\n/],
    ['first:rx', 125, /^Error: --volumes-from "first:rx": invalid mode "rx"/],
  ];
  test.each(bad)('%s', async (text, status, stderr) => {
    await skiff.run([...rm, '--volumes-from', text, 'plain:1', 'true'], { status, stderr });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

describe('volumes with options', () => {
  test('a directory of the host: used as it is, never filled, and not removed', async () => {
    const device = skiff.makeDir('device');
    const options = ['-o', 'type=none', '-o', 'o=bind', '-o', `device=${device}`];
    await skiff.run(['volume', 'create', ...options, 'bound'], { stdout: 'bound\n' });
    await skiff.run([...rm, '-v', 'bound:/data', 'plain:1', ...sh('ls /data; echo x >/data/f')], {
      stdout: '',
    });
    expect(readFileSync(`${device}/f`, 'utf8')).toBe('x\n');
    await removeVolumes('bound');
    expect(readdirSync(device)).toEqual(['f']);
  });

  test('a tmpfs, made by the run', async () => {
    const mount = 'source=mem,target=/m,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m';
    await skiff.run([...rm, '--mount', mount, 'plain:1', ...sh('grep " /m " /proc/mounts')], {
      stdout: /^\S+ \/m tmpfs .*size=1024k/,
    });
    await removeVolumes('mem');
  });

  test('unhonoured ones are named, and nothing is left', async () => {
    for (const [mount, stderr] of [
      [
        'source=bad,target=/m,volume-opt=type=nfs,volume-opt=device=:/x',
        /"type=nfs": only root may mount that/,
      ],
      ['source=bad,target=/m,volume-driver=nfs', /volume driver "nfs": plugin not found/],
      ['source=bad,target=/m,volume-subpath=/x', /volume-subpath must be a relative path/],
      ['type=image,source=plain:1,target=/m', /type "image" is not supported/],
    ] as const) {
      await skiff.run([...rm, '--mount', mount, 'plain:1', 'true'], { status: 125, stderr });
    }
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

describe('volume-subpath', () => {
  const at = (subpath: string): string[] => ['--mount', `source=vol,target=/m,volume-subpath=${subpath}`];

  test('a directory, also one that is closed to the caller; a file; through a link inside', async () => {
    await skiff.run([...rm, '-v', 'vol:/data', 'plain:1', 'ln', '-s', '/secret/deep', '/data/way']);
    for (const subpath of ['secret/deep', 'way', './secret//deep/'])
      await skiff.run([...rm, ...at(subpath), 'plain:1', 'cat', '/m/file'], { stdout: 'deep\n' });
    await skiff.run([...rm, ...at('file'), 'plain:1', 'cat', '/m'], { stdout: 'content\n' });
    await skiff.run([...rm, ...at('secret'), 'plain:1', 'touch', '/m/new']);
    await skiff.run([...rm, '-v', 'vol:/v', 'plain:1', 'ls', '/v/secret'], { stdout: 'deep\nnew\n' });
    await removeVolumes('vol');
  });

  test('never out of the volume, and never made', async () => {
    const links = 'ln -s / /v/root; ln -s ../../../../../../../etc /v/up; ln -s /proc/self/root /v/magic';
    await skiff.run([...rm, '-v', 'vol:/v', 'plain:1', ...sh(`touch /v/mark; ${links}`)]);
    await skiff.run([...rm, ...at('root'), 'plain:1', 'ls', '/m'], { stdout: 'magic\nmark\nroot\nup\n' });
    for (const subpath of ['up', 'up/passwd', 'root/etc', 'magic/etc', 'missing', 'mark/x']) {
      await skiff.run([...rm, ...at(subpath), 'plain:1', 'true'], {
        status: 125,
        stderr: new RegExp(`^Error: [^\n]*"${subpath}": `),
      });
    }
    await removeVolumes('vol');
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

test('without subordinate ids: the same, with what one id can own', async (context) => {
  requires(context, 'user-without-ranges', 'busybox-image');
  await loadImages(single);
  const NOTE = /^[^\n]*(single|one) (uid|id|user)[^\n]*\n$/i;
  const read = sh('cat /data/file /data/secret/deep/file; stat -c %a /data');
  for (const flags of [['-v', 'vol:/data'], ['-v', 'vol:/data'], ['-v', '/data'], []])
    await single.run([...rm, ...flags, 'content:1', ...read], {
      stdout: 'content\ndeep\n2750\n',
      stderr: NOTE,
    });
  await single.run([...none, '--name', 'kept', 'content:1', 'true'], { stderr: NOTE });
  await single.run(['rm', '-v', 'kept'], { stdout: 'kept\n' });
  await single.run(['volume', 'rm', 'vol'], { stdout: 'vol\n' });
  expect(storeLeftovers(single.store)).toEqual([]);
});

test('a store whose umask is tight', async () => {
  const script = `umask 077; exec "$@"`;
  await skiff.run([...rm, '-v', 'vol:/new', '-u', '1000', 'plain:1', 'ls', '/new'], {
    prefix: ['sh', '-c', script, 'sh'],
  });
  await removeVolumes('vol');
});
