import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryTree } from '../../../../src/builder/context/directory-tree.ts';
import { hashWith } from '../../../../src/builder/context/hash.ts';
import { StatCache } from '../../../../src/builder/context/stat-cache.ts';
import { digestOf } from '../../../../src/core/digest.ts';

const DAY_MS = 86_400_000;
const NOW = 20_000 * DAY_MS;
const OLD = `1:0.2:3:1.5:${NOW / 1000 - 10}.0`;
const DIGEST = digestOf('x');

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/skiff-stat-`);
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const open = (now = NOW): StatCache => new StatCache(`${dir}/cache`, () => now);

describe('the stat cache', () => {
  it('knows in the next process what it was told', () => {
    const cache = open();
    expect(cache.find(OLD)).toBeUndefined();
    cache.remember(OLD, DIGEST, NOW);
    cache.save();
    expect(open().find(OLD)).toBe(DIGEST);
    expect(open().find(OLD.replace(':3:', ':4:'))).toBeUndefined();
  });

  it('does not remember what may have changed within the same tick', () => {
    const cache = open();
    for (const seconds of [NOW / 1000 - 1, NOW / 1000, NOW / 1000 + 1000]) {
      const stamp = `1:0.2:3:1.5:${seconds}.0`;
      cache.remember(stamp, DIGEST, NOW);
      expect(cache.find(stamp)).toBeUndefined();
    }
  });

  it('forgets what nobody asks for', () => {
    const cache = open();
    const used = OLD.replace('1:', '7:');
    cache.remember(OLD, DIGEST, NOW);
    cache.remember(used, DIGEST, NOW);
    cache.save();
    const later = open(NOW + 20 * DAY_MS);
    later.find(used);
    later.save();
    const last = open(NOW + 40 * DAY_MS);
    last.remember('9:0.1:1:1.1:1.1', DIGEST, NOW);
    last.save();
    expect(open().find(used)).toBe(DIGEST);
    expect(open().find(OLD)).toBeUndefined();
  });

  it.each(['', 'something else\n', 'skiff stat cache 1\nnonsense\n1:0.2:3:1.5:1.1 abc 1\n'])(
    'takes a damaged file for an empty one: %j',
    (text) => {
      writeFileSync(`${dir}/cache`, text);
      expect(open().find('1:0.2:3:1.5:1.1')).toBeUndefined();
    },
  );

  it('is written only when there is something new', () => {
    const cache = open();
    cache.remember(OLD, DIGEST, NOW);
    cache.save();
    writeFileSync(`${dir}/cache`, `${readFileSync(`${dir}/cache`, 'utf8')}\n`);
    const again = open();
    again.find(OLD);
    again.save();
    expect(readFileSync(`${dir}/cache`, 'utf8').endsWith('\n\n')).toBe(true);
  });
});

describe('hashing', () => {
  it('asks the cache first', async () => {
    writeFileSync(`${dir}/a`, 'content');
    const tree = new DirectoryTree(dir);
    const file = { from: 'a', stamp: tree.find('a')?.stamp ?? '' };
    const cache = new StatCache(`${dir}/cache`, () => NOW);
    cache.remember(file.stamp, DIGEST, Date.now() + 10_000);
    expect(await hashWith(cache)(tree, [file, file])).toEqual([DIGEST, DIGEST]);
    expect(await hashWith(undefined)(tree, [file])).toEqual([digestOf('content')]);
    tree.close();
  });

  it('refuses a file that is not the one that was listed', async () => {
    writeFileSync(`${dir}/a`, 'content');
    const tree = new DirectoryTree(dir);
    const file = { from: 'a', stamp: tree.find('a')?.stamp ?? '' };
    writeFileSync(`${dir}/a`, 'other content');
    await expect(hashWith(undefined)(tree, [file])).rejects.toThrow('"a": it changes while it is read');
    rmSync(`${dir}/a`);
    await expect(hashWith(undefined)(tree, [file])).rejects.toThrow('"a": it was removed or replaced');
    tree.close();
  });
});
