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

/**
 * The one container of a command: its first word, --latest, or --cidfile; `rest` are the words after it.
 * @throws USAGE unless as many words as that leaves are there; CONTAINER_NOT_FOUND for --latest of none
 */
export function oneTarget(
  root: StoreRoot,
  command: { name: string; args: string; min?: number; max?: number },
  words: readonly string[],
  { latest, cidfile }: { latest: boolean | undefined; cidfile: string | undefined },
): { target: string; rest: string[] } {
  const { min = 0, max = min } = command;
  const named = latest === true || cidfile !== undefined;
  if (latest === true && cidfile !== undefined)
    throw usage(command.name, '--latest and --cidfile: give one of the two');
  const count = words.length - (named ? 0 : 1);
  if (count < min || count > max) {
    const bound = (count < min ? min : max) + (named ? 0 : 1);
    const kind = min === max ? 'exactly' : count < min ? 'at least' : 'at most';
    throw usage(
      command.name,
      `needs ${kind} ${bound} argument${bound === 1 ? '' : 's'} (${command.args}), got ${words.length}`,
    );
  }
  if (latest === true) return { target: newest(root).name, rest: [...words] };
  const [target = '', ...rest] = cidfile === undefined ? words : [readCidFile(cidfile), ...words];
  return { target, rest };
}

function usage(command: string, text: string): EngineError {
  return new EngineError('USAGE', `skiff ${command}: ${text}`, { hint: `see "skiff ${command} --help"` });
}
