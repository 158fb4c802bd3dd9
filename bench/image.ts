// The image of the pull scenario: 30,000 files, 700 MB, six layers, the same bytes on every machine. Contents are a mix
// of text, of records as in libraries and of noise, so that it compresses about as a real image does.

import { readFileSync, rmSync } from 'node:fs';
import { startDockerRegistry } from '../test/helpers/docker-registry.ts';
import { writeOciLayout } from '../test/helpers/oci-layout.ts';
import { tar, type TarEntry } from '../test/helpers/tar-writer.ts';
import { cached, skopeoCopy } from '../test/setup/fixtures.ts';

export interface ImageSize {
  layers: number;
  files: number;
  bytes: number;
}

export const FULL: ImageSize = { layers: 6, files: 30_000, bytes: 700_000_000 };
export const SMALL: ImageSize = { layers: 3, files: 1_000, bytes: 20_000_000 };

/** Data folder of a docker-registry that holds `bench:latest`. */
export async function benchRegistry(size: ImageSize): Promise<string> {
  const recipe = readFileSync(new URL(import.meta.url));
  const name = size === FULL ? 'bench' : 'bench-small';
  const dir = await cached(name, ['1', JSON.stringify(size), recipe], async (work) => {
    const layers = Array.from({ length: size.layers }, (_, i) => ({ tar: tar(layerEntries(size, i)) }));
    writeOciLayout(`${work}/layout`, 'latest', { layers, config: { Cmd: ['/bin/true'] } });
    const registry = await startDockerRegistry({ data: `${work}/data`, dir: `${work}/run` });
    try {
      const target = `docker://${registry.address}/bench:latest`;
      await skopeoCopy(`oci:${work}/layout:latest`, target, '--dest-tls-verify=false', '--preserve-digests');
    } finally {
      await registry.stop();
    }
    for (const scratch of ['layout', 'run']) rmSync(`${work}/${scratch}`, { recursive: true });
  });
  return `${dir}/data`;
}

/** Files of layer `index`: data<index>/dir<n>/file<n>. */
export function layerEntries({ layers, files, bytes }: ImageSize, index: number): TarEntry[] {
  const random = xorshift(index + 1);
  const count = Math.floor(files / layers);
  // Sizes of real files: many small, few large (log-normal), scaled to the layer's share.
  const weights = Array.from({ length: count }, () =>
    Math.exp(1.7 * (random() + random() + random() + random() - 2) * 1.7),
  );
  const scale = bytes / layers / weights.reduce((sum, weight) => sum + weight, 0);
  const pools = makePools(random);
  const entries: TarEntry[] = [{ path: `data${index}/`, type: 'dir' }];
  weights.forEach((weight, i) => {
    const dir = `data${index}/dir${Math.floor(i / 25)}`;
    if (i % 25 === 0) entries.push({ path: `${dir}/`, type: 'dir' });
    const pool = pools[i % pools.length] as Buffer;
    const mode = i % 7 === 0 ? 0o755 : 0o644;
    entries.push({
      path: `${dir}/file${i}`,
      mode,
      uid: i % 50 === 0 ? 1000 : 0,
      content: piece(pool, weight * scale, random),
    });
    if (i % 40 === 0) entries.push({ path: `${dir}/link${i}`, type: 'symlink', link: `file${i}` });
  });
  return entries;
}

/** Text, text, text, records, records, noise. */
function makePools(random: () => number): Buffer[] {
  const size = 4 << 20;
  const words = Array.from({ length: 3000 }, () =>
    Array.from({ length: 2 + Math.floor(random() * 9) }, () =>
      String.fromCharCode(97 + Math.floor(random() * 26)),
    ).join(''),
  );
  const text = Buffer.alloc(size);
  for (let at = 0; at < size;) {
    const word = words[Math.floor(random() * random() * words.length)] ?? '';
    at += text.write(random() < 0.1 ? `${word}\n` : `${word} `, at) || 1;
  }
  const records = Buffer.alloc(size);
  for (let at = 0; at + 16 <= size; at += 16) {
    records.writeUInt32LE(Math.floor(random() * 4096), at);
    records.writeUInt32LE(at, at + 4);
    records.writeUInt32LE(Math.floor(random() * 0xffffffff), at + 8);
  }
  const noise = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4) noise.writeUInt32LE(Math.floor(random() * 0xffffffff), at);
  return [text, text, text, records, records, noise];
}

/** `size` bytes from a random place of the pool, going round at its end. */
function piece(pool: Buffer, size: number, random: () => number): Buffer {
  const result = Buffer.alloc(Math.max(1, Math.round(size)));
  const start = Math.floor(random() * pool.length);
  for (let at = 0; at < result.length;) at += pool.copy(result, at, at === 0 ? start : 0);
  return result;
}

/** Marsaglia's xorshift32, as a number in [0, 1). */
function xorshift(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4294967296;
  };
}
