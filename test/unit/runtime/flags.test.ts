// The small parsers: capabilities, ulimits, sysctls, signals, sizes.

import { describe, expect, test } from 'vitest';
import {
  capabilityMask,
  capabilityNames,
  capabilitySets,
  DEFAULT_CAPABILITIES,
  maskOf,
} from '../../../src/runtime/capabilities.ts';
import { parseSignal } from '../../../src/runtime/signals.ts';
import { parseSize } from '../../../src/core/sizes.ts';
import { parseSysctl } from '../../../src/runtime/sysctls.ts';
import { lowerUlimits, parseUlimit, toRlimit } from '../../../src/runtime/ulimits.ts';

const DEFAULT = maskOf(DEFAULT_CAPABILITIES);
const ALL = (1n << 41n) - 1n;

describe('capabilities', () => {
  const rows: [add: string[], drop: string[], mask: bigint][] = [
    [[], [], DEFAULT],
    [['NET_ADMIN'], [], DEFAULT | (1n << 12n)],
    [['cap_net_admin', 'CAP_SYS_ADMIN'], ['chown'], (DEFAULT | (1n << 12n) | (1n << 21n)) & ~1n],
    [['ALL'], [], ALL],
    [['ALL'], ['SYS_ADMIN'], ALL & ~(1n << 21n)],
    [[], ['ALL'], 0n],
    [['KILL'], ['ALL'], 1n << 5n],
    [['ALL'], ['ALL'], ALL],
    [['KILL'], ['KILL'], DEFAULT & ~(1n << 5n)],
  ];
  test.each(rows)('add %s drop %s', (add, drop, mask) => {
    expect(capabilityMask({ add, drop, privileged: false })).toBe(mask);
  });

  test("the default is docker's, as the kernel prints it", () => {
    expect(DEFAULT).toBe(0xa80425fbn);
    expect(capabilityNames(DEFAULT)).toHaveLength(14);
    expect(capabilityNames(ALL)).toHaveLength(41);
  });

  test('privileged means all; wrong names are still told', () => {
    expect(capabilityMask({ add: [], drop: ['KILL'], privileged: true })).toBe(ALL);
    expect(() => capabilityMask({ add: ['FLY'], drop: [], privileged: true })).toThrow(
      '--cap-add "FLY": not a capability',
    );
    expect(() => capabilityMask({ add: [], drop: ['CAP_CAP_KILL'], privileged: false })).toThrow(
      '--cap-drop',
    );
  });

  test('another user than root holds none, but may not gain others either', () => {
    expect(capabilitySets(DEFAULT, 1000)).toEqual({
      bounding: DEFAULT,
      effective: 0n,
      permitted: 0n,
      inheritable: 0n,
      ambient: 0n,
    });
    expect(capabilitySets(DEFAULT, 0)).toMatchObject({
      effective: DEFAULT,
      permitted: DEFAULT,
      inheritable: 0n,
      ambient: 0n,
    });
  });
});

describe('lowerUlimits', () => {
  const LIMITS =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max cpu time              unlimited            unlimited            seconds   \n' +
    'Max processes             100                  200                  processes \n' +
    'Max open files            1024                 4096                 files     \n' +
    'Max nice priority         0                    0                    \n';
  test.each<[string, string, string?]>([
    ['nofile=4096', 'nofile 4096 4096'],
    ['nofile=99999999', 'nofile 4096 4096', '--ulimit nofile=99999999: only root may'],
    ['nofile=10:5000', 'nofile 10 4096', 'using 10:4096'],
    ['nproc=-1', 'nproc 200 200', '--ulimit nproc=-1: only root may'],
    ['nice=5', 'nice 0 0', 'using 0'],
    ['cpu=5:-1', 'cpu 5 -1'],
    ['rttime=7', 'rttime 7 7'],
  ])('%s becomes %s', (text, expected, note) => {
    const { ulimits, notes } = lowerUlimits([parseUlimit(text)], LIMITS);
    expect(ulimits.map(({ name, soft, hard }) => `${name} ${soft} ${hard}`)).toEqual([expected]);
    expect(notes).toEqual(note === undefined ? [] : [expect.stringContaining(note)]);
  });
});

