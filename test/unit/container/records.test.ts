// Containers on disk, with real locks: names, look-up, state, and what a killed process leaves behind.

import { closeSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listContainers } from '../../../src/container/list.ts';
import { randomContainerId } from '../../../src/container/names.ts';
import {
  claimName,
  dropName,
  findContainer,
  holderOf,
  isAlive,
  isTorn,
  makeContainerDir,
  readSpec,
  writeSpec,
} from '../../../src/container/records.ts';
import { removeTorn, sweepDead } from '../../../src/container/remove.ts';
import { removeByReference } from '../../../src/container/rm.ts';
import { replaceHolder } from '../../../src/container/replace.ts';
import { readState, startTicksOf } from '../../../src/container/state.ts';
import type { ContainerSpec } from '../../../src/runtime/spec.ts';
import { specOf } from './spec.ts';

let root: { graphRoot: string };
let fds: number[];

beforeEach(() => {
  root = { graphRoot: mkdtempSync(join(tmpdir(), 'skiff-records-')) };
  fds = [];
});
afterEach(() => {
  for (const fd of fds) closeSync(fd);
  rmSync(root.graphRoot, { recursive: true, force: true });
});

/** A container as `run` makes it, without the host's ids, so that no helper is needed to remove it. */
function make(name: string, { autoRemove = false, alive = false } = {}): ContainerSpec {
  const spec = { ...specOf({ name }), id: randomContainerId(), idMap: undefined };
  spec.host = { ...spec.host, autoRemove };
  const { dir, lockFd } = makeContainerDir(root, spec.id);
  expect(claimName(root, name, spec.id)).toBe(true);
  writeSpec(dir, spec);
  if (alive) fds.push(lockFd);
  else closeSync(lockFd);
  return spec;
}

/** When nobody can still be at work on what is made now. */
const LATER = Date.now() + 3_600_000;

const dirOf = (spec: ContainerSpec): string => join(root.graphRoot, 'containers', spec.id);

test('found by name, id and prefix; ambiguous and unknown ones are told apart', () => {
  const spec = make('web');
  for (const text of ['web', spec.id, spec.id.slice(0, 12), spec.id.slice(0, 1)])
    expect(findContainer(root, text).id).toBe(spec.id);
  for (const text of ['nope', '', '../web', 'zz'])
    expect(() => findContainer(root, text)).toThrow(`no such container: ${text}`);
  for (let i = 0; i < 17; i++) make(`c${i}`); // 18 ids: two share their first digit
  expect(() => Array.from('0123456789abcdef', tryFind)).toThrow(/the id fits \d+ containers/);
});

function tryFind(text: string): unknown {
  try {
    return findContainer(root, text);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('no such')) return undefined;
    throw error;
  }
}

test('the lock alone says who is alive', () => {
  const dead = make('dead');
  const alive = make('alive', { alive: true });
  writeFileSync(join(dirOf(dead), 'pid'), `${process.pid} ${startTicksOf(process.pid)}\n`);
  expect(isAlive(root, dead.id)).toBe(false);
  expect(readState(root, dead.id)).toMatchObject({ status: 'exited', exitCode: 137, pid: undefined });
  expect(isAlive(root, alive.id)).toBe(true);
  expect(readState(root, alive.id).status).toBe('created'); // it has no pid yet
  writeFileSync(join(dirOf(alive), 'pid'), `${process.pid} 1\n`); // a reused pid
  expect(readState(root, alive.id).pid).toBeUndefined();
  writeFileSync(join(dirOf(alive), 'pid'), `${process.pid} ${startTicksOf(process.pid)}\n`);
  expect(readState(root, alive.id)).toMatchObject({ status: 'running', pid: process.pid });
});

test('a name has one holder; only that one gives it up', () => {
  const spec = make('web');
  const other = randomContainerId();
  expect(claimName(root, 'web', other)).toBe(false);
  dropName(root, 'web', other);
  expect(holderOf(root, 'web')).toBe(spec.id);
  dropName(root, 'web', spec.id);
  expect(claimName(root, 'web', other)).toBe(true);
});

test('the name of a container that is gone is free', async () => {
  const spec = make('web');
  rmSync(dirOf(spec), { recursive: true });
  await replaceHolder(root, 'web', false);
  expect(holderOf(root, 'web')).toBeUndefined();
});

test('so is the name of one whose maker died half-way', async () => {
  const spec = make('web');
  writeFileSync(join(dirOf(spec), 'config.json'), '{"schemaVersion":1,');
  await replaceHolder(root, 'web', false);
  expect(holderOf(root, 'web')).toBeUndefined();
});

test('a name in use is told with its holder, alive or stopped', async () => {
  for (const alive of [true, false]) {
    const spec = make(`web${alive}`, { alive });
    await expect(replaceHolder(root, spec.name, false)).rejects.toThrow(
      `is already in use by container ${spec.id}`,
    );
    expect(existsSync(dirOf(spec))).toBe(true);
  }
});

test('config.json of a newer skiff is neither read nor swept', async () => {
  const spec = make('future');
  writeFileSync(join(dirOf(spec), 'config.json'), JSON.stringify({ schemaVersion: 2, id: spec.id }));
  expect(readSpec(root, spec.id)).toBeUndefined();
  expect(isTorn(root, spec.id)).toBe(false);
  expect(await sweepDead(root, [spec.id], LATER)).toEqual([]);
  expect(existsSync(dirOf(spec))).toBe(true);
});

