// Ways out of a container that were found in other engines or in a review of this one. Each must stay shut.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/accounts.ts';
import { background, startBackground } from '../helpers/background.ts';
import { sandbox } from '../helpers/engine.ts';
import { storeLeftovers } from '../helpers/leaks.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';
import { BUSYBOX } from '../setup/busybox.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['run', '--rm', '--network', 'none'];
const UP = '../'.repeat(24);

describe('descriptors of the host (CVE-2024-21626)', () => {
  const numbers = Array.from({ length: 38 }, (_, i) => i + 3);

  test('the command is never found through one', async () => {
    const program = `${skiff.makeDir('outside')}/wc`;
    copyFileSync(BUSYBOX ?? '', program); // static: it would run anywhere, as the applet of its name
    for (const fd of numbers) {
      const command = [`/proc/self/fd/${fd}/${UP}${program}`, '-c', '/etc/passwd'];
      const { stdout } = await skiff.run([...none, 'busybox', ...command], { status: null, stderr: /^/ });
      expect(stdout, `descriptor ${fd}`).toBe('');
    }
  });

  test('nor the working directory', async () => {
    for (const fd of numbers) {
      const script = `ls ${UP}${skiff.dir} 2>/dev/null && echo escaped`;
      const { stdout } = await skiff.run(
        [...none, '-w', `/proc/self/fd/${fd}`, 'busybox', 'sh', '-c', script],
        {
          status: null,
          stderr: /^/,
        },
      );
      expect(stdout, `descriptor ${fd}`).not.toContain('escaped');
    }
  });

  test('nor PATH', async () => {
    const path = numbers.map((fd) => `/proc/self/fd/${fd}/${UP}${skiff.dir}/outside`).join(':');
    await skiff.run([...none, '-e', `PATH=${path}`, 'busybox', 'wc', '-c', '/etc/passwd'], {
      status: 127,
      stdout: '',
      stderr: /wc/,
    });
  });
});

test('the helper cannot be overwritten from inside (CVE-2019-5736)', async () => {
  const before = readFileSync(world().binary);
  const script =
    'for p in 1 self $$; do exec 9</proc/$p/exe; (echo overwritten >/proc/self/fd/9) 2>/dev/null && echo wrote $p; done; true';
  await skiff.run([...none, '--entrypoint', '/proc/self/exe', 'busybox', '-c', script], {
    status: null,
    stdout: /^/,
    stderr: /^/,
  });
  expect(readFileSync(world().binary).equals(before)).toBe(true);
  await skiff.run([...none, 'busybox', 'true']);
});

test('a symlink in the image does not lead a mount out', async () => {
  const outside = skiff.makeDir('mount-outside');
  const name = 'linked';
  // The rootfs of this container is a folder we control: /etc is a link to the host's.
  const root = skiff.makeDir('hostile-root');
  for (const dir of ['bin', 'proc', 'sys', 'dev']) mkdirSync(`${root}/${dir}`);
  copyFileSync(BUSYBOX ?? '', `${root}/bin/busybox`);
  await skiff.run([
    ...none,
    '-v',
    `${root}:/r`,
    'busybox',
    'sh',
    '-c',
    `ln -s ${UP}${outside} /r/etc && ln -s ${UP}${outside} /r/data`,
  ]);
  await skiff.run(
    [
      ...none,
      '--rootfs',
      '-v',
      `${skiff.dir}/home:/data/inner`,
      '--name',
      name,
      root,
      '/bin/busybox',
      'true',
    ],
    {
      status: null,
      stderr: /^/,
    },
  );
  const { stdout } = await skiff.run([...none, '-v', `${outside}:/o`, 'busybox', 'find', '/o']);
  expect(stdout).toBe('/o\n');
});

