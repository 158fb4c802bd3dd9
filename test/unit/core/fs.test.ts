import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensurePrivateDir, readFileIfExists, writeFileAtomic } from '../../../src/core/fs.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-fs-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

describe('writeFileAtomic', () => {
  it('makes and replaces, with text or bytes, and leaves nothing else', () => {
    const path = join(dir, 'a');
    writeFileAtomic(path, 'one');
    writeFileAtomic(path, Buffer.from([0, 255]), 0o600);
    expect([...readFileSync(path)]).toEqual([0, 255]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['a']);
  });

  it('replaces a symbolic link, not what it points to', () => {
    writeFileSync(join(dir, 'target'), 'safe');
    symlinkSync(join(dir, 'target'), join(dir, 'link'));
    writeFileAtomic(join(dir, 'link'), 'new');
    expect(readFileSync(join(dir, 'target'), 'utf8')).toBe('safe');
    expect(lstatSync(join(dir, 'link')).isFile()).toBe(true);
  });

  it('leaves no temp file and the old content when it fails', () => {
    mkdirSync(join(dir, 'taken/full'), { recursive: true });
    expect(() => {
      writeFileAtomic(join(dir, 'taken'), 'x');
    }).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(dir)).toEqual(['taken']);
  });
});

describe('ensurePrivateDir', () => {
  it('makes it with its parents, 0700 whatever the umask, and accepts it again', () => {
    const path = join(dir, 'a/b/c');
    ensurePrivateDir(path);
    ensurePrivateDir(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it.each<[string, (path: string) => void, string]>([
    [
      'a symbolic link',
      (path) => {
        symlinkSync(dir, path);
      },
      'is a symbolic link',
    ],
    [
      'a dangling link',
      (path) => {
        symlinkSync('/nonexistent/x', path);
      },
      'is a symbolic link',
    ],
    [
      'a file',
      (path) => {
        writeFileSync(path, '');
      },
      'is not a directory',
    ],
    [
      'an open directory',
      (path) => {
        mkdirSync(path);
        chmodSync(path, 0o755);
      },
      'is open to others (mode 755)',
    ],
  ])('refuses %s', (_, make, problem) => {
    const path = join(dir, 'x');
    make(path);
    expect(() => {
      ensurePrivateDir(path);
    }).toThrow(`using directory ${JSON.stringify(path)}: it ${problem}`);
  });

  it("refuses somebody else's directory", () => {
    const path = join(dir, 'x');
    mkdirSync(path, { mode: 0o700 });
    const other = statSync(path).uid + 1;
    expect(() => {
      ensurePrivateDir(path, other);
    }).toThrow(`belongs to uid ${other - 1}, not to us (${other})`);
  });
});

it('readFileIfExists tells absence from trouble', () => {
  writeFileSync(join(dir, 'f'), 'x');
  expect(readFileIfExists(join(dir, 'f'))).toBe('x');
  expect(readFileIfExists(join(dir, 'none'))).toBeUndefined();
  expect(readFileIfExists(join(dir, 'f/below'))).toBeUndefined();
  expect(() => readFileIfExists(dir)).toThrow('EISDIR');
});
