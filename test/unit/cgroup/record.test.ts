import { expect, it } from 'vitest';
import { formatRecord, parseCgroup } from '../../../src/cgroup/record.ts';
import type { ContainerCgroup } from '../../../src/cgroup/types.ts';

const CASES: ContainerCgroup[] = [
  { version: 2, path: '/sys/fs/cgroup/a b' },
  { version: 2, path: '/g', unit: { name: 'skiff-x.scope', manager: 'user' } },
  { version: 2, path: '/g', unit: { name: 'skiff-x.scope', manager: 'system' } },
  { version: 1, paths: { memory: '/m/x', freezer: '/f/x' } },
];

it.each(CASES)('%o comes back', (cgroup) => {
  expect(parseCgroup(formatRecord(cgroup))).toEqual(cgroup);
});

it.each([
  ['empty', ''],
  ['cut in a line', 'version=2\npath=/sys/fs/cgr'],
  ['without a path', 'version=2\n'],
  ['another version', 'version=3\npath=/x\n'],
  ['a relative path', 'version=2\npath=x\n'],
  ['a path that climbs', 'version=2\npath=/sys/fs/cgroup/../../home\n'],
])('%s is no record', (_, text) => {
  expect(parseCgroup(text)).toBeUndefined();
});

it('leaves out controllers that climb', () => {
  expect(parseCgroup('version=1\nmemory=/a/../b\ncpu=/c\n')).toEqual({ version: 1, paths: { cpu: '/c' } });
});
