// Sources of bind mounts: that they are there, what they are, and docker's habit of making a missing -v directory.

import { mkdirSync, statSync } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import type { MountSpec } from '../../runtime/mount-spec.ts';

export interface BindSources {
  isDirectory: (hostPath: string) => boolean;
  /** Directories that do not exist yet; made by `makeMissing`. */
  missing: string[];
}

/** Looks, and makes nothing. @throws USAGE for a --mount source that is missing, or one that cannot be looked at */
export function lookAtSources(mounts: readonly MountSpec[]): BindSources {
  const files = new Set<string>();
  const missing: string[] = [];
  for (const mount of mounts) {
    if (mount.type !== 'bind') continue;
    const kind = kindOf(mount.source);
    if (kind === 'file') files.add(mount.source);
    if (kind !== 'missing') continue;
    if (!mount.createSource) {
      throw new EngineError(
        'USAGE',
        `--mount: invalid mount config for type "bind": bind source path does not exist: ${mount.source}`,
        {
          hint: 'make it first, or use -v, which makes a missing directory',
        },
      );
    }
    missing.push(mount.source);
  }
  return { isDirectory: (path) => !files.has(path), missing };
}

/** Idempotent: another run may make the same one at the same time. */
export function makeMissing({ missing }: BindSources): void {
  for (const path of missing) {
    try {
      mkdirSync(encodeBytes(path), { recursive: true, mode: 0o755 });
    } catch (error) {
      throw new EngineError('IO', `-v ${path}: making the missing directory`, { cause: error });
    }
  }
}

function kindOf(path: string): 'dir' | 'file' | 'missing' {
  try {
    const stat = statSync(encodeBytes(path), { throwIfNoEntry: false });
    return stat === undefined ? 'missing' : stat.isDirectory() ? 'dir' : 'file';
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new EngineError('USAGE', `mounting ${JSON.stringify(path)}`, { cause: error });
  }
}
