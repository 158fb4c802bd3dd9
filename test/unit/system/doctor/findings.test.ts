import { describe, expect, it } from 'vitest';
import { installCommand } from '../../../../src/core/package-manager.ts';
import type { Group } from '../../../../src/cgroup/choose.ts';
import { describeCgroup } from '../../../../src/system/doctor/cgroup.ts';
import { explainFailedMap, explainIdRanges } from '../../../../src/system/doctor/id-ranges.ts';
import { findMount } from '../../../../src/system/doctor/mounts.ts';
import {
  describePing,
  describePorts,
  describePrograms,
  describeTun,
} from '../../../../src/system/doctor/network.ts';
import { describeFileSystem, describeSpace } from '../../../../src/system/doctor/store.ts';
import { explainUserNamespaces } from '../../../../src/system/doctor/user-namespaces.ts';

const user = { hostUid: 1000 };
const root = { hostUid: 0 };

describe('explainUserNamespaces', () => {
  const none = { unprivilegedClone: undefined, most: undefined, appArmor: undefined };

  it.each([
    [{ ...none, unprivilegedClone: '0', appArmor: '1' }, 'sudo sysctl kernel.unprivileged_userns_clone=1'],
    [{ ...none, most: '0' }, 'sudo sysctl user.max_user_namespaces=15000'],
    [{ ...none, most: '63359', appArmor: '1' }, 'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0'],
  ])('%o', (switches, command) => {
    expect(explainUserNamespaces(user, switches)).toMatchObject({ status: 'fail', mend: { command } });
  });

  it('blames the surroundings otherwise; root goes on without', () => {
    expect(explainUserNamespaces(user, none).summary).toMatch(/container or service/);
    expect(explainUserNamespaces(root, none).status).toBe('note');
  });
});

describe('explainIdRanges', () => {
  const input = {
    hostUid: 1000,
    hostGid: 1000,
    userName: 'ann',
    subuid: 'ann:100000:65536\nbob:165536:65536\n',
    subgid: 'ann:100000:65536\n',
    hasNewidmap: true,
    userns: undefined,
  };

  it('is content with ranges and programs', () => {
    expect(explainIdRanges(input, '')).toBeUndefined();
  });

  it('names the package of the distribution', () => {
    expect(explainIdRanges({ ...input, hasNewidmap: false }, 'ID=fedora')?.mend?.command).toBe(
      'sudo dnf install -y shadow-utils',
    );
  });

  it('gives away ids that nobody has', () => {
    const finding = explainIdRanges({ ...input, userName: 'eve', subuid: 'bob:165536:65536\nbroken\n' }, '');
    expect(finding).toMatchObject({
      status: 'warn',
      mend: { command: 'sudo usermod --add-subuids 231072-296607 --add-subgids 231072-296607 eve' },
    });
  });

  it('explains a map that failed', () => {
    expect(explainFailedMap(user, 7, 'x', 'NoNewPrivs:\t1\n').summary).toMatch(/no_new_privs/);
    const finding = explainFailedMap(user, 7, 'Error: mapping: EPERM\nHint: x\n', 'NoNewPrivs:\t0\n');
    expect(finding.summary).toBe('7 ids cannot be mapped: mapping: EPERM');
    expect(finding.mend?.command).toMatch(/^sudo chmod u\+s/);
  });
});

describe('store', () => {
  it('warns of remote file systems and little space', () => {
    expect(describeFileSystem('/s', 'ext4').status).toBe('ok');
    expect(describeFileSystem('/s', 'nfs4').status).toBe('warn');
    expect(describeSpace({ bytes: 5e9, inodes: 100_000, inodesTotal: 1e6 }).status).toBe('ok');
    expect(describeSpace({ bytes: 5e8, inodes: 100_000, inodesTotal: 1e6 }).status).toBe('warn');
    expect(describeSpace({ bytes: 5e9, inodes: 10, inodesTotal: 1e6 }).status).toBe('warn');
    expect(describeSpace({ bytes: 5e9, inodes: 0, inodesTotal: 0 }).status).toBe('ok');
  });

  it('finds the mount of a path', () => {
    const info = `1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 0:5 / /home rw,nosuid shared:1 - nfs4 server:/home rw
3 1 0:6 / /home/a\\040b rw - tmpfs none rw
broken
`;
    expect(findMount(info, '/var')?.type).toBe('ext4');
    expect(findMount(info, '/home')?.type).toBe('nfs4');
    expect(findMount(info, '/home/ann')).toEqual({ point: '/home', type: 'nfs4', options: ['rw', 'nosuid'] });
    expect(findMount(info, '/homes')?.type).toBe('ext4');
    expect(findMount(info, '/home/a b/c')?.type).toBe('tmpfs');
    expect(findMount('', '/x')).toBeUndefined();
  });
});

