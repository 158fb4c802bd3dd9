import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, test } from 'vitest';
import { changedWrites, changeLimits, inOrder } from '../../../src/cgroup/change-limits.ts';
import { limitWrites } from '../../../src/cgroup/limit-writes.ts';
import { mergeLimits } from '../../../src/cgroup/merge-limits.ts';
import type { ContainerCgroup, Limits } from '../../../src/cgroup/types.ts';
import { HOST, MERGED, REFUSED } from './change-limits.cases.ts';

const MIB = 2 ** 20;
const root = mkdtempSync(`${tmpdir()}/skiff-limits-`);
afterAll(() => rmSync(root, { recursive: true }));

let groups = 0;

/** A group made of plain files, which take any value. */
function makeGroup(version: 1 | 2, files: Record<string, string>): { group: ContainerCgroup; dir: string } {
  const dir = `${root}/${(groups += 1)}`;
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${dir}/${name}`, text);
  const paths = { memory: dir, cpu: dir, cpuset: dir, pids: dir };
  return { group: version === 2 ? { version, path: dir } : { version, paths }, dir };
}

/** Of plain files the first characters are what was written last. */
function contents(dir: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(dir).map((name) => [name, readFileSync(`${dir}/${name}`, 'latin1').split('\n')[0] ?? '']),
  );
}

describe('mergeLimits', () => {
  test.each(MERGED)('$name', ({ old, change, merged }) => {
    expect(mergeLimits(old, change, HOST)).toEqual(merged);
  });

  test.each(REFUSED)('refused: $name', ({ old, change, why }) => {
    expect(() => mergeLimits(old, change, HOST)).toThrow(why);
  });
});

test('only what has become another is written', () => {
  const old: Limits = { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB, pidsLimit: 20 };
  const next: Limits = { ...old, pidsLimit: 30, cpusetCpus: '0' };
  const files = changedWrites(limitWrites(old, 2), limitWrites(next, 2)).map(({ file, value }) => [
    file,
    value,
  ]);
  expect(files).toEqual([
    ['cpuset.cpus', '0'],
    ['pids.max', '30'],
  ]);
});

describe('changeLimits', () => {
  test('v2: written, and written back', () => {
    const { group, dir } = makeGroup(2, {
      'memory.max': 'max\n',
      'memory.swap.max': 'max\n',
      'cpu.max': 'max 100000\n',
      'cpuset.cpus': '\n',
    });
    const next = { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB, nanoCpus: 5e8, cpusetCpus: '1' };
    const undo = changeLimits(group, {}, next);
    expect(contents(dir)).toEqual({
      'memory.max': '67108864',
      'memory.swap.max': '67108864',
      'cpu.max': '50000 100000',
      'cpuset.cpus': '1',
    });
    undo();
    expect(contents(dir)).toMatchObject({
      'memory.max': expect.stringMatching(/^max/) as string,
      'cpuset.cpus': '',
    });
  });

  test('a refusal half-way changes nothing', () => {
    const { group, dir } = makeGroup(2, { 'memory.max': '134217728\n', 'memory.swap.max': '134217728\n' });
    symlinkSync('/proc/version', `${dir}/pids.max`); // takes no write
    const next = { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB, pidsLimit: 5 };
    expect(() => changeLimits(group, {}, next)).toThrow(/^--pids-limit: the kernel refuses "5" \(E[A-Z]+\)$/);
    expect(contents(dir)).toMatchObject({ 'memory.max': '134217728', 'memory.swap.max': '134217728' });
  });

  test('v2 would kill: what is kept in memory must fit', () => {
    const files = {
      'memory.max': '134217728\n',
      'memory.current': `${100 * MIB}\n`,
      'memory.stat': `anon ${30 * MIB}\nfile ${60 * MIB}\nshmem ${20 * MIB}\nslab_reclaimable ${10 * MIB}\n`,
    };
    const { group, dir } = makeGroup(2, files);
    const old = { memoryBytes: 128 * MIB };
    expect(() => changeLimits(group, old, { memoryBytes: 49 * MIB })).toThrow(
      '--memory: 49 MiB are less than it needs right now: it uses 100 MiB',
    );
    expect(contents(dir)['memory.max']).toBe('134217728');
    changeLimits(group, old, { memoryBytes: 50 * MIB });
    expect(contents(dir)['memory.max']).toMatch(/^52428800/);
  });

  test.each([
    ['more', 64, 256, ['memory.memsw.limit_in_bytes', 'memory.limit_in_bytes', 'pids.max']],
    ['less', 256, 64, ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes', 'pids.max']],
  ])('v1, %s memory: in the order the kernel wants', (_, before, after, order) => {
    const limits = (mib: number): Limits => ({ memoryBytes: mib * MIB, memorySwapBytes: 2 * mib * MIB });
    const { group } = makeGroup(1, { 'memory.memsw.limit_in_bytes': `${2 * before * MIB}\n` });
    const writes = limitWrites({ ...limits(after), pidsLimit: 5 }, 1);
    expect(inOrder(writes, group).map(({ file }) => file)).toEqual(order);
  });

  test('a controller that is not there is named', () => {
    const { group } = makeGroup(2, { 'cgroup.controllers': 'memory pids\n' });
    expect(() => changeLimits(group, {}, { cpusetCpus: '0' })).toThrow(
      '--cpuset-cpus: its group has no cgroup controller cpuset',
    );
    expect(() => changeLimits(group, {}, { pidsLimit: 5 })).toThrow(
      '--pids-limit: the kernel has no pids.max',
    );
    const none: ContainerCgroup = { version: 1, paths: {} };
    expect(() => changeLimits(none, {}, { pidsLimit: 5 })).toThrow('no cgroup controller pids');
  });

  test('what only follows is not missed', () => {
    const { group, dir } = makeGroup(1, { 'memory.limit_in_bytes': '9223372036854771712\n' });
    changeLimits(group, {}, { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB });
    expect(contents(dir)['memory.limit_in_bytes']).toMatch(/^67108864/);
  });
});
