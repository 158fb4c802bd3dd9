import { describe, expect, test } from 'vitest';
import { parseDetachKeys } from '../../../../src/container/configure/detach-keys.ts';
import { planExec, type ExecInput, type ExecOptions } from '../../../../src/container/exec/exec-plan.ts';
import type { RunOptions } from '../../../../src/container/configure/options.ts';
import { maskOf } from '../../../../src/runtime/capabilities.ts';
import { chooseIdMap } from '../../../../src/runtime/idmap.ts';
import type { ContainerSpec } from '../../../../src/runtime/spec.ts';
import { TESTER } from '../../runtime/idmap.cases.ts';
import { fromFlags } from '../spec.ts';

const NO_FLAGS: ExecOptions = {
  detach: undefined,
  'detach-keys': undefined,
  env: [],
  'env-file': [],
  interactive: undefined,
  privileged: undefined,
  tty: undefined,
  user: undefined,
  workdir: undefined,
};

const ACCOUNTS = {
  passwd: 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n',
  group: 'root:x:0:\nbin:x:1:root,app\nbig:x:70000:app\nmore:x:5:\n',
};

function plan(
  options: Partial<ExecOptions> = {},
  run: Partial<RunOptions> = {},
  input: Partial<ExecInput> = {},
): ReturnType<typeof planExec> {
  const { spec } = fromFlags(run);
  return planExec({
    spec,
    init: { pid: 77, startTicks: '123456' },
    typed: 'web',
    words: ['ls', '-l'],
    options: { ...NO_FLAGS, ...options },
    caller: {},
    envLines: [],
    accounts: options.user === undefined ? undefined : ACCOUNTS,
    seccomp: 'default',
    cgroup: undefined,
    available: undefined,
    lowestOomScore: undefined,
    events: undefined,
    ...input,
  });
}

test('nothing said: everything is the container’s', () => {
  const { spec } = fromFlags({ user: 'app', workdir: '/srv', env: ['A=1'], ulimit: ['nofile=5:6'] });
  expect(plan({}, { user: 'app', workdir: '/srv', env: ['A=1'], ulimit: ['nofile=5:6'] })).toEqual({
    container: 'web',
    pid: 77,
    startTicks: '123456',
    process: {
      args: ['ls', '-l'],
      env: spec.process.env,
      cwd: '/srv',
      createCwd: false,
      containerUid: 1000,
      containerGid: 1001,
      additionalGids: [1001, 1],
      keepGroups: false,
      capabilities: { bounding: 0xa80425fbn, effective: 0n, permitted: 0n, inheritable: 0n, ambient: 0n },
      noNewPrivileges: false,
      seccomp: 'default',
      rlimits: [{ resource: 7, soft: 5n, hard: 6n }],
      init: false,
    },
    stdio: { kind: 'inherit', stdin: false },
    detach: false,
    detachKeys: Uint8Array.of(0x10, 0x11),
    dieWithParent: true,
  });
});

describe('user', () => {
  const ids = ({ process: p }: ReturnType<typeof planExec>): unknown[] => [
    p.containerUid,
    p.containerGid,
    p.additionalGids,
    p.capabilities.effective !== 0n,
    p.env.find((entry) => entry.startsWith('HOME=')),
  ];

  test.each<[string, Partial<ExecOptions>, Partial<RunOptions>, unknown[]]>([
    [
      'by name: groups without a host id are left out',
      { user: 'app' },
      {},
      [1000, 1001, [1001, 1], false, 'HOME=/home/app'],
    ],
    ['by number', { user: '1000' }, {}, [1000, 1001, [1001, 1], false, 'HOME=/home/app']],
    ['without an entry', { user: '42' }, {}, [42, 0, [0], false, 'HOME=/']],
    ['with a group', { user: 'app:more' }, {}, [1000, 5, [5], false, 'HOME=/home/app']],
    [
      'empty means the own one',
      { user: '' },
      { user: 'app' },
      [1000, 1001, [1001, 1], false, 'HOME=/home/app'],
    ],
    ['root of a container of a user', { user: '0' }, { user: 'app' }, [0, 0, [0, 1], true, 'HOME=/root']],
    [
      'groups of the container are added',
      { user: '42' },
      { 'group-add': ['more'] },
      [42, 0, [0, 5], false, 'HOME=/'],
    ],
    [
      'HOME that was set stays',
      { user: 'app' },
      { env: ['HOME=/data'] },
      [1000, 1001, [1001, 1], false, 'HOME=/data'],
    ],
    ['HOME of the flag', { user: 'app', env: ['HOME=/x'] }, {}, [1000, 1001, [1001, 1], false, 'HOME=/x']],
  ])('%s', (_, options, run, expected) => {
    const accounts =
      run['group-add'] === undefined ? {} : { accounts: { passwd: ACCOUNTS.passwd, group: ACCOUNTS.group } };
    const { spec } = fromFlags(run, accounts);
    expect(ids(plan(options, {}, { spec }))).toEqual(expected);
  });

  test.each([
    ['nobodyknows', /unable to find user nobodyknows/],
    ['app:nogroup', /unable to find group nogroup/],
    ['3000000', /user "3000000": uid 3000000 has no id on the host/],
    ['0:3000000', /gid 3000000 has no id on the host/],
    ['a:b:c', /expected NAME\|UID/],
  ])('%s is refused', (user, message) => {
    expect(() => plan({ user })).toThrow(message);
  });

  test('a single id has no groups', () => {
    const ids = chooseIdMap({ ...TESTER, subuid: '', subgid: '' });
    const spec: ContainerSpec = { ...fromFlags({}, { ids }).spec };
    expect(plan({ user: 'root' }, {}, { spec }).process.additionalGids).toEqual([]);
    expect(() => plan({ user: 'app' }, {}, { spec })).toThrow(/uid 1000 has no id/);
  });
});