test('a container that joins another is not a window to the host (CVE-2016-9962)', async () => {
  const cidfile = `${skiff.dir}/home/watch`;
  const secret = `${skiff.makeDir('secret')}/file`;
  writeFileSync(secret, 'secret of the host\n');
  const watch = `echo ready; i=0; while [ $i -lt 400 ]; do cat /proc/[0-9]*/root${secret} 2>/dev/null; i=$((i+1)); done; echo done`;
  const watcher = skiff.start([
    'run',
    '--rm',
    '--network',
    'none',
    '--cap-add',
    'SYS_PTRACE',
    '--cidfile',
    cidfile,
    'busybox',
    'sh',
    '-c',
    watch,
  ]);
  await watcher.waitForStdout(/ready/);
  const id = readFileSync(cidfile, 'utf8').trim();
  for (let i = 0; i < 25 && watcher.child.exitCode === null; i++) {
    await skiff.run(['run', '--rm', '--network', 'none', '--pid', `container:${id}`, 'busybox', 'true'], {
      status: null,
      stderr: /^/,
    });
  }
  watcher.child.kill('SIGKILL');
  await watcher.result;
  expect(watcher.stdout()).not.toContain('secret of the host');
});

test('nor are what clears up after it and its network helper, where processes of the container are left', async () => {
  const secret = `${skiff.dir}/secret/file`;
  // Files of a subordinate id make the clean-up enter the user namespace.
  const script = `mkdir /d && cd /d && i=0; while [ $i -lt 2000 ]; do : >f$i; i=$((i+1)); done; chown -R 5:5 /d; chmod 700 /d
    h=$PPID; (i=0; while [ -d /proc/$h ] && [ $i -lt 5000 ]; do cat /proc/[0-9]*/root${secret} 2>/dev/null && break; i=$((i+1)); done) & exit 0`;
  const { stdout } = await skiff.run(
    [
      'run',
      '--rm',
      '--network',
      'none',
      '--pid',
      'host',
      '--cap-add',
      'SYS_PTRACE',
      'busybox',
      'sh',
      '-c',
      script,
    ],
    { status: null, stderr: /^/ },
  );
  expect(stdout).not.toContain('secret of the host');
});