describe('--ulimit', () => {
  test.each([
    ['nofile=1024', { name: 'nofile', soft: 1024, hard: 1024 }],
    ['nofile=1024:2048', { name: 'nofile', soft: 1024, hard: 2048 }],
    ['core=0:-1', { name: 'core', soft: 0, hard: -1 }],
    ['memlock=-1', { name: 'memlock', soft: -1, hard: -1 }],
  ])('%s', (text, ulimit) => {
    expect(parseUlimit(text)).toEqual(ulimit);
  });
  test.each([
    ['nofile', /expected NAME=SOFT/],
    ['nofile=', /expected NAME=SOFT/],
    ['files=1', /no limit is called files/],
    ['constructor=1', /no limit is called constructor/],
    ['nofile=2:1', /soft limit must be less than or equal to hard limit/],
    ['nofile=-1:5', /soft limit must be less/],
    ['nofile=-2', /-1 for unlimited/],
  ])('%s is refused', (text, message) => {
    expect(() => parseUlimit(text)).toThrow(message);
  });
  test('numbers of linux/resource.h', () => {
    expect(toRlimit({ name: 'nofile', soft: 1, hard: -1 })).toEqual({ resource: 7, soft: 1n, hard: -1n });
    expect(toRlimit({ name: 'rttime', soft: 1, hard: 1 }).resource).toBe(15);
  });
});

describe('--sysctl', () => {
  const own = { ipc: true, net: true, uts: true };
  test.each([
    ['net.ipv4.ip_forward=1', ['net.ipv4.ip_forward', '1']],
    ['net/ipv4/conf/eth0/forwarding=1', ['net.ipv4.conf.eth0.forwarding', '1']],
    ['kernel.msgmax=65536', ['kernel.msgmax', '65536']],
    ['kernel.sem=1 2 3 4', ['kernel.sem', '1 2 3 4']],
    ['fs.mqueue.msg_max=20', ['fs.mqueue.msg_max', '20']],
    ['net.ipv4.ping_group_range=', ['net.ipv4.ping_group_range', '']],
  ])('%s', (text, pair) => {
    expect(parseSysctl(text, own)).toEqual(pair);
  });
  test.each([
    ['net.ipv4.ip_forward', own, /expected NAME=VALUE/],
    ['=1', own, /expected NAME=VALUE/],
    ['net..x=1', own, /expected NAME=VALUE/],
    ['net.ipv4/../../kernel.x=1', own, /expected NAME=VALUE/],
    ['kernel.panic=1', own, /is not in a separate kernel namespace/],
    ['vm.swappiness=1', own, /is not in a separate kernel namespace/],
    ['net.core.somaxconn=1', { ...own, net: false }, /net namespace is not the container's own/],
    ['kernel.shmmax=1', { ...own, ipc: false }, /ipc namespace is not the container's own/],
  ])('%s is refused', (text, namespaces, message) => {
    expect(() => parseSysctl(text, namespaces)).toThrow(message);
  });
});

test.each([
  ['TERM', 15],
  ['SIGTERM', 15],
  ['sigkill', 9],
  ['9', 9],
  ['RTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
])('signal %s', (text, number) => {
  expect(parseSignal(text, '--stop-signal')).toBe(number);
});

test.each(['', '0', '65', '-1', 'SIGFOO', 'RTMIN-1', 'RTMAX+1', '9x', 'constructor'])(
  'signal "%s" is refused',
  (text) => {
    expect(() => parseSignal(text, '--stop-signal')).toThrow(
      `--stop-signal ${JSON.stringify(text)}: not a signal`,
    );
  },
);

test.each([
  ['0', 0],
  ['1024', 1024],
  ['64m', 67108864],
  ['64M', 67108864],
  ['1.5g', 1610612736],
  ['10MiB', 10485760],
  ['10 kb', 10240],
  ['7b', 7],
])('size %s', (text, bytes) => {
  expect(parseSize(text, '--shm-size')).toBe(bytes);
});

test.each(['', 'm', '-1', '1z', '1e5', '99999999p', '0x10'])('size "%s" is refused', (text) => {
  expect(() => parseSize(text, '--shm-size')).toThrow(/invalid size/);
});
