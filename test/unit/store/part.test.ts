import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { ensureStore } from '../../../src/store/init.ts';
import { blobFile, partFile, partsDir } from '../../../src/store/layout.ts';
import { BlobPart } from '../../../src/store/part.ts';
import { pseudoRandom } from '../../helpers/registry.ts';
import { testStore, type TestStore } from '../../helpers/store.ts';

const CONTENT = pseudoRandom(300_000, 'part');
const BLOB = { digest: digestOf(CONTENT), size: CONTENT.length };

let store: TestStore;
beforeEach(() => {
  store = testStore();
  ensureStore(store.paths);
  writeFileSync(`${store.paths.graphRoot}/content`, CONTENT);
});
afterEach(() => store.remove());

const file = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

function writer(pauseMs: number) {
  const { graphRoot } = store.paths;
  const args = [file('test/helpers/part-writer.ts'), graphRoot, `${graphRoot}/content`, String(pauseMs)];
  const child = spawn(file('node_modules/.bin/bun'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => resolve(text.trim()));
  });
  return { child, output };
}

test('eight processes make one blob between them', async () => {
  const outputs = await Promise.all(Array.from({ length: 8 }, () => writer(1).output));
  expect(outputs.sort()).toEqual([...Array.from({ length: 7 }, () => 'found'), `wrote ${CONTENT.length}`]);
  expect(digestOf(readFileSync(blobFile(store.paths, BLOB.digest)))).toBe(BLOB.digest);
  expect(readdirSync(partsDir(store.paths))).toEqual([]);
});

test('who waits takes over from a writer that is killed, where it stopped', async () => {
  const first = writer(20);
  while (
    !existsSync(partFile(store.paths, BLOB.digest)) ||
    statSync(partFile(store.paths, BLOB.digest)).size < 30_000
  ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const second = writer(0);
  await new Promise((resolve) => setTimeout(resolve, 30));
  first.child.kill('SIGKILL');
  expect(await first.output).toBe('');
  const [, bytes = ''] = /^wrote (\d+)$/.exec(await second.output) ?? [];
  expect(Number(bytes)).toBeGreaterThan(0);
  expect(Number(bytes)).toBeLessThan(CONTENT.length);
  expect(digestOf(readFileSync(blobFile(store.paths, BLOB.digest)))).toBe(BLOB.digest);
});

test('a part that is longer than the blob starts again', async () => {
  writeFileSync(partFile(store.paths, BLOB.digest), Buffer.alloc(BLOB.size + 1));
  const part = await BlobPart.open(store.paths, BLOB);
  expect(part?.sizeBytes).toBe(0);
  part?.discard();
  expect(readdirSync(partsDir(store.paths))).toEqual([]);
});

test('a part that is a symbolic link is not followed', async () => {
  const { symlinkSync } = await import('node:fs');
  const victim = `${store.paths.graphRoot}/content`;
  symlinkSync(victim, partFile(store.paths, BLOB.digest));
  await expect(BlobPart.open(store.paths, BLOB)).rejects.toMatchObject({ code: 'IO' });
  expect(readFileSync(victim).equals(CONTENT)).toBe(true);
});

test('waiting ends when it is cancelled', async () => {
  const held = await BlobPart.open(store.paths, BLOB);
  const cancel = new AbortController();
  const sizes: number[] = [];
  const waiting = BlobPart.open(store.paths, BLOB, {
    signal: cancel.signal,
    onWait: (size) => {
      sizes.push(size);
      cancel.abort();
    },
  });
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(sizes).toEqual([0]);
  held?.close();
});
