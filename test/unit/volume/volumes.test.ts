// Volumes in a store of their own: names, making, listing, use, removal, check.

import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sweepLeftovers } from '../../../src/store/gc.ts';
import { ensureStore } from '../../../src/store/init.ts';
import { containerDir, ownVolumesDir, volumesDir } from '../../../src/store/layout.ts';
import { diskUsage } from '../../../src/system/df.ts';
import { checkVolumes } from '../../../src/volume/check.ts';
import { makeVolume } from '../../../src/volume/create.ts';
import { holdVolume, tryHoldVolume } from '../../../src/volume/hold.ts';
import { inspectVolume } from '../../../src/volume/inspect.ts';
import { filterVolumes, parseVolumeFilters } from '../../../src/volume/list.ts';
import {
  ANONYMOUS_LABEL,
  checkVolumeName,
  createVolume,
  dataDir,
  findVolume,
  getVolume,
  listVolumes,
  randomVolumeName,
} from '../../../src/volume/records.ts';
import {
  parsePruneFilter,
  pruneVolumes,
  removeVolume,
  removeVolumesIfUnused,
} from '../../../src/volume/remove.ts';
import { testStore, type TestStore } from '../../helpers/store.ts';

let store: TestStore;
beforeEach(() => {
  store = testStore();
  ensureStore(store.paths);
});
afterEach(() => store.remove());

const make = (name: string, labels: Record<string, string> = {}) =>
  createVolume(store.paths, { name, labels, options: {} }).volume;

const ID = 'c'.repeat(64);

/** As src/container writes it, as far as volumes matter. */
function container(id: string, volumes: string[]): void {
  mkdirSync(containerDir(store.paths, id), { recursive: true });
  const mounts = volumes.map((name) => ({ type: 'volume', name, target: `/${name}` }));
  writeFileSync(
    `${containerDir(store.paths, id)}/config.json`,
    JSON.stringify({ schemaVersion: 1, id, host: { mounts } }),
  );
}

describe('names', () => {
  test.each(['ab', 'A1', 'a.b_c-d', '00', 'x'.repeat(255)])('%s', (name) => {
    expect(checkVolumeName(name)).toBe(name);
  });
  test.each([
    ['a', /^create a: volume name is too short/],
    ['', /includes invalid characters/],
    ['.hidden', /".hidden" includes invalid characters for a local volume name/],
    ['-x', /includes invalid characters/],
    ['../up', /If you intended to pass a host directory, use absolute path/],
    ['a/b', /includes invalid characters/],
    ['a b', /includes invalid characters/],
    ['aü', /includes invalid characters/],
    ['x'.repeat(256), /too long/],
  ])('"%s" is refused', (name, message) => {
    expect(() => checkVolumeName(name)).toThrow(message);
    expect(findVolume(store.paths, name)).toBeUndefined();
  });
  test('anonymous ones have 64 hex digits', () => {
    expect(randomVolumeName()).toMatch(/^[0-9a-f]{64}$/);
    expect(randomVolumeName()).not.toBe(randomVolumeName());
  });
});