describe('network', () => {
  const programs = { pasta: '/p', slirp4netns: '/s', pastaIsModern: () => true, osRelease: 'ID=arch' };

  it('tun', () => {
    expect(describeTun(user, undefined).status).toBe('ok');
    expect(describeTun(user, 'EACCES').mend?.command).toBe('sudo chmod 0666 /dev/net/tun');
    expect(describeTun(root, 'ENODEV').mend?.command).toBe('modprobe tun');
  });

  it('programs', () => {
    expect(describePrograms(user, programs).status).toBe('ok');
    expect(describePrograms(user, { ...programs, pastaIsModern: () => false })).toMatchObject({
      status: 'note',
      summary: expect.stringContaining('a closed port of the host waits instead of being refused'),
    });
    expect(describePrograms(user, { ...programs, pasta: undefined }).status).toBe('note');
    expect(describePrograms(user, { ...programs, pasta: undefined, slirp4netns: undefined })).toMatchObject({
      status: 'warn',
      mend: { command: 'sudo pacman -S --noconfirm passt' },
    });
  });

  it('ports and ping', () => {
    expect(describePorts(user, '1024\n').mend?.command).toBe(
      'sudo sysctl net.ipv4.ip_unprivileged_port_start=80',
    );
    expect(describePorts(user, '80').status).toBe('ok');
    expect(describePorts(root, undefined).status).toBe('ok');
    expect(describePing(user, '1\t0\n').status).toBe('note');
    expect(describePing(user, '0\t2147483647\n').status).toBe('ok');
    expect(describePing(user, undefined).status).toBe('note');
  });
});

describe('describeCgroup', () => {
  const all = ['memory', 'cpu', 'pids', 'cpuset', 'io'];
  const group = (controllers: string[], scope = false): Group => ({
    cgroup: { version: 2, path: '/job/skiff-doctor' },
    dirs: [],
    controllers,
    scope: scope ? { dir: '/scope', argv: [] } : undefined,
    opening: undefined,
    like: () => undefined,
    mend: '',
  });
  const v1: Group = { ...group([...all, 'blkio']), cgroup: { version: 1, paths: {} } };

  it.each([
    ['a group of our own', group(all), 'ok', /below \/job: limits can be set/, undefined],
    ['cgroup v1', v1, 'ok', /^cgroup v1: limits can be set/, undefined],
    ['a scope', group(all, true), 'note', /containers end when you log out/, 'loginctl enable-linger'],
    [
      'a scope without some',
      group(['memory', 'pids', 'cpu'], true),
      'note',
      /without cpuset, io: /,
      /Delegate=cpu/,
    ],
    ['a group without some', group(['pids']), 'note', /without memory, cpu, cpuset, io: /, undefined],
    ['none', { why: 'it rains', mend: 'wait' }, 'note', /cannot be honoured: it rains; wait/, undefined],
  ] as const)('%s', (_, choice, status, summary, command) => {
    const finding = describeCgroup(choice, false);
    expect(finding.status).toBe(status);
    expect(finding.summary).toMatch(summary);
    if (command === undefined) expect(finding.mend).toBeUndefined();
    else expect(finding.mend?.command).toMatch(command);
  });

  it('is content with a user who lingers', () => {
    expect(describeCgroup(group(all, true), true).status).toBe('ok');
  });
});

describe('installCommand', () => {
  it.each([
    ['pasta', 'ID=ubuntu\nID_LIKE=debian', false, 'sudo apt-get install -y passt'],
    ['newuidmap', 'ID=debian', true, 'apt-get install -y uidmap'],
    ['pasta', 'NAME="Rocky"\nID="rocky"\nID_LIKE="rhel centos fedora"', false, 'sudo dnf install -y passt'],
    ['newuidmap', 'ID="opensuse-leap"\nID_LIKE="suse opensuse"', false, 'sudo zypper install -y shadow'],
    ['slirp4netns', 'ID=alpine', true, 'apk add slirp4netns'],
    ['fuse-overlayfs', '', false, 'sudo apt-get install -y fuse-overlayfs'],
  ] as const)('%s for %s', (tool, osRelease, asRoot, command) => {
    expect(installCommand(tool, osRelease, asRoot)).toBe(command);
  });
});
