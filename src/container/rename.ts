// `rename`: the new name is claimed first, by one system call that only one of two can win; the old one is freed last.

import { renameSync, writeFileSync } from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import { checkName } from './names.ts';
import { claimName, dropName, holderOf, updateSpec } from './records.ts';
import { logContainerEvent } from './events.ts';
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
        if (outcome.lost || old === name) return;
        noteForKeeper(`${containerDir(root, spec.id)}/name`, name);
        dropName(root, old, spec.id);
        logContainerEvent(root, { ...spec, name }, 'rename', { oldName: `/${old}` });
      },
    );
    if (changed === undefined) {
      dropName(root, name, spec.id);
      throw new EngineError('CONTAINER_NOT_FOUND', `no such container: ${spec.name}`, { exitCode: 1 });
    }
    if (!outcome.lost) return;
  }
}

/** The keeper of a container that runs knows the name it was started with; what it logs has this one (event_log.cc). */
function noteForKeeper(path: string, name: string): void {
  try {
    writeFileSync(`${path}.tmp`, name, { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error; // a full disk: events have the old name
  }
}
