// A place to unpack hostile layers: the layer's directory lies in one with canaries, and whatever happens, those must be
// as they were afterwards. Works for root and for ordinary users (entries then belong to themselves).

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach } from 'vitest';
import { unpackHere, type UnpackedHere } from '../../../../src/image/layer/unpack-here.ts';
import { tar, type TarEntry } from '../../../helpers/tar-writer.ts';

export const UID: number = process.getuid?.() ?? 0;
export const GID: number = process.getgid?.() ?? 0;

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) {
    // Not node's rm: it cannot go deeper than PATH_MAX, nor into directories without rights.
    execFileSync('chmod', ['-R', 'u+rwX', dir]);
    execFileSync('rm', ['-rf', dir]);
  }
});

export interface Sandbox {
  /** Absolute; canaries are in it. */
  outside: string;
  /** Where the layer goes. */
  dest: string;
}

export function sandbox(): Sandbox {
  process.umask(0o022); // an unpack sets it to 0
  const outside = mkdtempSync(join(tmpdir(), 'skiff-layer-'));
  made.push(outside);
  mkdirSync(join(outside, 'dest'));
  mkdirSync(join(outside, 'victim'));
  writeFileSync(join(outside, 'canary'), 'alive');
  writeFileSync(join(outside, 'victim/canary'), 'alive');
  return { outside, dest: join(outside, 'dest') };
}

/** Unpacks raw bytes, split into chunks of `chunkBytes`. */
export function unpackBytes(bytes: Buffer, dest: string, chunkBytes = 1 << 20): Promise<UnpackedHere> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return unpackHere(Readable.from(chunks), undefined, dest);
}

/** Entries without an owner belong to whoever runs the test. */
export function layer(entries: TarEntry[]): Buffer {
  return tar(entries.map((entry) => ({ uid: UID, gid: GID, ...entry })));
}

/** Path → description of everything below `dir`, except for what is below `without`. Names as latin1. */
export function snapshot(dir: string, without?: string): Record<string, string> {
  const out: Record<string, string> = {};
  const visit = (host: Buffer, name: string): void => {
    const stat = lstatSync(host);
    const path = host.toString('latin1');
    if (stat.isDirectory()) {
      out[name] = `dir ${octal(stat.mode)}`;
      if (path === without) return;
      const children = readdirSync(host, { encoding: 'buffer' }) as unknown as Buffer[];
      for (const child of children) {
        const full = Buffer.concat([host, Buffer.from('/'), child]);
        visit(full, name === '' ? child.toString('latin1') : `${name}/${child.toString('latin1')}`);
      }
    } else if (stat.isSymbolicLink()) out[name] = `link ${readlinkSync(host, { encoding: 'latin1' })}`;
    else if (stat.isFile()) out[name] = `file ${octal(stat.mode)} ${shorten(readFileSync(host))}`;
    else if (stat.isCharacterDevice()) out[name] = stat.rdev === 0 ? 'whiteout' : `char ${stat.rdev}`;
    else if (stat.isFIFO()) out[name] = `fifo ${octal(stat.mode)}`;
    else out[name] = 'other';
  };
  visit(Buffer.from(dir), '');
  return out;
}

function shorten(content: Buffer): string {
  return content.length <= 40
    ? content.toString('latin1')
    : `${content.length} bytes ${createHash('sha256').update(content).digest('hex').slice(0, 12)}`;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}
