// `rename`: the new name is claimed first, by one system call that only one of two can win; the old one is freed last.

import { EngineError } from '../core/errors.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import type { StoreRoot } from '../store/layout.ts';
import { checkName } from './names.ts';
import { claimName, dropName, holderOf, updateSpec } from './records.ts';
import { replaceHolder } from './replace.ts';

/** @throws USAGE, NAME_IN_USE, CONTAINER_NOT_FOUND when it was removed meanwhile */
export async function renameContainer(root: StoreRoot, spec: ContainerSpec, newName: string): Promise<void> {
  const name = checkName(newName);
  if (name === spec.name) {
    throw new EngineError(
      'USAGE',
      `renaming container ${JSON.stringify(spec.name)}: renaming a container with the same name as its current name`,
      { exitCode: 1 },
    );
  }
  for (;;) {
    // A rename that was killed half-way may have left the name with us.
    while (!claimName(root, name, spec.id) && holderOf(root, name) !== spec.id)
      await replaceHolder(root, name, false);
    const outcome = { lost: false };
    const changed = updateSpec(
      root,
      spec.id,
      (current) => {
        // Another rename may have been quicker, and have freed this very name on its way to another.
        outcome.lost = holderOf(root, name) !== spec.id;
        if (!outcome.lost) current.name = name;
      },
      (old) => {
        if (!outcome.lost && old !== name) dropName(root, old, spec.id);
      },
    );
    if (changed === undefined) {
      dropName(root, name, spec.id);
      throw new EngineError('CONTAINER_NOT_FOUND', `no such container: ${spec.name}`, { exitCode: 1 });
    }
    if (!outcome.lost) return;
  }
}