describe('exec', () => {
  background(skiff, 'held');
  const exec = ['exec', 'held'];
  const numbers = Array.from({ length: 38 }, (_, i) => i + 3);

  test('neither command, directory nor PATH is found through a descriptor (CVE-2024-21626)', async () => {
    const program = `${skiff.makeDir('exec-outside')}/wc`;
    copyFileSync(BUSYBOX ?? '', program);
    for (const fd of numbers) {
      const outside = `/proc/self/fd/${fd}/${UP}`;
      const command = await skiff.run([...exec, `${outside}${program}`, '-c', '/etc/passwd'], {
        status: null,
        stderr: /^Error/,
      });
      expect(command.stdout, `descriptor ${fd}`).toBe('');
      const directory = await skiff.run(['exec', '-w', `/proc/self/fd/${fd}`, 'held', 'ls', UP + skiff.dir], {
        status: null,
        stderr: /./,
      });
      expect(directory.stdout, `descriptor ${fd}`).toBe('');
    }
    const path = numbers.map((fd) => `/proc/self/fd/${fd}/${UP}${skiff.dir}/exec-outside`).join(':');
    await skiff.run(['exec', '-e', `PATH=${path}`, 'held', 'wc', '-c', '/etc/passwd'], {
      status: 127,
      stdout: '',
      stderr: /wc/,
    });
  });

  test('holds no descriptor, directory or variable of the host', async () => {
    const script = '(cd /proc/self/fd && echo *); readlink /proc/$$/cwd; env';
    const { stdout } = await skiff.run([...exec, 'sh', '-c', script], {
      cwd: skiff.dir,
      env: { HOST_SECRET: 'x' },
    });
    expect(stdout).toMatch(/^0 1 2 3\n\/\n/);
    expect(stdout).not.toContain('HOST_SECRET');
  });

  test('the helper cannot be overwritten from inside (CVE-2019-5736)', async () => {
    const before = readFileSync(world().binary);
    // What executes /proc/self/exe executes the helper, which says that it is not meant to be.
    await skiff.run([...exec, '/proc/self/exe'], { status: 125, stderr: /not meant to be called by hand/ });
    const watcher = skiff.start([
      ...exec,
      'sh',
      '-c',
      // Its own busybox it may overwrite, and would: the file is looked at once it is open.
      `echo ready; while :; do for p in /proc/[0-9]*; do exec 9<$p/exe || continue
         case $(readlink /proc/self/fd/9) in /bin/*) ;; *) (echo x >/proc/self/fd/9) && echo wrote $p;; esac
       done 2>/dev/null; done`,
    ]);
    await watcher.waitForStdout(/ready/);
    for (let i = 0; i < 25; i++) await skiff.run([...exec, 'true']);
    watcher.child.kill('SIGKILL');
    await watcher.result;
    expect(watcher.stdout()).toBe('ready\n');
    expect(readFileSync(world().binary).equals(before)).toBe(true);
  });

  test.each([
    ['with the right to trace', ['--cap-add', 'SYS_PTRACE']],
    ["among the host's processes", ['--cap-add', 'SYS_PTRACE', '--pid', 'host']],
  ])('is no window to the host while it enters a container %s (CVE-2016-9962)', async (_, flags) => {
    const name = flags.includes('host') ? 'seeing' : 'tracing';
    const secret = `${skiff.makeDir(`secret-${name}`)}/file`;
    writeFileSync(secret, 'secret of the host\n');
    const container = await startBackground(skiff, name, flags);
    const places = ['root', 'cwd', 'fd/[0-9]*', `cwd/${UP}`, `root/${UP}`, `fd/[0-9]*/${UP}`];
    const files = places.map((place) => `/proc/[0-9]*/${place}${secret}`).join(' ');
    const watch = `echo ready; while :; do cat ${files} 2>/dev/null; done`;
    const watcher = skiff.start(['exec', name, 'sh', '-c', watch]);
    await watcher.waitForStdout(/ready/);
    for (let i = 0; i < 40; i++) {
      await skiff.run(['exec', name, 'true'], { cwd: skiff.dir });
      await skiff.run(['exec', '-t', name, 'true'], { cwd: skiff.dir });
    }
    watcher.child.kill('SIGKILL');
    await watcher.result;
    await container.end();
    expect(watcher.stdout()).toBe('ready\n');
  });

  test('account files that are anything lead nowhere', async () => {
    const name = 'hostile';
    const container = await startBackground(skiff, name);
    const ways = [
      `ln -s ${UP}${skiff.makeDir('accounts')}/passwd`,
      `ln -s /proc/self/root/etc/passwd`,
      'ln -s /etc/passwd',
      'mkfifo',
      'mkdir',
      'truncate -s 17M',
    ];
    writeFileSync(`${skiff.dir}/accounts/passwd`, 'outsider:x:7:7::/:\n');
    for (const way of ways) {
      await skiff.run(['exec', name, 'sh', '-c', `rm -rf /etc/passwd; ${way} /etc/passwd`]);
      await skiff.run(['exec', '-u', 'outsider', name, 'true'], {
        status: 125,
        stderr: /unable to find user outsider/,
      });
      // Not id(1), which reads the file itself.
      await skiff.run(['exec', '-u', '5', name, 'grep', '-o', 'Uid:.5', '/proc/self/status'], {
        stdout: 'Uid:\t5\n',
      });
    }
    await container.end();
  });

  test('a terminal that is none is refused', async () => {
    const container = await startBackground(skiff, 'faked', ['--privileged']);
    const make = 'umount /dev/pts && mount -t tmpfs none /dev/pts';
    await skiff.run(['exec', 'faked', 'sh', '-c', make]);
    for (const way of ['mkfifo', 'touch', 'ln -s /dev/zero']) {
      await skiff.run(['exec', 'faked', 'sh', '-c', `rm -f /dev/pts/ptmx; ${way} /dev/pts/ptmx`]);
      await skiff.run(['exec', '-t', 'faked', 'true'], { status: 125, stderr: /not a terminal/ });
    }
    await container.end();
  });
});

