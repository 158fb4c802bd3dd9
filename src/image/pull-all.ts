// `pull --all-tags`: which names that is.

import { EngineError } from '../core/errors.ts';
import { formatReference, parseReference } from '../core/reference.ts';
import type { RegistryOptions } from '../registry/types.ts';
import { registryClient, type PullParts } from './pull.ts';

/** The full references of every tag of the repositories, in the registry's order. @throws USAGE for a name with a tag */
export async function listAllTags(
  parts: PullParts,
  names: readonly string[],
  options: RegistryOptions | undefined,
): Promise<string[]> {
  const references: string[] = [];
  const client = registryClient(parts, options);
  try {
    for (const name of names) {
      const ref = parseReference(name);
      if (ref.tag !== undefined || ref.digest !== undefined) {
        throw new EngineError('USAGE', `pulling all tags of "${name}": the name has a tag or digest`);
      }
      for await (const tag of client.listTags(ref)) references.push(formatReference({ ...ref, tag }));
    }
    return references;
  } finally {
    client.close();
  }
}
