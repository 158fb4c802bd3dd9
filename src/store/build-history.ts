// build-cache/history/<id>/: what the last builds left to be looked at. A folder appears with all its files or not at all.
// Nothing depends on it, so it is not worth waiting for the disk: a power cut may leave its files empty.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { namesIn } from '../core/fs.ts';
import { buildCacheDir } from './build-cache.ts';
import { isDeadTemp, storeIo } from './io.ts';
import type { StoreRoot } from './layout.ts';

export function buildHistoryDir(root: StoreRoot): string {
  return `${buildCacheDir(root)}/history`;
}

/** Its time first, so that names sort by it. `random`: 8 hex digits. */
export function historyId(atMs: number, random: string): string {
  return `${new Date(atMs).toISOString().replace(/[-:.]/g, '')}-${random}`;
}

const ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[0-9a-f]{8}$/;

/**
 * Keeps the newest `keep` builds.
 * @returns the folder. @throws NO_SPACE, IO
 */
export function writeBuildHistory(
  root: StoreRoot,
  id: string,
  files: Readonly<Record<string, string>>,
  keep: number,
): string {
  const history = buildHistoryDir(root);
  const dir = `${history}/${id}`;
  const temp = `${history}/.${id}.${process.pid}.0.tmp`;
  storeIo('writing', dir, () => {
    try {
      mkdirSync(temp, { recursive: true, mode: 0o700 });
      for (const [name, text] of Object.entries(files))
        writeFileSync(`${temp}/${name}`, text, { mode: 0o600 });
      renameSync(temp, dir);
    } catch (error) {
      rmSync(temp, { recursive: true, force: true });
      throw error;
    }
    const ids = listIds(history);
    for (const old of ids.slice(0, Math.max(0, ids.length - keep))) remove(`${history}/${old}`);
    sweep(history);
  });
  return dir;
}

/** @param isOld says so of a time, in milliseconds since the epoch */
export function pruneBuildHistory(root: StoreRoot, isOld: (atMs: number) => boolean): void {
  const history = buildHistoryDir(root);
  for (const id of listIds(history)) {
    const [, year, month, day, hour, minute, second, ms] = (ID.exec(id) ?? []).map(Number);
    const parts = [year, month, day, hour, minute, second, ms] as number[];
    const [y = 0, m = 1, ...rest] = parts;
    if (isOld(Date.UTC(y, m - 1, ...rest))) remove(`${history}/${id}`);
  }
  sweep(history);
}

function listIds(history: string): string[] {
  return namesIn(history)
    .filter((name) => ID.test(name))
    .sort();
}

/** What killed builds had begun. */
function sweep(history: string): void {
  for (const name of namesIn(history)) if (isDeadTemp(name)) remove(`${history}/${name}`);
}

/** Another build may remove the same. */
function remove(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}