describe('as root', () => {
  const root = sandbox({ user: ROOT });

  test('a device node made inside cannot be opened', async (context) => {
    requires(context, 'root', 'busybox-image');
    await root.run(['load', '--quiet', '--input', world().fixtures.busyboxOciArchive ?? ''], {
      stdout: /^/,
      stderr: /^/,
    });
    const bound = root.makeDir('bound');
    // 1:1 is /dev/mem, 7:0 a loop device, 1:5 /dev/zero: harmless, and the same question
    const places: [dir: string, flags: string[]][] = [
      ['/', []],
      ['/dev', []],
      ['/tmp', []],
      ['/b', ['-v', `${bound}:/b`]],
      ['/dev/shm', ['--ipc', 'host']],
      ['/m', ['-v', '/dev/shm:/m']],
    ];
    for (const [dir, flags] of places) {
      const script = `mknod ${dir}/skiff-node c 1 5 && head -c 1 ${dir}/skiff-node | wc -c; rm -f ${dir}/skiff-node`;
      const { stdout } = await root.run([...none, ...flags, 'busybox', 'sh', '-c', script], {
        status: null,
        stderr: /^/,
      });
      expect(stdout.trim(), dir).not.toBe('1');
    }
  });
});

describe('what a container leaves', () => {
  test('a tree far deeper than a path can be is removed', async () => {
    const script = 'i=0; while [ $i -lt 2600 ]; do mkdir d && cd ./d || break; i=$((i+1)); done; true';
    await skiff.run([...none, 'busybox', 'sh', '-c', script], { stderr: /^/ });
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });

  test('100,000 files are removed', async () => {
    const script = 'mkdir /m && cd /m && seq 100000 | xargs touch';
    await skiff.run([...none, 'busybox', 'sh', '-c', script]);
    expect(storeLeftovers(skiff.store)).toEqual([]);
  });
});

describe('waiting costs nothing', () => {
  /** Clock ticks a process has used. */
  function ticks(pid: number): number {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  }

  test.each([
    ['inherited streams', ['run', '--rm', '-i', '--network', 'none']],
    ['streams through the log', ['run', '-i', '--name', 'idle', '--network', 'none']],
  ])('%s', async (_, flags) => {
    const running = skiff.start([...flags, 'busybox', 'sh', '-c', 'echo ready; exec sleep 30'], {
      keepStdin: true,
    });
    try {
      await running.waitForStdout(/ready/);
      const before = ticks(running.pid);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(ticks(running.pid) - before).toBeLessThan(5);
      // The reader goes away: nobody may spin on its closed pipe.
      running.child.stdout?.destroy();
      running.child.stderr?.destroy();
      const then = ticks(running.pid);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(ticks(running.pid) - then).toBeLessThan(5);
    } finally {
      running.child.kill('SIGTERM');
      await running.result;
      await skiff.run(['rm', '-f', 'idle'], { status: null, stderr: /^/ });
    }
  });

  test('resident memory of the waiting helper is at most 2 MB, and no other process of ours is there', async () => {
    const running = skiff.start([...none, '-i', 'busybox', 'sh', '-c', 'echo ready; exec cat'], {
      keepStdin: true,
    });
    await running.waitForStdout(/ready/);
    const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${running.pid}/status`, 'utf8'))?.[1]);
    expect(rss).toBeLessThan(2048);
    const children = readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8')
      .trim()
      .split(' ');
    expect(children).toHaveLength(1);
    running.child.stdin?.end();
    expect(await running.result).toMatchObject({ status: 0 });
  });
});
