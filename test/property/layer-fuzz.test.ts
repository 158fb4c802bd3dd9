// Any bytes as a layer: an unpack ends with a tree or with one of our errors, never with anything else, never outside.

import { mkdirSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EngineError } from '../../src/core/errors.ts';
import { GID, UID, layer, sandbox, snapshot, unpackBytes } from '../unit/image/layer/sandbox.ts';
import type { TarEntry } from '../helpers/tar-writer.ts';

const name = fc
  .array(fc.constantFrom('a', 'b', 'd', '.', '..', '', '.wh.a', '.wh..wh..opq', '\xff', 'x'.repeat(120)), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join('/'));

const entry: fc.Arbitrary<TarEntry> = fc.record({
  path: name,
  type: fc.constantFrom('file', 'dir', 'symlink', 'link', 'fifo'),
  mode: fc.integer({ min: 0o700, max: 0o7777 }).map((mode) => mode | 0o700),
  content: fc.string({ maxLength: 1200 }),
  link: name,
});

/** Replaces some bytes, mostly of headers; about half keep a valid checksum. */
const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255), mend: fc.boolean() }), { maxLength: 3 });

function damaged(bytes: Buffer, changes: { at: number; byte: number; mend: boolean }[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const { at, byte, mend } of changes) {
    const position = at % copy.length;
    copy[position] = byte;
    if (!mend) continue;
    const header = copy.subarray(position - (position % 512), position - (position % 512) + 512);
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, value) => total + value, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return copy;
}

test('random archives, random damage', async () => {
  const { outside, dest } = sandbox();
  const before = snapshot(outside, dest);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 12 }),
      damage,
      fc.integer({ min: 1, max: 3000 }),
      async (entries, changes, chunk) => {
        const into = `${dest}/${run++}`;
        mkdirSync(into);
        const bytes = damaged(layer(entries.map((e) => ({ ...e, uid: UID, gid: GID }))), changes);
        const error: unknown = await unpackBytes(bytes, into, chunk).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error !== undefined) expect(error).toBeInstanceOf(EngineError);
        expect((error as EngineError | undefined)?.code ?? 'ok').not.toBe('IO');
      },
    ),
    { numRuns: 300 },
  );
  expect(snapshot(outside, dest)).toEqual(before);
});

test('bytes that never were an archive', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
      const { dest } = sandbox();
      const error: unknown = await unpackBytes(Buffer.from(bytes), dest).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) expect(error).toBeInstanceOf(EngineError);
    }),
    { numRuns: 100 },
  );
});
