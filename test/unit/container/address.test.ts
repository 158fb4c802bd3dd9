// Which container is meant, and whether it runs: by process alone, whatever its lock and files say.

import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addressContainer, runningInit } from '../../../src/container/address.ts';
import { randomContainerId } from '../../../src/container/names.ts';
import { claimName, makeContainerDir, writeSpec } from '../../../src/container/records.ts';
import { startTicksOf } from '../../../src/container/state.ts';
import type { ContainerSpec } from '../../../src/runtime/spec.ts';
import { specOf } from './spec.ts';

let root: { graphRoot: string };

beforeEach(() => {
  root = { graphRoot: mkdtempSync(join(tmpdir(), 'skiff-address-')) };
});
afterEach(() => rmSync(root.graphRoot, { recursive: true, force: true }));

function make(name: string, createdAt: string): ContainerSpec {
  const spec = { ...specOf({ name, createdAt }), id: randomContainerId() };
  const { dir, lockFd } = makeContainerDir(root, spec.id);
  claimName(root, name, spec.id);
  writeSpec(dir, spec);
  closeSync(lockFd);
  return spec;
}

test('the first word, --latest or --cidfile; the rest is the command', () => {
  const old = make('old', '2026-01-01T00:00:00.000Z');
  const newest = make('newest', '2026-01-03T00:00:00.000Z');
  make('middle', '2026-01-02T00:00:00.000Z');
  const file = join(root.graphRoot, 'cid');
  writeFileSync(file, `${old.id}\n`);
  const none = { latest: undefined };
  expect(addressContainer(root, ['old', 'ls', '-l'], none)).toMatchObject({
    spec: { id: old.id },
    typed: 'old',
    rest: ['ls', '-l'],
  });
  expect(addressContainer(root, ['ls'], { latest: true })).toMatchObject({
    spec: { id: newest.id },
    typed: 'newest',
    rest: ['ls'],
  });
  expect(addressContainer(root, ['ls'], { latest: undefined, cidfile: file })).toMatchObject({
    spec: { id: old.id },
    rest: ['ls'],
  });
  expect(() => addressContainer(root, ['ls'], { latest: true, cidfile: file })).toThrow(/one of the two/);
  expect(() => addressContainer(root, [], { latest: undefined, cidfile: '/nope' })).toThrow(
    /--cidfile "\/nope": cannot be read/,
  );
  expect(() => addressContainer(root, [], none)).toThrow(/no such container/);
});

test('--latest of nothing', () => {
  expect(() => addressContainer(root, [], { latest: true })).toThrow(
    expect.objectContaining({ code: 'CONTAINER_NOT_FOUND', exitCode: 1 }),
  );
});

test('running is whose process of that start time is there', () => {
  const spec = make('web', '2026-01-01T00:00:00.000Z');
  const file = join(root.graphRoot, 'containers', spec.id, 'pid');
  const notRunning = expect.objectContaining({
    code: 'CONTAINER_STATE',
    exitCode: 1,
    message: `container web: container ${spec.id} is not running`,
  });
  expect(() => runningInit(root, spec)).toThrow(notRunning);
  writeFileSync(file, `${process.pid} ${startTicksOf(process.pid)}\n`);
  expect(runningInit(root, spec)).toMatchObject({ pid: process.pid, startTicks: startTicksOf(process.pid) });
  for (const text of [`${process.pid} 1\n`, `4194303 ${startTicksOf(process.pid)}\n`, 'torn', '']) {
    writeFileSync(file, text);
    expect(() => runningInit(root, spec)).toThrow(notRunning);
  }
});
