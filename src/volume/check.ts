// `system check` of volumes: their folders are whole. What is in them is the user's, and nobody can say what it should be.

import { lstatSync, mkdirSync } from 'node:fs';
import { storeIo } from '../store/io.ts';
import type { StoreRoot } from '../store/layout.ts';
import { dataDir, listVolumes, readNote, restoreNote, type Volume } from './records.ts';

export interface CheckedVolume {
  name: string;
  /** One sentence each. */
  problems: string[];
  /** Undefined: nothing to repair, or not asked to. */
  repaired: boolean | undefined;
}

/** repair: makes a lost volume.json anew, without the labels and options that were in it, and a lost _data, empty. */
export function checkVolumes(root: StoreRoot, { repair }: { repair: boolean }): CheckedVolume[] {
  return listVolumes(root).map((volume) => {
    const problems = problemsOf(volume);
    if (!repair || problems.length === 0) return { name: volume.name, problems, repaired: undefined };
    repairVolume(volume);
    return { name: volume.name, problems, repaired: problemsOf(volume).length === 0 };
  });
}

function problemsOf(volume: Volume): string[] {
  return [
    ...(readNote(volume.dir) === undefined ? ['volume.json is missing or damaged'] : []),
    ...(isDirectory(dataDir(volume)) ? [] : ['_data is missing']),
  ];
}

function repairVolume(volume: Volume): void {
  if (readNote(volume.dir) === undefined) restoreNote(volume);
  const data = dataDir(volume);
  if (isDirectory(data)) return;
  storeIo('making', data, () => mkdirSync(data, { recursive: true, mode: 0o755 }));
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
