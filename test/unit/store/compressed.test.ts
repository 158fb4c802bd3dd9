import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { forgetCompressed, readCompressed, rememberCompressed } from '../../../src/store/compressed.ts';
import { blobFile, blobsDir, compressedDir, compressedFile } from '../../../src/store/layout.ts';

const [tar, other] = [digestOf('tar'), digestOf('other')];
const made = { digest: digestOf('gzip'), size: 7 };
let root: { graphRoot: string };

beforeEach(() => {
  root = { graphRoot: mkdtempSync(`${tmpdir()}/skiff-compressed-`) };
  mkdirSync(blobsDir(root), { recursive: true });
  writeFileSync(blobFile(root, tar), 'tar');
});

afterEach(() => {
  rmSync(root.graphRoot, { recursive: true });
});

it('remembers what a tar came to, for each way of compressing it', () => {
  expect(readCompressed(root, tar, 'gzip-6')).toBeUndefined();
  rememberCompressed(root, tar, 'gzip-6', made);
  expect(readCompressed(root, tar, 'gzip-6')).toEqual(made);
  expect(readCompressed(root, tar, 'zstd-3')).toBeUndefined();
  forgetCompressed(root, tar, 'gzip-6');
  expect(readCompressed(root, tar, 'gzip-6')).toBeUndefined();
});

it('drops records of tars that are gone', () => {
  rememberCompressed(root, other, 'gzip-6', made);
  rememberCompressed(root, tar, 'gzip-6', made);
  expect(readdirSync(compressedDir(root))).toEqual([`${tar.slice('sha256:'.length)}.gzip-6`]);
});

it.each(['', 'nonsense', `${made.digest} x\n`, `sha256:abc 7\n`, `${made.digest} 7`])(
  'takes a torn record for none: %j',
  (text) => {
    mkdirSync(compressedDir(root));
    writeFileSync(compressedFile(root, tar, 'gzip-6'), text);
    expect(readCompressed(root, tar, 'gzip-6')).toBeUndefined();
  },
);
