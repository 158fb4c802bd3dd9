import { describe, expect, it } from 'vitest';
import { directoryOf, parseMounts, parseOwnGroups } from '../../../src/cgroup/facts.ts';

const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/x /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/with\\040blank rw,relatime - cgroup2 cgroup2 rw
`;

it('parseMounts', () => {
  const mounts = parseMounts(HYBRID);
  expect(mounts.get('cpuacct')).toEqual({ root: '/', point: '/sys/fs/cgroup/cpu,cpuacct' });
  expect(mounts.get('memory')).toEqual({ root: '/docker/x', point: '/sys/fs/cgroup/memory' });
  expect(mounts.get('')).toEqual({ root: '/', point: '/sys/fs/cgroup/with blank' });
  expect(mounts.has('pids')).toBe(false);
  expect(parseMounts('nonsense\n').size).toBe(0);
});

it('parseOwnGroups', () => {
  const groups = parseOwnGroups('9:name=systemd:/\n4:memory:/a:b\n2:cpu,cpuacct:/c\n0::/user.slice\nx\n');
  expect(Object.fromEntries(groups)).toEqual({
    'name=systemd': '/',
    memory: '/a:b',
    cpu: '/c',
    cpuacct: '/c',
    '': '/user.slice',
  });
});

describe('directoryOf', () => {
  it.each([
    ['/', '/', '/m'],
    ['/', '/a/b', '/m/a/b'],
    ['/docker/x', '/docker/x', '/m'],
    ['/docker/x', '/docker/x/y', '/m/y'],
    ['/docker/x', '/docker/xy', undefined],
    ['/docker/x', '/', undefined],
    ['/', '/../above', undefined],
    ['/..', '/', undefined],
  ])('mount of %s, path %s', (root, path, dir) => {
    expect(directoryOf({ root, point: '/m' }, path)).toBe(dir);
  });
});
