// What encode-plan.ts writes is what native/helper/plan.cc reads, byte for byte; and the decoder takes nothing else.

import { beforeAll, describe, expect, it } from 'vitest';
import { encodeBytes } from '../../../src/core/bytes.ts';
import {
  encodeExecPlan,
  encodePlan,
  encodeRemoveCommand,
  encodeUserNamespaceCommand,
} from '../../../src/native/encode-plan.ts';
import type { HelperPlan } from '../../../src/native/plan.ts';
import { execPlan, fullPlan, smallPlan } from './plans.ts';
import { runHelper, sanitizedHelper } from './helper.ts';

beforeAll(() => void sanitizedHelper(), 300_000);

/** Lines of `dump` as [name, value] with texts decoded to hexadecimal, in order. */
async function dump(plan: Uint8Array): Promise<string[]> {
  const { status, stdout, stderr } = await runHelper('dump', plan);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

const hex = (text: string): string => `#${encodeBytes(text).toString('hex')}`;

/** The lines from the first that starts with `name` on. */
function from(lines: readonly string[], name: string, count: number): string[] {
  const at = lines.findIndex((line) => line.startsWith(`${name} `));
  return lines.slice(at, at + count);
}

describe('encodePlan', () => {
  it('arrives in the helper, every field of it', async () => {
    const lines = await dump(encodePlan(fullPlan()));
    expect(from(lines, 'user', 6)).toEqual([
      'user 1',
      'user #',
      'uid 0 1001 1',
      'uid 1 100000 65536',
      'gid 0 4294967294 1',
      'pid 0',
    ]);
    expect(from(lines, 'net', 2)).toEqual(['net 2', `net ${hex('/proc/7/ns/net')}`]);
    expect(from(lines, 'cgroup', 8)).toEqual([
      'cgroup 1',
      'cgroup #',
      'overlay 1',
      'no-dev 1',
      'lower 2',
      `- ${hex('/l/top')}`,
      `- ${hex('/l/bottom,with:odd\\names')}`,
      `upper ${hex('/u')}`,
    ]);
    expect(from(lines, 'root-propagation', 1)).toEqual(['root-propagation 3']);
    expect(from(lines, 'hostname', 4)).toEqual([
      `hostname ${hex('box')}`,
      `domainname ${hex('example.org')}`,
      `sysctl ${hex('net.ipv4.ip_forward')}`,
      `value ${hex('1')}`,
    ]);
    expect(from(lines, 'create-cwd', 13)).toEqual([
      'create-cwd 1',
      'uid 1000',
      'gid 4294967294',
      'group 5',
      'group 29',
      'keep-groups 1',
      `bounding ${String(0xa80425fb)}`,
      `effective ${1n << 40n}`,
      `permitted ${(1n << 64n) - 1n}`,
      'inheritable 2',
      'ambient 4',
      'no-new-privs 1',
      'init 1',
    ]);
    expect(from(lines, 'oom', 8)).toEqual([
      'oom 1',
      'oom-score -500',
      'emulate-ids 1',
      'seccomp 2',
      'filter #060000000000ff7f',
      'rlimit 7',
      'soft 1024',
      `hard ${(1n << 64n) - 1n}`,
    ]);
    expect(from(lines, 'stdio', 15)).toEqual([
      'stdio 2',
      'stdin 1',
      'stdin-once 1',
      `log ${hex('/c/log')}`,
      'log-max-size 5000000000',
      'log-files 3',
      'journal #',
      'network 2',
      `program ${hex('/usr/bin/slirp4netns')}`,
      'network-args 2',
      `- ${hex('-c')}`,
      `- ${hex('{netns}')}`,
      `socket ${hex('/run/s')}`,
      'requests 1',
      `- ${hex('{"execute":"add_hostfwd"}')}`,
    ]);
    expect(from(lines, 'dir', 33)).toEqual([
      `dir ${hex('/c')}`,
      'lock 9',
      'remove 1',
      'remove-paths 1',
      `- ${hex('/names/x')}`,
      'timeout 5000000000',
      'die-with-parent 1',
      'parent-fd 7',
      `pid-file ${hex('/run/pid')}`,
      'restart 1',
      'max-restarts 5',
      'client 2',
      'streams 5',
      'tty 1',
      'sig-proxy 1',
      'detach-keys 2',
      `print ${hex('id')}`,
      'print-on-failure 1',
      'probe 3',
      `- ${hex('/bin/sh')}`,
      `- ${hex('-c')}`,
      `- ${hex('check')}`,
      'interval 30000',
      'timeout 5000000000',
      'start-period 0',
      'start-interval 1',
      'retries 4',
      `timeout-text ${hex('5000000s')}`,
      'on-unhealthy 2',
      'stop-signal 15',
      'has-stop-timeout 1',
      'stop-timeout 10000',
      `label ${hex('printf')}`,
    ]);
    expect(from(lines, 'groups', 22)).toEqual([
      'groups 2',
      `- ${hex('/cg/memory/c')}`,
      `- ${hex('/cg/pids/c')}`,
      'v1 1',
      'systemd 2',
      `- ${hex('/usr/bin/busctl')}`,
      `- ${hex('{pid}')}`,
      `scope ${hex('/cg/scope')}`,
      'controllers 2',
      `- ${hex('memory')}`,
      `- ${hex('pids')}`,
      `limit ${hex('--blkio-weight')}`,
      `file ${hex('/cg/blkio.weight')}`,
      `value ${hex('10')}`,
      `other-file ${hex('/cg/blkio.bfq.weight')}`,
      `other-value ${hex('11')}`,
      'implied 1',
      `record ${hex('version=1\n')}`,
      `events ${hex('/cg/memory.oom_control')}`,
      `memory ${hex(' at its limit of 64 MiB (--memory)')}`,
      'asked 1',
      'required 1',
    ]);
    expect(from(lines, 'event-log', 9)).toEqual([
      `event-log ${hex('/events.log')}`,
      `subject ${hex('"type":"container"')}`,
      'mounted 2',
      `- ${hex('"id":"v"')}`,
      `- ${hex('"id":"w"')}`,
      'unmounted 1',
      `- ${hex('"id":"u"')}`,
      'destroyed 1',
      `- ${hex('"id":"d"')}`,
    ]);
  });

  it('writes every operation with its own fields and no others', async () => {
    const lines = await dump(encodePlan(fullPlan()));
    const ops = lines.slice(
      lines.indexOf('op 0'),
      lines.findIndex((line) => line.startsWith('hostname')),
    );
    const rows = Array.from({ length: ops.length / 12 }, (_, i) => ops.slice(12 * i, 12 * i + 12));
    expect(rows).toHaveLength(fullPlan().setup.length);
    const plain = ['source #', 'data #', 'content #', 'flags 0', 'recursive 0', 'propagation 1', 'create 2'];
    const mine = ['mode 0', 'owner 0', 'group 0'];
    expect(rows[0]).toEqual(['op 0', `target ${hex('/proc')}`, ...plain, ...mine]);
    expect(rows[1]).toContain('flags 1');
    expect(rows[5]).toEqual([
      'op 5',
      `target ${hex('/dev')}`,
      'source #',
      `data ${hex('mode=755')}`,
      'content #',
      'flags 15',
      'recursive 0',
      'propagation 1',
      'create 2',
      ...mine,
    ]);
    expect(rows[6]).toEqual([
      'op 6',
      `target ${hex('/data')}`,
      'source #2f686f73742fff',
      'data #',
      'content #',
      'flags 4',
      'recursive 1',
      'propagation 5',
      'create 1',
      ...mine,
    ]);
    expect(rows[7]).toContain(`content ${hex('127.0.0.1\tlocalhost\n')}`);
    expect(rows[7]).toContain('mode 420');
    expect(rows[8]).toContain(`source ${hex('/dev/null')}`);
    expect(rows[9]).toContain(`source ${hex('/proc/self/fd')}`);
    expect(rows.map((row) => row[0])).toEqual(rows.map((_, i) => `op ${i}`));
  });

  it('keeps bytes that are no UTF-8, and text beyond 16 bits', async () => {
    const lines = await dump(encodePlan(fullPlan()));
    expect(from(lines, 'args', 4)[3]).toBe('- #636166e920c3a920f09f9aa3');
    expect(from(lines, 'env', 2)[1]).toBe('- #413dfe');
  });

  it('grows with its content', async () => {
    const plan = smallPlan();
    plan.process.args = [
      'echo',
      'x'.repeat(100_000),
      ...Array.from({ length: 5000 }, (_, i) => `argument ${i}`),
    ];
    const lines = await dump(encodePlan(plan));
    expect(lines).toContain('args 5002');
    expect(lines).toContain(`- ${hex('argument 4999')}`);
  });

  it.each([
    ['default', 'seccomp 0'],
    ['unconfined', 'seccomp 1'],
  ] as const)('knows the seccomp choice %s', async (seccomp, line) => {
    const plan = smallPlan();
    plan.process.seccomp = seccomp;
    expect(await dump(encodePlan(plan))).toContain(line);
  });

  it('refuses a NUL, which no system call takes', () => {
    const plan = smallPlan();
    plan.process.args = ['a\0b'];
    expect(() => encodePlan(plan)).toThrow(/contains a NUL character/);
  });

  it('refuses a choice that the helper does not know', () => {
    const plan: HelperPlan = { ...smallPlan(), rootPropagation: 'sideways' as 'private' };
    expect(() => encodePlan(plan)).toThrow(/"sideways" is none of private, rprivate/);
  });
});

describe('the other modes', () => {
  it('have plans of their own', async () => {
    const user = { kind: 'join', path: '/proc/9/ns/user' } as const;
    const command = await dump(
      encodeUserNamespaceCommand({ user, argv: ['/bin/a', 'b'], dieWithParent: true }),
    );
    expect(from(command, 'user', 2)).toEqual(['user 3', `user ${hex('/proc/9/ns/user')}`]);
    expect(command).toContain('die-with-parent 1');
    expect(from(command, 'command', 3)).toEqual(['command 2', `- ${hex('/bin/a')}`, `- ${hex('b')}`]);
    const remove = await dump(encodeRemoveCommand({ user, paths: ['/x'] }));
    expect(from(remove, 'paths', 2)).toEqual(['paths 1', `- ${hex('/x')}`]);
  });
});

it('a log in the journal arrives, and no file', async () => {
  const journal = Buffer.from('CONTAINER_NAME=web\n');
  const plan = { ...smallPlan(), stdio: { kind: 'pipes', stdin: false, log: { journal } } as const };
  const lines = await dump(encodePlan(plan));
  expect(lines).toContain('log #');
  expect(lines).toContain(`journal ${hex('CONTAINER_NAME=web\n')}`);
});

describe('a plan of exec', () => {
  it('arrives whole', async () => {
    const lines = await dump(encodeExecPlan(execPlan()));
    expect(from(lines, 'container', 5)).toEqual([
      `container ${hex('web')}`,
      'init 4000000',
      'start-ticks 18446744073709551615',
      'detach 1',
      'detach-keys #1011',
    ]);
    expect(lines).toContain('die-with-parent 1');
    expect(lines).toContain('uid 1000');
    expect(from(lines, 'stdio', 2)).toEqual(['stdio 2', 'stdin 1']);
    expect(from(lines, 'groups', 6)).toEqual([
      'groups 1',
      `- ${hex('/sys/fs/cgroup/c')}`,
      'v1 0',
      'systemd 2',
      `- ${hex('/usr/bin/busctl')}`,
      `- ${hex('{pid}')}`,
    ]);
  });

  it.each([
    ['no process', { pid: 0 }],
    ['a negative process', { pid: -5 }],
    ['too many keys', { detachKeys: new Uint8Array(17) }],
  ])('is refused with %s', async (_, change) => {
    const ended = await runHelper('exec', encodeExecPlan({ ...execPlan(), ...change }));
    expect(ended).toEqual({
      status: 125,
      stdout: '',
      stderr: 'Error: reading the plan of the container: malformed record\n',
    });
  });
});

describe('the decoder', () => {
  const good = encodePlan(smallPlan());
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(good);
    copy.writeUInt32LE(value, at);
    return copy;
  };

  it.each([
    ['nothing', Buffer.alloc(0), 'not a plan of this version'],
    ['other bytes', Buffer.from('#!/bin/sh\nexit 0\n'), 'not a plan of this version'],
    ['one byte too few', good.subarray(0, -1), 'truncated'],
    ['one byte too many', Buffer.concat([good, Buffer.of(0)]), 'truncated'],
    ['a record that is unknown', changed(12, 99), 'malformed record'],
    ['a record twice', changed(good.length - 8, 1), 'malformed record'],
    ['a record beyond the end', changed(16, 0xffff_fff0), 'malformed record'],
    ['a choice that is unknown', changed(20, 77), 'malformed record'],
  ])('refuses %s', async (_, bytes, why) => {
    const { status, stderr } = await runHelper('dump', bytes);
    expect({ status, stderr }).toEqual({
      status: 125,
      stderr: `Error: reading the plan of the container: ${why}\n`,
    });
  });
});
