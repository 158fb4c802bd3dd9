// The layer of a build step: its upper directory becomes the tree as it is (settle.ts), and a tar in the store beside it. A
// child does both, as root of the user namespace; between the two it says so, and the next step can start on the tree while
// the tar is written, hashed and made durable.

import { createHash } from 'node:crypto';
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { addon } from '../../native/addon.ts';
import * as at from '../../native/at.ts';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { startInside } from '../../native/inside.ts';
import type { IdMap } from '../../native/plan.ts';
import { packLayer } from './diff.ts';
import type { Packed } from './pack.ts';
import { settleUpper, type SettleRules } from './settle.ts';

export interface BuiltLayer extends Packed {
  diffId: Digest;
  /** Of the tar. */
  tarBytes: number;
}

export interface LayerInTheMaking {
  /** The upper directory is a layer's tree now. */
  settled: Promise<void>;
  /** The tar is in the file. */
  done: Promise<BuiltLayer>;
}

export interface BuiltLayerRequest {
  kind: 'built';
  upper: string;
  rules: SettleRules;
}

/**
 * @param lowerTrees looked at once the upper directory has settled: until then those below may still be on their way
 * @param file descriptor of the empty file that gets the tar. doing: first words of errors */
export function startBuiltLayer(
  upper: string,
  lowerTrees: Promise<readonly string[]>,
  rules: SettleRules,
  { file, idMap, doing }: { file: number; idMap: IdMap | undefined; doing: string },
): LayerInTheMaking {
  const request: BuiltLayerRequest = { kind: 'built', upper, rules };
  let settle: () => void = () => undefined;
  const said = new Promise<void>((resolve) => (settle = resolve));
  const child = startInside({
    doing,
    command: '__layer',
    request,
    idMap,
    stdin: 'pipe',
    stdout: file,
    onNews: (line) => line === SETTLED && settle(),
  });
  const done = child.reply as Promise<BuiltLayer>;
  lowerTrees.then(
    (trees) => child.stdin?.end(JSON.stringify(trees)),
    () => child.kill(),
  );
  const settled = Promise.race([said, done.then(() => undefined)]);
  settled.catch(() => {});
  return { settled, done };
}

const SETTLED = 'settled';

/** The child's side. `write` puts all of a chunk into the file. */
export function makeBuiltLayer(
  { upper, rules }: BuiltLayerRequest,
  write: (chunk: Uint8Array) => void,
): BuiltLayer {
  settleUpper(upper, rules);
  writeSync(2, `${SETTLED}\n`);
  const lowerTrees = JSON.parse(readFileSync(0, 'utf8')) as string[];
  const built = hashedTar(write, (writeTar) =>
    packLayer({ upper, lowerTrees, mountPoints: [], volumes: [] }, writeTar),
  );
  if (built.entries > 0) syncFileSystem(upper);
  return built;
}

/** What `pack` writes goes on to `write`. */
export function hashedTar(
  write: (chunk: Uint8Array) => void,
  pack: (write: (chunk: Uint8Array) => void) => Packed,
): BuiltLayer {
  const hash = createHash('sha256');
  let tarBytes = 0;
  const packed = pack((chunk) => {
    hash.update(chunk);
    tarBytes += chunk.length;
    write(chunk);
  });
  return { ...packed, diffId: digestFromHex(hash.digest('hex')), tarBytes };
}

/** Here rather than in the build's own process, which would do nothing else meanwhile. The tar is on the same one. */
function syncFileSystem(path: string): void {
  const fd = at.openRoot(path);
  try {
    addon().syncfs(fd);
  } finally {
    closeSync(fd);
  }
}
