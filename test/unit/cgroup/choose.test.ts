import { describe, expect, it } from 'vitest';
import { attachArgv, chooseGroup, slicePath, type Group } from '../../../src/cgroup/choose.ts';
import type { CgroupFacts, UnifiedHierarchy } from '../../../src/cgroup/facts.ts';

const wish = { id: 'abc', parent: '', nonce: 'n1' };
const none: CgroupFacts = { hostUid: 1000, v1: {}, v2: undefined, systemd: undefined };
const hierarchy = (name: string, own = '', writable = true) => ({
  mount: `/sys/fs/cgroup/${name}`,
  own: `/sys/fs/cgroup/${name}${own}`,
  writable,
});
const unified: UnifiedHierarchy = {
  mount: '/sys/fs/cgroup',
  own: '/sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope',
  writable: false,
  controllers: ['memory', 'pids'],
  passedOn: [],
  isRoot: false,
};
const manager = '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service';
const systemd: CgroupFacts['systemd'] = {
  manager: 'user',
  busctl: '/usr/bin/busctl',
  address: 'unix:path=/run/user/1000/bus',
  dir: manager,
  controllers: ['cpu', 'memory', 'pids'],
};

function group(facts: Partial<CgroupFacts>, parent = ''): Group {
  const choice = chooseGroup({ ...none, ...facts }, { ...wish, parent });
  if ('why' in choice) throw new Error(choice.why);
  return choice;
}

function why(facts: Partial<CgroupFacts>, parent = ''): string {
  const choice = chooseGroup({ ...none, ...facts }, { ...wish, parent });
  return 'why' in choice ? choice.why : 'there is one';
}

describe('cgroup v1', () => {
  const v1 = {
    memory: hierarchy('memory', '/job'),
    cpu: hierarchy('cpu,cpuacct'),
    cpuacct: hierarchy('cpu,cpuacct'),
  };

  it('is one directory a hierarchy, below our own group', () => {
    const { cgroup, dirs, controllers, scope, like } = group({ hostUid: 0, v1, v2: unified, systemd });
    expect(cgroup).toEqual({
      version: 1,
      paths: {
        memory: '/sys/fs/cgroup/memory/job/skiff-abc',
        cpu: '/sys/fs/cgroup/cpu,cpuacct/skiff-abc',
        cpuacct: '/sys/fs/cgroup/cpu,cpuacct/skiff-abc',
      },
    });
    expect(dirs).toEqual(['/sys/fs/cgroup/memory/job/skiff-abc', '/sys/fs/cgroup/cpu,cpuacct/skiff-abc']);
    expect(controllers).toEqual(['memory', 'cpu', 'cpuacct']);
    expect(scope).toBeUndefined();
    // The root of a hierarchy lacks the files of its groups.
    expect([like('memory'), like('cpu')]).toEqual(['/sys/fs/cgroup/memory/job', undefined]);
  });

  it('leaves out what we may not change', () => {
    const { controllers } = group({
      v1: { ...v1, cpu: hierarchy('cpu', '', false), cpuacct: hierarchy('cpu', '', false) },
    });
    expect(controllers).toEqual(['memory']);
  });

  it('takes --cgroup-parent from the mount on, and never beyond', () => {
    expect(group({ v1 }, '/a/../../b').dirs[0]).toBe('/sys/fs/cgroup/memory/a/b/skiff-abc');
    expect(group({ v1 }, 'a').dirs[0]).toBe('/sys/fs/cgroup/memory/a/skiff-abc');
  });

  it('says who may', () => {
    const closed = { memory: hierarchy('memory', '', false) };
    expect(why({ v1: closed })).toMatch(/root alone/);
    expect(why({ v1: closed, hostUid: 0 })).toMatch(/read-only/);
  });
});