describe('create', () => {
  const request = { name: 'data', flagName: undefined, driver: 'local', labels: [], options: [] };

  test('makes a folder that the others find', () => {
    expect(makeVolume(store, { ...request, labels: ['a=b', 'c'] })).toBe('data');
    const volume = getVolume(store.paths, 'data');
    expect(volume).toMatchObject({ name: 'data', labels: { a: 'b', c: '' }, options: {} });
    expect(statSync(dataDir(volume)).mode & 0o7777).toBe(0o755);
    expect(inspectVolume(volume)).toEqual({
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      Driver: 'local',
      Labels: { a: 'b', c: '' },
      Mountpoint: `${volumesDir(store.paths)}/data/_data`,
      Name: 'data',
      Options: null,
      Scope: 'local',
    });
    expect(readdirSync(volumesDir(store.paths))).toEqual(['data']);
  });

  test('again: stays as it is, and says what it does not take over', () => {
    makeVolume(store, request);
    writeFileSync(`${volumesDir(store.paths)}/data/_data/file`, 'kept');
    makeVolume(store, request);
    expect(store.warnings).toEqual([]);
    makeVolume(store, { ...request, labels: ['new=1'] });
    expect(store.warnings).toEqual(['volume "data" exists already and keeps its own options and labels']);
    expect(getVolume(store.paths, 'data').labels).toEqual({});
    expect(readFileSync(`${volumesDir(store.paths)}/data/_data/file`, 'utf8')).toBe('kept');
  });

  test('without a name: anonymous', () => {
    const name = makeVolume(store, { ...request, name: undefined });
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(getVolume(store.paths, name).labels).toEqual({ [ANONYMOUS_LABEL]: '' });
  });

  test('a tmpfs: not shared, which is said', () => {
    makeVolume(store, { ...request, options: ['type=tmpfs', 'device=tmpfs'] });
    expect(store.warnings).toEqual([expect.stringContaining('tmpfs of its own')]);
  });

  test.each([
    [{ driver: 'nfs' }, /^create data: error looking up volume plugin nfs: plugin "nfs" not found$/],
    [{ flagName: 'other' }, /^conflicting options/],
    [{ options: ['type=nfs'] }, /"type=nfs": only root/],
    [{ labels: ['=x'] }, /--label "=x"/],
    [{ name: 'x' }, /too short/],
  ])('%j is refused, and nothing is made', (change, message) => {
    expect(() => makeVolume(store, { ...request, ...change })).toThrow(message);
    expect(listVolumes(store.paths)).toEqual([]);
  });
});

describe('list', () => {
  beforeEach(() => {
    make('web', { app: 'web', tier: '1' });
    make('db', { app: 'db' });
    make('used');
    container(ID, ['used']);
  });
  test.each([
    [[], ['db', 'used', 'web']],
    [['name=b'], ['db', 'web']],
    [['name=^w'], ['web']],
    [['name=('], []],
    [
      ['name=db', 'name=web'],
      ['db', 'web'],
    ],
    [['dangling=true'], ['db', 'web']],
    [['dangling=0'], ['used']],
    [['label=app'], ['db', 'web']],
    [['label=app=web'], ['web']],
    [['label=app', 'label=tier=1'], ['web']],
    [['label=app=db', 'label=tier'], []],
    [['driver=local', 'name=web'], ['web']],
    [['driver=other'], []],
  ])('%j', (filters, names) => {
    expect(filterVolumes(store.paths, filters).map(({ name }) => name)).toEqual(names);
  });
  test.each(['name', '=x', 'size=1', 'dangling=maybe'])('%s is refused', (text) => {
    expect(() => parseVolumeFilters([text])).toThrow('invalid filter');
  });
  test('temporary folders, links and files are none', () => {
    const dir = volumesDir(store.paths);
    mkdirSync(`${dir}/.new.1.1.tmp`);
    symlinkSync('web', `${dir}/link`);
    writeFileSync(`${dir}/file`, '');
    expect(listVolumes(store.paths).map(({ name }) => name)).toEqual(['db', 'used', 'web']);
    expect(findVolume(store.paths, 'link')).toBeUndefined();
  });
});

