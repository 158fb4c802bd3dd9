import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../../src/core/digest.ts';
import { decompressed, detectCompression } from '../../../../src/image/layer/decompress.ts';
import { unpackHere } from '../../../../src/image/layer/unpack-here.ts';
import { layer, sandbox, snapshot } from './sandbox.ts';

async function read(bytes: Buffer, chunkBytes = 1000): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  const out: Buffer[] = [];
  for await (const chunk of decompressed(Readable.from(chunks))) out.push(Buffer.from(chunk));
  return Buffer.concat(out);
}

const plain = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i) % 253));
const half = plain.length / 2;

describe('decompressed', () => {
  test.each([
    ['plain', plain],
    ['gzip', gzipSync(plain)],
    [
      'gzip of several members',
      Buffer.concat([gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))]),
    ],
    ['gzip with zeros after it', Buffer.concat([gzipSync(plain), Buffer.alloc(2000)])],
  ])('%s', async (_, bytes) => {
    expect((await read(bytes)).equals(plain)).toBe(true);
    expect((await read(bytes, bytes.length)).equals(plain)).toBe(true);
  });

  test('nothing at all', async () => {
    expect((await read(Buffer.alloc(0))).length).toBe(0);
  });

  test.each([
    // As Go does, which docker and podman are made with; zeros are padding.
    ['garbage after the end of', Buffer.concat([gzipSync(plain), Buffer.from('garbage '.repeat(500))])],
    ['cut off', gzipSync(plain).subarray(0, 5000)],
    ['damaged', Buffer.concat([gzipSync(plain).subarray(0, 3000), Buffer.alloc(5000, 0xff)])],
  ])('%s gzip is refused', async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });

  test('zstd: where the runtime has none, that is said', async () => {
    const zstd = Buffer.from('28b52ffd0400010000', 'hex');
    const supported = 'createZstdDecompress' in (await import('node:zlib'));
    if (!supported) await expect(read(zstd)).rejects.toMatchObject({ code: 'HOST_MISSING' });
    expect(detectCompression(zstd)).toBe('zstd');
  });

  test.each([
    ['5a2a4d18', 'zstd'],
    ['1f8b08', 'gzip'],
    ['', 'none'],
    ['425a68', 'none'], // three bytes are no tar and no bzip2 either
  ])('magic %s is %s', (hex, kind) => {
    expect(detectCompression(Buffer.from(hex, 'hex'))).toBe(kind);
  });

  test('bzip2 and xz are named', () => {
    for (const tool of ['bzip2', 'xz']) {
      const bytes = execFileSync(tool, ['-c'], { input: plain });
      expect(() => detectCompression(bytes)).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
    }
  });

  test('a tar whose first file is called like a magic is a tar', () => {
    expect(detectCompression(layer([{ path: 'BZh' }]))).toBe('none');
  });

  test('an error of the source comes out', async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error('no more bytes'));
      },
    });
    await expect(decompressed(broken).next()).rejects.toThrow('no more bytes');
  });
});

describe('unpackHere', () => {
  const bytes = layer([{ path: 'f', content: 'x'.repeat(10_000) }]);

  test('checks the digest of the uncompressed tar', async () => {
    const { dest } = sandbox();
    const { diffId } = await unpackHere(Readable.from([gzipSync(bytes)]), digestOf(bytes), dest);
    expect(diffId).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    expect(Object.keys(snapshot(dest))).toEqual(['', 'f']);
  });

  test('refuses another', async () => {
    const { dest } = sandbox();
    const wrong = unpackHere(Readable.from([gzipSync(bytes)]), digestOf('other'), dest);
    await expect(wrong).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('what follows the end of the archive counts for the digest', async () => {
    const { dest } = sandbox();
    const padded = Buffer.concat([bytes, Buffer.alloc(9000, 1)]);
    expect((await unpackHere(Readable.from([padded]), undefined, dest)).diffId).toBe(digestOf(padded));
  });
});
