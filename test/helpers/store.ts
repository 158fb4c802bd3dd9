// A store of its own for one test, and the parts of a Context that the use cases of src/image ask for.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import type { Config } from '../../src/core/config.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import type { ImageEvent } from '../../src/image/events.ts';
import { partsDir, mapDir } from '../../src/store/layout.ts';
import { tar, type TarEntry } from './tar-writer.ts';

export interface TestStore {
  paths: { graphRoot: string; runRoot: string };
  config: () => Config;
  env: Record<string, string>;
  log: { warn: (text: string) => void; info: (text: string) => void; debug: () => void };
  signal: AbortSignal;
  warnings: string[];
  events: ImageEvent[];
  onEvent: (event: ImageEvent) => void;
  /** What should not be there when nothing runs: parts, stages, locks, temp files. */
  leftovers: () => string[];
  remove: () => void;
}

/** dir: where to make it, for tests on a file system of their own. */
export function testStore(dir = tmpdir()): TestStore {
  const graphRoot = mkdtempSync(`${dir}/skiff-store-`);
  const paths = { graphRoot, runRoot: `${graphRoot}-run` };
  const warnings: string[] = [];
  const events: ImageEvent[] = [];
  return {
    paths,
    config: () => ({
      root: undefined,
      offline: false,
      mirrors: {},
      insecureRegistries: [],
      network: undefined,
      parallelDownloads: 4,
    }),
    env: { PATH: '/usr/bin:/bin' },
    log: { warn: (text) => warnings.push(text), info: (text) => warnings.push(text), debug() {} },
    signal: new AbortController().signal,
    warnings,
    events,
    onEvent: (event) => events.push(event),
    leftovers: () => [
      ...namesIn(partsDir(paths)),
      ...namesIn(mapDir(paths, 'host')).filter((name) => !/^[0-9a-f]{64}(\.json)?$/.test(name)),
      ...['', '/oci', '/images', '/tmp', '/oci/blobs/sha256']
        .flatMap((sub) => namesIn(`${graphRoot}${sub}`))
        .filter((name) => name.endsWith('.tmp')),
    ],
    remove: () => rmSync(graphRoot, { recursive: true, force: true }),
  };
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

export interface TestLayer {
  blob: Buffer;
  diffId: Digest;
}

/** A gzip layer of files that belong to whoever runs the test. */
export function layer(files: Record<string, string | Uint8Array>, level = 6): TestLayer {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const entries: TarEntry[] = Object.entries(files).map(([path, content]) => ({ path, content, uid, gid }));
  const plain = tar(entries);
  return { blob: gzipSync(plain, { level }), diffId: digestOf(plain) };
}
