// Makes the folders of a store, once. Later calls cost one stat.

import * as fs from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import { publishFile, storeIo } from './io.ts';
import * as layout from './layout.ts';
import type { StoreRoot } from './layout.ts';

/** image-spec image-layout.md, "oci-layout file" */
const OCI_LAYOUT = '{"imageLayoutVersion":"1.0.0"}\n';

/**
 * Idempotent, and safe when several processes do it at once.
 * @throws STORE_INVALID for a layout version we do not know, IO when the folder cannot be made
 */
export function ensureStore(root: StoreRoot): void {
  if (isStore(root)) return;
  storeIo('making the store', root.graphRoot, () => {
    fs.mkdirSync(root.graphRoot, { recursive: true, mode: 0o700 });
    for (const dir of [
      layout.blobsDir(root),
      layout.imagesDir(root),
      layout.namesDir(root),
      layout.partsDir(root),
    ])
      fs.mkdirSync(dir, { recursive: true, mode: 0o755 });
    // Other users of the host have no business in there, also where the store itself was made for all: files of images
    // may be setuid.
    for (const dir of [layout.layersDir(root), layout.containersDir(root)])
      fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  });
  for (const file of [layout.indexLockFile(root), layout.gcLockFile(root)]) touch(file);
  // Last: its presence says that everything else is there.
  publishFile(layout.ociLayoutFile(root), OCI_LAYOUT);
}

/** True when there is a store at all. Commands that only read then have an answer without making one. */
export function isStore(root: StoreRoot): boolean {
  let text: string;
  const file = layout.ociLayoutFile(root);
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    return storeIo('reading', file, () => {
      throw error;
    });
  }
  if (text === OCI_LAYOUT) return true;
  checkVersion(text, file);
  return true;
}

function checkVersion(text: string, file: string): void {
  let version: unknown;
  try {
    version = (JSON.parse(text) as { imageLayoutVersion?: unknown }).imageLayoutVersion;
  } catch {
    version = undefined;
  }
  if (typeof version === 'string' && version.startsWith('1.')) return;
  throw new EngineError('STORE_INVALID', `reading "${file}": no OCI image layout of version 1`, {
    hint: 'this folder belongs to something else: choose another store with --root DIR or SKIFF_ROOT',
  });
}

function touch(file: string): void {
  storeIo('making', file, () => fs.closeSync(fs.openSync(file, 'a', 0o644)));
}