describe('a scope of systemd', () => {
  it('holds the group beside the monitor', () => {
    const { cgroup, dirs, controllers, scope, opening } = group({ v2: unified, systemd });
    const dir = `${manager}/app.slice/skiff-abc-n1.scope`;
    expect(cgroup).toEqual({
      version: 2,
      path: `${dir}/container`,
      unit: { name: 'skiff-abc-n1.scope', manager: 'user' },
    });
    expect(dirs).toEqual([`${dir}/container`]);
    expect(controllers).toEqual(['cpu', 'memory', 'pids']);
    expect(scope?.dir).toBe(dir);
    expect(opening).toBeUndefined();
    const words = scope?.argv.join(' ') ?? '';
    expect(words).toMatch(/^\/usr\/bin\/busctl .* call org\.freedesktop\.systemd1 /);
    expect(words).toContain('--address=unix:path=/run/user/1000/bus');
    expect(words).toContain(
      'StartTransientUnit ssa(sv)a(sa(sv)) skiff-abc-n1.scope fail 5 PIDs au 1 {pid} Delegate b true',
    );
    expect(words).toMatch(/ Slice s app\.slice .* 0$/);
  });

  it.each([
    ['x.slice', 'x.slice'],
    ['a-b.slice', 'a.slice/a-b.slice'],
  ])('goes into the slice %s', (slice, path) => {
    expect(group({ v2: unified, systemd }, slice).scope?.dir).toBe(`${manager}/${path}/skiff-abc-n1.scope`);
  });

  it('is of the system for root', () => {
    const system = { ...systemd, manager: 'system' as const, dir: '/sys/fs/cgroup' };
    expect(group({ hostUid: 0, v2: unified, systemd: system }).scope?.dir).toBe(
      '/sys/fs/cgroup/system.slice/skiff-abc-n1.scope',
    );
  });
});

describe('a group of our own', () => {
  const v2 = { ...unified, own: '/sys/fs/cgroup/job', writable: true };

  it('is made beside the processes of ours, which move', () => {
    const { dirs, opening } = group({ v2 });
    expect(dirs).toEqual(['/sys/fs/cgroup/job/skiff-abc']);
    expect(opening).toEqual({
      dirs: ['/sys/fs/cgroup/job'],
      controllers: ['memory', 'pids'],
      move: { from: '/sys/fs/cgroup/job', leaf: '/sys/fs/cgroup/job/skiff-callers' },
    });
  });

  it('is the same once they have moved', () => {
    const { dirs, opening } = group({ v2: { ...v2, own: '/sys/fs/cgroup/job/skiff-callers' } });
    expect(dirs).toEqual(['/sys/fs/cgroup/job/skiff-abc']);
    expect(opening?.move).toBeUndefined();
  });

  it('moves nobody at the root of the hierarchy', () => {
    const { dirs, opening } = group({ v2: { ...v2, own: '/sys/fs/cgroup', isRoot: true } });
    expect(dirs).toEqual(['/sys/fs/cgroup/skiff-abc']);
    expect(opening?.move).toBeUndefined();
  });

  it('is made in --cgroup-parent, all the way down', () => {
    const { dirs, opening } = group({ v2, systemd }, '/a/b');
    expect(dirs).toEqual(['/sys/fs/cgroup/a/b/skiff-abc']);
    expect(opening?.dirs).toEqual(['/sys/fs/cgroup', '/sys/fs/cgroup/a', '/sys/fs/cgroup/a/b']);
  });
});

describe('none', () => {
  it.each([
    ['nothing mounted', {}, /no cgroup hierarchy/],
    ['another’s group, no systemd', { v2: unified }, /session-1\.scope is not ours/],
  ])('%s', (_, facts, words) => {
    expect(why(facts)).toMatch(words);
  });
});

it('slicePath', () => {
  expect(slicePath('a-b-c.slice')).toBe('a.slice/a-b.slice/a-b-c.slice');
});

it('attachArgv is empty without a bus', () => {
  const unit = { name: 'u.scope', manager: 'user' as const };
  expect(attachArgv(undefined, unit)).toEqual([]);
  expect(attachArgv({ busctl: '/b', address: 'unix:path=/x' }, unit).slice(-5)).toEqual([
    'ssau',
    'u.scope',
    '/monitor',
    '1',
    '{pid}',
  ]);
});
