// --volumes-from CONTAINER[:ro|rw]: the directories and volumes that other containers mount. (pure)

import { EngineError } from '../../core/errors.ts';
import type { MountSpec } from '../../runtime/mount-spec.ts';

/**
 * One mount for each target; of two containers that have the same, the later one wins, as in docker. tmpfs are left out.
 * @throws USAGE for a bad mode
 */
export function mountsFrom(
  texts: readonly string[],
  mountsOfContainer: (reference: string) => readonly MountSpec[],
): MountSpec[] {
  const byTarget = new Map<string, MountSpec>();
  for (const text of texts) {
    const { reference, readOnly } = parseVolumesFrom(text);
    for (const mount of mountsOfContainer(reference)) {
      if (mount.type === 'tmpfs') continue;
      const flags = readOnly ? { ...mount.flags, readOnly } : mount.flags;
      byTarget.set(mount.target, { ...mount, flags, ...(mount.type === 'volume' ? { noCopy: true } : {}) });
    }
  }
  return [...byTarget.values()];
}

/** The mode may be a list; z and Z mean nothing here. */
export function parseVolumesFrom(text: string): { reference: string; readOnly: boolean } {
  const [reference = '', mode = 'rw', ...more] = text.split(':');
  if (reference === '') throw usage(text, 'malformed, expected CONTAINER[:ro|rw]');
  const words = mode.split(',');
  const unknown = words.find((word) => !['ro', 'rw', 'z', 'Z'].includes(word));
  if (unknown !== undefined || more.length > 0)
    throw usage(text, `invalid mode ${JSON.stringify([mode, ...more].join(':'))}, expected ro or rw`);
  return { reference, readOnly: words.includes('ro') };
}

function usage(text: string, cause: string): EngineError {
  return new EngineError('USAGE', `--volumes-from ${JSON.stringify(text)}: ${cause}`);
}