describe('in use', () => {
  const remove = (name: string) => removeVolume(store.paths, name, undefined);

  test('by no container: goes, with everything in it', async () => {
    const volume = make('data');
    mkdirSync(`${dataDir(volume)}/a/b`, { recursive: true });
    await remove('data');
    expect(readdirSync(volumesDir(store.paths))).toEqual([]);
  });

  test('by one, running or not: stays', async () => {
    make('data');
    container(ID, ['other', 'data']);
    await expect(remove('data')).rejects.toMatchObject({
      code: 'VOLUME_IN_USE',
      exitCode: 1,
      message: `remove data: volume is in use - [${ID}]`,
    });
    rmSync(containerDir(store.paths, ID), { recursive: true });
    await remove('data');
  });

  test('by one that is just being made: stays', async () => {
    const held = await holdVolume(make('data'), 'shared');
    await expect(remove('data')).rejects.toMatchObject({ code: 'VOLUME_IN_USE' });
    held?.release();
    await remove('data');
  });

  test('whoever waited for a volume that is gone is told', async () => {
    const volume = make('data');
    const held = tryHoldVolume(volume);
    if (held === undefined || held === 'busy') throw new Error('not held');
    const waiting = holdVolume(volume, 'shared');
    rmSync(volume.dir, { recursive: true });
    held.release();
    expect(await waiting).toBeUndefined();
  });

  test('missing', async () => {
    await expect(remove('nope')).rejects.toMatchObject({
      code: 'VOLUME_NOT_FOUND',
      exitCode: 1,
      message: 'get nope: no such volume',
    });
  });

  test('those of a --rm container are found, and go with it alone', async () => {
    const name = randomVolumeName();
    container(ID, [name]);
    createVolume(store.paths, { name, labels: { [ANONYMOUS_LABEL]: '' }, options: {} }, ID);
    expect(getVolume(store.paths, name).dir).toBe(`${ownVolumesDir(store.paths, ID)}/${name}`);
    expect(existsSync(volumesDir(store.paths))).toBe(false);
    await expect(remove(name)).rejects.toMatchObject({ code: 'VOLUME_IN_USE' });
    expect((await pruneVolumes(store.paths, { all: true, filters: [], idMap: undefined })).names).toEqual([]);
  });

  test('prune: anonymous ones; all; by label', async () => {
    const anonymous = randomVolumeName();
    const inUse = randomVolumeName();
    for (const name of [anonymous, inUse]) make(name, { [ANONYMOUS_LABEL]: '' });
    make('named');
    make('kept', { keep: '1' });
    container(ID, [inUse]);
    const prune = async (all: boolean, ...filters: string[]) =>
      (await pruneVolumes(store.paths, { all, filters, idMap: undefined })).names;
    expect(await prune(false, 'label=keep')).toEqual([]);
    expect(await prune(false)).toEqual([anonymous]);
    expect(await prune(true, 'label!=keep')).toEqual(['named']);
    expect(await prune(false, 'all=true')).toEqual(['kept']);
    expect(listVolumes(store.paths).map(({ name }) => name)).toEqual([inUse]);
  });
  test.each(['label', 'until=1h', 'all=maybe'])('prune filter %s is refused', (filter) => {
    expect(() => parsePruneFilter(filter)).toThrow('unknown filter');
  });

  test('rm -v: those alone that nobody else uses', async () => {
    make('one');
    make('two');
    container(ID, ['two']);
    await removeVolumesIfUnused(store.paths, ['one', 'two', 'gone', 'one'], undefined);
    expect(listVolumes(store.paths).map(({ name }) => name)).toEqual(['two']);
  });
});

describe('the store as a whole', () => {
  test('a volume is no garbage; what a killed maker or remover left is', async () => {
    make('data');
    const dir = volumesDir(store.paths);
    mkdirSync(`${dir}/.dead.999999999.1.tmp/_data`, { recursive: true });
    mkdirSync(`${dir}/.alive.${process.pid}.1.tmp`);
    mkdirSync(`${dir}/.trash-0123456789ab/_data`, { recursive: true });
    await sweepLeftovers(store.paths, { idMap: undefined, parts: true });
    expect(readdirSync(dir).sort()).toEqual([`.alive.${process.pid}.1.tmp`, 'data']);
  });

  test('df: their row', () => {
    make('used');
    make('unused');
    container(ID, ['used']);
    const row = diskUsage(store.paths).find(({ type }) => type === 'Local Volumes');
    expect(row).toMatchObject({ total: 2, active: 1 });
    expect(row?.reclaimableBytes).toBe((row?.sizeBytes ?? 0) / 2);
  });

  test('check: a lost note or folder is told, and made again', () => {
    const volume = make('data', { a: 'b' });
    make('well');
    const check = (repair: boolean) => checkVolumes(store.paths, { repair });
    expect(check(true).map(({ problems }) => problems)).toEqual([[], []]);
    writeFileSync(`${volume.dir}/volume.json`, '{"labels"');
    rmSync(dataDir(volume), { recursive: true });
    const problems = ['volume.json is missing or damaged', '_data is missing'];
    expect(check(false)[0]).toEqual({ name: 'data', problems, repaired: undefined });
    expect(getVolume(store.paths, 'data').labels).toEqual({});
    expect(check(true)[0]).toEqual({ name: 'data', problems, repaired: true });
    expect(check(false)[0]?.problems).toEqual([]);
  });
});
