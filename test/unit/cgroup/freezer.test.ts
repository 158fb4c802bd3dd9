import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, test } from 'vitest';
import { freeze, isFrozen, thaw, unfreeze } from '../../../src/cgroup/freezer.ts';
import type { ContainerCgroup } from '../../../src/cgroup/types.ts';

const root = mkdtempSync(`${tmpdir()}/skiff-freezer-`);
afterAll(() => rmSync(root, { recursive: true }));

/** Plain files do what v1's kernel does at once: what is written is the state. */
describe('cgroup v1', () => {
  const group: ContainerCgroup = { version: 1, paths: { freezer: root } };

  test('frozen, and thawed again', async () => {
    writeFileSync(`${root}/freezer.state`, 'THAWED\n');
    expect(isFrozen(group)).toBe(false);
    expect(await freeze(group)).toBe(true);
    expect(readFileSync(`${root}/freezer.state`, 'latin1')).toMatch(/^FROZEN/);
    thaw(group);
    expect(readFileSync(`${root}/freezer.state`, 'latin1')).toMatch(/^THAWED/);
  });

  test.each([
    ['FROZEN\n', true],
    ['FREEZING\n', false],
    ['THAWED\n', false],
  ])('%j', (state, frozen) => {
    writeFileSync(`${root}/freezer.state`, state);
    expect(isFrozen(group)).toBe(frozen);
  });

  test('without a freezer, nothing is frozen', async () => {
    const none: ContainerCgroup = { version: 1, paths: { memory: root } };
    expect(isFrozen(none)).toBeUndefined();
    expect(await freeze(none)).toBe(false);
  });
});

describe('cgroup v2', () => {
  const group: ContainerCgroup = { version: 2, path: root };

  test('the kernel says when it is done', async () => {
    writeFileSync(`${root}/cgroup.freeze`, '0\n');
    writeFileSync(`${root}/cgroup.events`, 'populated 1\nfrozen 0\n');
    const frozen = freeze(group);
    expect(readFileSync(`${root}/cgroup.freeze`, 'latin1')).toMatch(/^1/);
    expect(isFrozen(group)).toBe(false);
    writeFileSync(`${root}/cgroup.events`, 'populated 1\nfrozen 1\n');
    expect(await frozen).toBe(true);
  });

  test('who gives up leaves it running', async () => {
    writeFileSync(`${root}/cgroup.events`, 'populated 1\nfrozen 0\n');
    await expect(freeze(group, AbortSignal.abort())).rejects.toThrow('cancelled');
    expect(readFileSync(`${root}/cgroup.freeze`, 'latin1')).toMatch(/^0/);
  });

  test('a group that is gone', async () => {
    const gone: ContainerCgroup = { version: 2, path: `${root}/gone` };
    expect(isFrozen(gone)).toBeUndefined();
    expect(await freeze(gone)).toBe(false);
    expect(await unfreeze(gone)).toBe(false);
  });
});
