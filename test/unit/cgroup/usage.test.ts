import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, test } from 'vitest';
import type { ContainerCgroup, V1Controller } from '../../../src/cgroup/types.ts';
import { readUsage } from '../../../src/cgroup/usage.ts';
import { V1_USAGES, V2_USAGES } from './usage.cases.ts';

const root = mkdtempSync(`${tmpdir()}/skiff-usage-`);
afterAll(() => rmSync(root, { recursive: true }));

let groups = 0;

/** A group made of plain files. */
function group(files: Record<string, string>): string {
  const dir = `${root}/${(groups += 1)}`;
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${dir}/${name}`, text);
  return dir;
}

describe('cgroup v2', () => {
  test.each(V2_USAGES)('$name', ({ files, usage }) => {
    expect(readUsage({ version: 2, path: group(files) })).toEqual(usage);
  });

  test('a group that is gone', () => {
    expect(readUsage({ version: 2, path: `${root}/gone` })).toBeUndefined();
  });
});

describe('cgroup v1', () => {
  test.each(V1_USAGES)('$name', ({ files, usage }) => {
    const paths: Partial<Record<V1Controller, string>> = {};
    for (const [controller, content] of Object.entries(files))
      paths[controller as V1Controller] = group(content);
    expect(readUsage({ version: 1, paths })).toEqual(usage);
  });

  test('a group that is gone', () => {
    const gone: ContainerCgroup = { version: 1, paths: { memory: `${root}/gone`, pids: `${root}/gone` } };
    expect(readUsage(gone)).toBeUndefined();
  });
});
