// Which file made two selections of one instruction differ: what a build says about a step it cannot take from the cache. (pure)

import { toText } from './text.ts';
import type { SelectedFile, Selection } from './types.ts';

/** Path in the source → all that shows of the file, but for times. Kept beside the cached step. */
export type Fingerprints = Record<string, string>;

export function fingerprintsOf({ sources }: Selection): Fingerprints {
  const prints: Fingerprints = Object.create(null) as Fingerprints;
  for (const { files } of sources) for (const file of files) prints[toText(file.from)] = print(file);
  return prints;
}

/** "src/a.ts changed", "src/b.ts is new", "src/c.ts is gone", and how many others. Undefined: the same files. */
export function describeChange(before: Fingerprints, after: Fingerprints): string | undefined {
  const changes: string[] = [];
  for (const [path, seen] of Object.entries(after)) {
    if (!Object.hasOwn(before, path)) changes.push(`${path} is new`);
    else if (before[path] !== seen) changes.push(`${path} changed`);
  }
  for (const path of Object.keys(before)) if (!Object.hasOwn(after, path)) changes.push(`${path} is gone`);
  const [first, ...others] = changes.sort();
  if (first === undefined) return undefined;
  return others.length === 0 ? first : `${first}, and ${others.length} more`;
}

function print({ type, mode, containerUid, containerGid, digest, linkTo }: SelectedFile): string {
  const content = digest === undefined ? toText(linkTo) : digest.slice('sha256:'.length, 23);
  return `${type[0]}${mode.toString(8)} ${containerUid} ${containerGid} ${content}`;
}
