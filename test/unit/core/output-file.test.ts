import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openOutputFile } from '../../../src/core/output-file.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/skiff-output-`);
});
afterEach(() => {
  chmodSync(dir, 0o700);
  rmSync(dir, { recursive: true });
});

function write(path: string, text: string): ReturnType<typeof openOutputFile> {
  const file = openOutputFile(path);
  writeSync(file.fd, text);
  return file;
}

describe('openOutputFile', () => {
  test('the file appears at commit, readable by its owner alone', () => {
    const file = write(`${dir}/new`, 'content');
    expect(existsSync(`${dir}/new`)).toBe(false);
    file.commit();
    file.discard();
    expect(readFileSync(`${dir}/new`, 'utf8')).toBe('content');
    expect(statSync(`${dir}/new`).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['new']);
  });

  test('an earlier one stays when nothing is committed', () => {
    writeFileSync(`${dir}/old`, 'earlier');
    write(`${dir}/old`, 'half').discard();
    expect(readFileSync(`${dir}/old`, 'utf8')).toBe('earlier');
    expect(readdirSync(dir)).toEqual(['old']);
  });

  test('a link is followed: what it points to is replaced', () => {
    mkdirSync(`${dir}/there`);
    writeFileSync(`${dir}/there/real`, '');
    symlinkSync('there/real', `${dir}/link`);
    write(`${dir}/link`, 'through').commit();
    expect([readlinkSync(`${dir}/link`), readFileSync(`${dir}/there/real`, 'utf8')]).toEqual([
      'there/real',
      'through',
    ]);
  });

  test('a device is written to and not replaced', () => {
    write('/dev/null', 'nothing').commit();
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test.each([
    ['', /is a directory/],
    ['/no/where', /directory ".*\/no" does not exist/],
  ])('%s is refused with exit status 1', (path, message) => {
    expect(() => openOutputFile(`${dir}${path}`)).toThrow(message);
    expect(() => openOutputFile(`${dir}${path}`)).toThrow(
      expect.objectContaining({ code: 'USAGE', exitCode: 1 }),
    );
  });
});
