// The containers a command is about: references as typed, --latest, --cidfile, --all. Each is looked up when its turn
// comes, so that one that is missing does not keep the others from being served.

import { EngineError } from '../core/errors.ts';
import type { StoreRoot } from '../store/layout.ts';
import { newest, readCidFile } from './address.ts';
import { listIds, readSpec } from './records.ts';

export interface TargetFlags {
  latest?: boolean | undefined;
  cidfile?: string[] | undefined;
  all?: boolean | undefined;
}

/** References to look up and to print. @throws USAGE when there is none, CONTAINER_NOT_FOUND for --latest of none */
export function targetsOf(
  root: StoreRoot,
  args: readonly string[],
  flags: TargetFlags,
  command: string,
): string[] {
  const chosen = [flags.latest === true, flags.all === true, args.length > 0].filter(Boolean).length;
  if (chosen > 1)
    throw new EngineError('USAGE', `skiff ${command}: names, --latest and --all exclude each other`);
  const files = (flags.cidfile ?? []).map(readCidFile);
  if (flags.latest === true) return [...files, newest(root).id];
  if (flags.all === true) return listIds(root).filter((id) => readSpec(root, id) !== undefined);
  if (files.length + args.length > 0) return [...files, ...args];
  throw new EngineError('USAGE', `skiff ${command}: needs at least 1 argument (CONTAINER...)`, {
    hint: `"skiff ${command} --help" says more`,
  });
}

/** Those that match the filters of `ps`, whatever their state. @throws USAGE for an unknown filter, or names as well */
export async function filteredTargets(
  root: StoreRoot,
  args: readonly string[],
  flags: TargetFlags & { filter: string[] },
  command: string,
): Promise<string[]> {
  const named = args.length > 0 || flags.latest === true || (flags.cidfile ?? []).length > 0;
  if (named)
    throw new EngineError(
      'USAGE',
      `skiff ${command}: --filter and the names of containers exclude each other`,
    );
  const { listContainers } = await import('./list.ts');
  const found = await listContainers(root, { all: true, last: -1, filters: flags.filter });
  return found.map(({ spec }) => spec.id);
}
