// What a container sees of itself and of the host: the fresh process state docker gives, and nothing more.

import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['run', '--rm', '--network', 'none'];

async function inside(command: string[], flags: string[] = []): Promise<string> {
  return (await skiff.run([...none, ...flags, 'busybox', ...command])).stdout;
}

/** `Name:\tvalue` lines of a /proc file. */
function fields(text: string): Record<string, string> {
  return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s*/, 2) as [string, string]));
}

/** docker's default set: moby `oci/caps/defaults.go`. */
const DEFAULT_CAPABILITIES = '00000000a80425fb';

describe('process state', () => {
  test('capabilities, seccomp, no_new_privs, signals', async () => {
    const status = fields(await inside(['cat', '/proc/self/status']));
    expect(status).toMatchObject({
      Pid: '1',
      PPid: '0',
      Uid: '0\t0\t0\t0',
      Gid: '0\t0\t0\t0',
      CapInh: '0000000000000000',
      CapPrm: DEFAULT_CAPABILITIES,
      CapEff: DEFAULT_CAPABILITIES,
      CapBnd: DEFAULT_CAPABILITIES,
      CapAmb: '0000000000000000',
      NoNewPrivs: '0',
      Seccomp: '2',
      SigBlk: '0000000000000000',
      SigIgn: '0000000000000000',
      SigCgt: '0000000000000000',
      SigPnd: '0000000000000000',
    });
  });

  test('of a process without root: no capabilities', async () => {
    const status = fields(await inside(['cat', '/proc/self/status'], ['--user', '1000']));
    expect(status).toMatchObject({
      Uid: '1000\t1000\t1000\t1000',
      CapPrm: '0000000000000000',
      CapEff: '0000000000000000',
      CapBnd: DEFAULT_CAPABILITIES,
    });
  });

  test('--cap-add, --cap-drop, no-new-privileges, seccomp=unconfined, --privileged', async () => {
    const of = async (...flags: string[]) => fields(await inside(['cat', '/proc/self/status'], flags));
    expect((await of('--cap-drop', 'ALL'))['CapBnd']).toBe('0000000000000000');
    expect((await of('--cap-drop', 'all', '--cap-add', 'net_raw'))['CapEff']).toBe('0000000000002000');
    expect((await of('--cap-add', 'CAP_SYS_ADMIN'))['CapEff']).toBe('00000000a82425fb');
    expect((await of('--security-opt', 'no-new-privileges'))['NoNewPrivs']).toBe('1');
    expect((await of('--security-opt', 'seccomp=unconfined'))['Seccomp']).toBe('0');
    const { stdout } = await skiff.run([...none, '--privileged', 'busybox', 'cat', '/proc/self/status'], {
      stderr: /^[^\n]*privileged[^\n]*\n$/i, // what weakens isolation is said in one line
    });
    const privileged = fields(stdout);
    expect(privileged['Seccomp']).toBe('0');
    const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
    expect(privileged['CapEff']).toBe(((1n << BigInt(last + 1)) - 1n).toString(16).padStart(16, '0'));
  });

  test('environment: PATH, HOME, HOSTNAME and the image, nothing of the caller', async () => {
    const variables = (await inside(['env'], ['-h', 'box', '-e', 'A=1', '-e', 'EMPTY=']))
      .trim()
      .split('\n')
      .sort();
    expect(variables).toEqual([
      'A=1',
      'EMPTY=',
      'HOME=/root',
      'HOSTNAME=box',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
  });

  test('limits are the caller’s, --ulimit changes them', async () => {
    expect(await inside(['sh', '-c', 'ulimit -n; ulimit -Hn'], ['--ulimit', 'nofile=100:200'])).toBe(
      '100\n200\n',
    );
    expect(await inside(['sh', '-c', 'ulimit -c'], ['--ulimit', 'core=0'])).toBe('0\n');
  });

  test('umask 022, cwd /, session leader', async () => {
    expect(await inside(['sh', '-c', 'umask; pwd; cut -d" " -f6 /proc/self/stat'])).toBe('0022\n/\n1\n');
  });
});

describe('namespaces and mounts', () => {
  test('each namespace is its own', async () => {
    const script = 'for n in user mnt pid ipc uts net cgroup; do readlink /proc/self/ns/$n; done';
    const host = ['user', 'mnt', 'pid', 'ipc', 'uts', 'net', 'cgroup'].map((name) => readlink(name));
    const seen = (await inside(['sh', '-c', script])).trim().split('\n');
    expect(seen).toHaveLength(host.length);
    for (const [i, name] of seen.entries()) expect(name).not.toBe(host[i]);
  });

  test('only its own processes', async () => {
    expect((await inside(['sh', '-c', 'echo /proc/[0-9]*'])).trim()).toBe('/proc/1');
  });

  test('/proc, /sys and /dev', async () => {
    const mounts = (await inside(['cat', '/proc/self/mountinfo'])).trim().split('\n').map(parseMount);
    const at = (point: string) => mounts.filter((mount) => mount.point === point).at(-1);
    expect(at('/')?.type).toBe('overlay');
    expect(at('/proc')).toMatchObject({ type: 'proc' });
    expect(at('/proc')?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec']));
    expect(at('/sys')).toMatchObject({ type: 'sysfs' });
    expect(at('/sys')?.options).toContain('ro');
    expect(at('/dev')?.type).toBe('tmpfs');
    expect(at('/dev/pts')).toMatchObject({ type: 'devpts' });
    expect(at('/dev/shm')).toMatchObject({ type: 'tmpfs' });
    expect(at('/dev/mqueue')).toMatchObject({ type: 'mqueue' });
    for (const point of ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`)) {
      if (!existsSync(point)) continue;
      expect(at(point)?.options, point).toContain('ro');
    }
    for (const name of ['host', 'store', skiff.user.name]) {
      expect(
        mounts.filter((mount) => mount.point.includes(`/${name}/`)),
        name,
      ).toEqual([]);
    }
  });

  test('masked paths show nothing', async () => {
    const script =
      'for f in kcore keys timer_list latency_stats sched_debug; do [ -e /proc/$f ] && wc -c </proc/$f; done; ls /sys/firmware /proc/acpi /proc/scsi 2>/dev/null | grep -v :$';
    const { stdout } = await skiff.run([...none, 'busybox', 'sh', '-c', script], { status: null });
    expect(stdout.split('\n').filter((line) => line !== '' && line !== '0')).toEqual([]);
  });

  test('/proc/sys cannot be written, the host’s kernel is out of reach', async () => {
    const script =
      'for f in /proc/sys/kernel/hostname /proc/sys/vm/swappiness /proc/sysrq-trigger /sys/power/state; do echo x 2>/dev/null >$f && echo WROTE $f; done; true';
    await skiff.run([...none, 'busybox', 'sh', '-c', script], { stdout: '', stderr: /^/ });
  });

  test('the device nodes of docker, and no other', async () => {
    const listed = (await inside(['sh', '-c', 'ls /dev'])).trim().split('\n').sort();
    const expected = [
      'console',
      'core',
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ];
    expect(listed.filter((name) => !expected.includes(name))).toEqual([]);
    for (const name of expected.filter((name) => name !== 'console' && name !== 'core'))
      expect(listed).toContain(name);
    await skiff.run(
      [
        ...none,
        'busybox',
        'sh',
        '-c',
        'echo x >/dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c',
      ],
      { stdout: '4\n4\n' },
    );
  });

  test('the root file system is writable and thrown away; --read-only makes it read-only', async () => {
    await inside([
      'sh',
      '-c',
      'echo x >/new && rm -r /etc/passwd && mkdir -p /a/b && mv /home /moved && ls /moved',
    ]);
    await inside(['sh', '-c', 'test ! -e /new && test -e /etc/passwd && test -d /home']);
    await skiff.run([...none, '--read-only', 'busybox', 'sh', '-c', 'echo x >/new'], {
      status: 1,
      stderr: /Read-only file system/,
    });
    await skiff.run([...none, '--read-only', 'busybox', 'sh', '-c', 'echo x >/tmp/x || echo x >/dev/shm/x'], {
      status: 0,
      stderr: /^/,
    });
  });

  test('--tmpfs, --shm-size, --sysctl, -h', async () => {
    expect(
      await inside(
        ['sh', '-c', 'df -k /scratch | tail -1 | tr -s " " | cut -d" " -f2,6; stat -c %a /scratch'],
        ['--tmpfs', '/scratch:size=1m,mode=1777'],
      ),
    ).toBe('1024 /scratch\n1777\n');
    expect(
      await inside(
        ['sh', '-c', 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'],
        ['--shm-size', '2m'],
      ),
    ).toBe('2048\n');
    expect(await inside(['cat', '/proc/sys/kernel/msgmax'], ['--sysctl', 'kernel.msgmax=4242'])).toBe(
      '4242\n',
    );
    expect(await inside(['sh', '-c', 'hostname; cat /etc/hostname'], ['--hostname', 'myhost'])).toBe(
      'myhost\nmyhost\n',
    );
  });
});

describe('system calls that the default filter stops', () => {
  test.each([
    ['unshare -U true', /not permitted|unshare/i],
    ['mount -t tmpfs none /mnt', /denied|permitted/i],
    ['date -s 2001-01-01', /permitted/i],
    ['chroot /proc/1/root true && umount /proc', /permitted|denied|Invalid/i],
    ['dmesg', /permitted/i],
    ['swapon /etc/passwd', /permitted/i],
  ])('%s', async (command, complaint) => {
    // busybox date complains and ends with 0
    await skiff.run([...none, 'busybox', 'sh', '-c', command], { status: null, stderr: complaint });
  });
});

interface Mount {
  point: string;
  type: string;
  options: string[];
}

function parseMount(line: string): Mount {
  const [left = '', right = ''] = line.split(' - ');
  const words = left.split(' ');
  return { point: words[4] ?? '', options: (words[5] ?? '').split(','), type: right.split(' ')[0] ?? '' };
}

function readlink(name: string): string {
  return readlinkSync(`/proc/self/ns/${name}`);
}
