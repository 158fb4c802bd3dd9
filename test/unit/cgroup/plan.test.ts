import { describe, expect, it } from 'vitest';
import type { Group } from '../../../src/cgroup/choose.ts';
import { allUnhonoured, planGroup } from '../../../src/cgroup/plan.ts';

const MB = 2 ** 20;
const scope: Group = {
  cgroup: { version: 2, path: '/s/container', unit: { name: 'u.scope', manager: 'user' } },
  dirs: ['/s/container'],
  controllers: ['memory', 'pids'],
  scope: { dir: '/s', argv: ['/usr/bin/busctl', '{pid}'] },
  opening: undefined,
  like: () => '/manager',
  mend: 'do this',
};
const memory = { memoryBytes: 64 * MB, memorySwapBytes: 128 * MB };

describe('planGroup', () => {
  it('is the group, its limits, and where kills are counted', () => {
    const { plan, unhonoured } = planGroup(scope, memory, { required: true, exists: () => true });
    expect(unhonoured).toEqual([]);
    expect(plan).toEqual({
      version: 2,
      groups: ['/s/container'],
      scope: { dir: '/s', argv: ['/usr/bin/busctl', '{pid}'], controllers: ['memory', 'pids'] },
      limits: [
        { name: '--memory', path: '/s/container/memory.max', value: '67108864', implied: false },
        { name: '--memory-swap', path: '/s/container/memory.swap.max', value: '67108864', implied: true },
      ],
      record: 'version=2\npath=/s/container\nunit=u.scope\nmanager=user\n',
      oomEvents: '/s/container/memory.events',
      memoryLimit: '64 MiB (--memory)',
      asked: true,
      required: true,
    });
  });

  it('names each missing controller once, with the flags that need it', () => {
    const limits = { nanoCpus: 1e9, cpuShares: 5, cpusetCpus: '0', pidsLimit: 5 };
    const { plan, unhonoured } = planGroup(scope, limits, { required: false, exists: () => true });
    expect(plan.limits.map(({ name }) => name)).toEqual(['--pids-limit']);
    expect(unhonoured).toEqual([
      {
        flags: ['--cpus', '--cpu-shares', '--cpuset-cpus'],
        why: 'the cgroup controllers cpu, cpuset are not delegated to us',
        mend: 'do this',
      },
    ]);
  });

  it('says what cgroup v2 and what the kernel do not have', () => {
    const limits = { ...memory, memorySwapBytes: 64 * MB, oomKillDisable: true };
    const exists = (path: string): boolean => path === '/manager/memory.max';
    const { plan, unhonoured } = planGroup(scope, limits, { required: false, exists });
    expect(plan.limits.map(({ name }) => name)).toEqual(['--memory']);
    expect(unhonoured).toEqual([
      { flags: ['--oom-kill-disable'], why: 'cgroup v2 has no such limit', mend: undefined },
      { flags: ['--memory-swap'], why: 'the kernel has no memory.swap.max', mend: undefined },
    ]);
  });

  it('does without docker’s default for swap where there is none', () => {
    const exists = (path: string): boolean => path === '/manager/memory.max';
    expect(planGroup(scope, memory, { required: false, exists }).unhonoured).toEqual([]);
  });

  it('on cgroup v1 finds each file in its own hierarchy', () => {
    const v1: Group = {
      ...scope,
      cgroup: { version: 1, paths: { memory: '/m/x', pids: '/p/x' } },
      dirs: ['/m/x', '/p/x'],
      scope: undefined,
    };
    const { plan } = planGroup(v1, { ...memory, pidsLimit: 5 }, { required: false, exists: () => true });
    expect(plan.limits.map(({ path }) => path)).toEqual([
      '/m/x/memory.limit_in_bytes',
      '/m/x/memory.memsw.limit_in_bytes',
      '/p/x/pids.max',
    ]);
    expect(plan.oomEvents).toBe('/m/x/memory.oom_control');
  });
});

it('without a group every flag is lost, but for what none was typed for', () => {
  expect(allUnhonoured({ ...memory, pidsLimit: 5 }, { why: 'w', mend: 'm' })).toEqual([
    { flags: ['--memory', '--pids-limit'], why: 'w', mend: 'm' },
  ]);
  expect(allUnhonoured({}, { why: 'w', mend: 'm' })).toEqual([]);
});