test('rm takes away a container whose config.json is torn, by id, prefix or name', async () => {
  const report = { removed: () => undefined, failed: () => undefined };
  for (const [name, pick] of [
    ['a1', (s: ContainerSpec) => s.id],
    ['a2', (s: ContainerSpec) => s.id.slice(0, 20)],
    ['a3', () => 'a3'],
  ] as const) {
    const spec = make(name);
    writeFileSync(join(dirOf(spec), 'config.json'), '{"schema');
    expect(await removeTorn(root, pick(spec))).toBe(true);
    expect(existsSync(dirOf(spec))).toBe(false);
    expect(holderOf(root, name)).toBeUndefined();
  }
  const alive = make('alive', { alive: true });
  writeFileSync(join(dirOf(alive), 'config.json'), '');
  expect(await removeTorn(root, alive.id)).toBe(false);
  expect(await removeByReference(root, ['nothing'], { force: false, ignore: false }, report)).toBe(1);
});

test('young half-made folders are left alone, as somebody may be at it', async () => {
  const id = randomContainerId();
  mkdirSync(join(root.graphRoot, 'containers', id), { recursive: true });
  expect(await listContainers(root, { all: true, last: -1, filters: [] })).toEqual([]);
  expect(existsSync(join(root.graphRoot, 'containers', id))).toBe(true);
  expect(await sweepDead(root, [id], LATER)).toEqual([id]);
  expect(existsSync(join(root.graphRoot, 'containers', id))).toBe(false);
});

test('ps: newest first, running ones alone unless asked', async () => {
  const old = make('old');
  const alive = make('alive', { alive: true });
  writeFileSync(join(dirOf(alive), 'pid'), `${process.pid} ${startTicksOf(process.pid)}\n`);
  writeSpec(dirOf(alive), { ...alive, createdAt: '2026-06-01T00:00:00.000Z' });
  const names = async (all: boolean, last = -1): Promise<string[]> =>
    (await listContainers(root, { all, last, filters: [] })).map(({ spec }) => spec.name);
  expect(await names(false)).toEqual(['alive']);
  expect(await names(true)).toEqual(['alive', old.name]);
  expect(await names(false, 1)).toEqual(['alive']);
  expect(await names(false, 5)).toEqual(['alive', 'old']);
});

test('a list says of each what a look at it alone says', async () => {
  const init = `${process.pid} ${startTicksOf(process.pid)} 1700000000123456789 1 1 3\n`;
  const gone = `${process.pid} 1 1700000000123456789 1 1 3\n`;
  const exit = (restarting: number): string =>
    `code=7\nstartedAt=1700000000000000000\nfinishedAt=1700000001000000000\nrestarting=${restarting}\n`;
  const cases: [name: string, alive: boolean, files: Record<string, string>, status: string][] = [
    ['never-ran', false, {}, 'created'],
    ['starting', true, {}, 'created'],
    ['runs', true, { pid: init }, 'running'],
    ['runs-again', true, { pid: init, exit: exit(1) }, 'running'],
    ['waits', true, { pid: gone, exit: exit(1) }, 'restarting'],
    ['ends', true, { pid: gone, exit: exit(0) }, 'exited'],
    ['ended', false, { pid: gone, exit: exit(0) }, 'exited'],
    ['lost', false, { pid: init }, 'exited'],
    ['lost-waiting', false, { pid: gone, exit: exit(1) }, 'exited'],
  ];
  for (const [name, alive, files] of cases) {
    const spec = make(name, { alive });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(dirOf(spec), file), text);
  }
  const listed = await listContainers(root, { all: true, last: -1, filters: [] });
  expect(listed).toHaveLength(cases.length);
  for (const { spec, state } of listed) {
    const { pid, ...alone } = readState(root, spec.id);
    expect({ name: spec.name, state }).toMatchObject({ name: spec.name, state: alone });
    expect([spec.name, state.status, pid !== undefined]).toEqual([
      spec.name,
      cases.find(([name]) => name === spec.name)?.[3],
      state.status === 'running',
    ]);
    if (state.status === 'running')
      expect(state).toMatchObject({ startedAtMs: 1700000000123, restartCount: 3 });
  }
  // Its init has just ended, and its keeper is about to say how.
  const ending = make('ending', { alive: true });
  writeFileSync(join(dirOf(ending), 'pid'), gone);
  const [found] = await listContainers(root, { all: false, last: -1, filters: ['name=ending'] });
  expect(found?.state.status).toBe(readState(root, ending.id).status);
});

test('a list that cannot read a container names the file', async () => {
  const spec = make('web');
  mkdirSync(join(dirOf(spec), 'exit'));
  await expect(listContainers(root, { all: true, last: -1, filters: [] })).rejects.toThrow(
    `reading "${dirOf(spec)}/exit": EISDIR`,
  );
});

test('rm goes on after a failure and reports the first status', async () => {
  make('alive', { alive: true });
  const said: string[] = [];
  const report = {
    removed: (name: string) => said.push(`removed ${name}`),
    failed: (text: string) => said.push(text),
  };
  const request = { force: false, ignore: false };
  expect(await removeByReference(root, ['nope', 'alive'], request, report)).toBe(1);
  expect(await removeByReference(root, ['alive', 'nope'], request, report)).toBe(2);
  expect(await removeByReference(root, ['nope'], { ...request, ignore: true }, report)).toBe(0);
  expect(said).toHaveLength(4);
  expect(said[1]).toContain('container is running');
});