describe('environment', () => {
  test('file, then flags, over the container’s', () => {
    const { env } = plan(
      { env: ['B=flag', 'GONE', 'CALLER'] },
      { env: ['A=own', 'B=own', 'GONE=x'] },
      {
        envLines: [
          { key: 'A', value: 'file' },
          { key: 'B', value: 'file' },
        ],
        caller: { CALLER: 'c' },
      },
    ).process;
    expect(env.slice(2)).toEqual(['A=file', 'B=flag', 'HOME=/root', 'CALLER=c']);
  });

  test('TERM comes with a terminal, unless there is one', () => {
    expect(plan().process.env.some((entry) => entry.startsWith('TERM='))).toBe(false);
    expect(plan({ tty: true }).process.env).toContain('TERM=xterm');
    expect(plan({ tty: true }, { env: ['TERM=vt100'] }).process.env).toContain('TERM=vt100');
    expect(plan({ tty: true, env: ['TERM=dumb'] }).process.env).toContain('TERM=dumb');
  });
});

describe('rights', () => {
  const bounding = (...args: Parameters<typeof plan>): bigint => plan(...args).process.capabilities.bounding;

  test('are the container’s', () => {
    expect(bounding({}, { 'cap-drop': ['ALL'], 'cap-add': ['KILL'] })).toBe(maskOf(['KILL']));
    expect(plan({}, { 'security-opt': ['no-new-privileges'] }).process.noNewPrivileges).toBe(true);
  });

  test('--privileged gives all, but not more than there is', () => {
    expect(bounding({ privileged: true }, { 'cap-drop': ['ALL'] }).toString(2)).toMatch(/^1{41}$/);
    expect(bounding({ privileged: true }, {}, { available: maskOf(['KILL', 'CHOWN']) })).toBe(
      maskOf(['KILL', 'CHOWN']),
    );
    expect(plan({ privileged: true, user: 'app' }).process.capabilities.effective).toBe(0n);
  });

  test('the OOM score goes no lower than it may', () => {
    expect(plan({}, { 'oom-score-adj': -100 }, { lowestOomScore: 50 }).process.oomScoreAdj).toBe(50);
    expect(plan({}, { 'oom-score-adj': 100 }, { lowestOomScore: 50 }).process.oomScoreAdj).toBe(100);
    expect(plan({}, { 'oom-score-adj': -100 }).process.oomScoreAdj).toBe(-100);
    expect(plan().process.oomScoreAdj).toBeUndefined();
  });
});

describe('stdio', () => {
  test.each<[Partial<ExecOptions>, object]>([
    [{}, { stdio: { kind: 'inherit', stdin: false }, detach: false, dieWithParent: true }],
    [{ interactive: true }, { stdio: { kind: 'inherit', stdin: true } }],
    [{ tty: true, interactive: true }, { stdio: { kind: 'tty', stdin: true } }],
    [
      { detach: true, interactive: true },
      { stdio: { kind: 'inherit', stdin: false }, detach: true, dieWithParent: false },
    ],
    [
      { detach: true, tty: true },
      { stdio: { kind: 'tty', stdin: false }, detach: true },
    ],
  ])('%j', (options, expected) => {
    expect(plan(options)).toMatchObject(expected);
  });
});

describe('what is refused', () => {
  test.each<[string, Partial<ExecOptions>, Partial<ExecInput>, RegExp]>([
    ['no command', {}, { words: [] }, /"web": no command specified/],
    ['a relative directory', { workdir: 'tmp' }, {}, /--workdir "tmp": .*absolute path/],
    ['a variable without a name', { env: ['=x'] }, {}, /--env "=x"/],
  ])('%s', (_, options, input, message) => {
    expect(() => plan(options, {}, input)).toThrow(message);
  });
});

describe('parseDetachKeys', () => {
  test.each([
    ['', []],
    ['ctrl-p,ctrl-q', [0x10, 0x11]],
    ['a', [0x61]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f]],
    ['ctrl-A,x,DEL', [1, 0x78, 0x7f]],
  ])('%s', (text, keys) => {
    expect([...parseDetachKeys(text)]).toEqual(keys);
  });

  test.each(['ctrl-', 'ctrl-7', 'ab', 'a,', ',', 'ctrl-pp', 'ü', ' ', Array(17).fill('a').join(',')])(
    'refuses %j',
    (text) => {
      expect(() => parseDetachKeys(text)).toThrow(/--detach-keys/);
    },
  );
});
