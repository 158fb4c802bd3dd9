// A name that is taken: by a container that is gone (its name is free), by a dead --rm one (it is cleaned up), by one
// that --replace removes, or by one that keeps it.

import { statSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import { dropStaleName, holderOf, isAlive, readSpec } from './records.ts';
import { removeContainer, sweepDead } from './remove.ts';

/** Makes the name free, so that the caller can try to claim it again. @throws NAME_IN_USE */
export async function replaceHolder(root: StoreRoot, name: string, replace: boolean): Promise<void> {
  const holder = holderOf(root, name);
  if (holder === undefined) return; // gone since
  if (statSync(containerDir(root, holder), { throwIfNoEntry: false }) === undefined) {
    dropStaleName(root, name, holder);
    return;
  }
  // In this order: whose lock is free has written its config.json, or never will.
  const isHeld = isAlive(root, holder);
  const spec = readSpec(root, holder);
  if (spec === undefined && !isHeld) {
    dropStaleName(root, name, holder); // its maker died half-way
    return;
  }
  if (spec?.host.autoRemove === true && (await sweepDead(root, [holder])).length > 0) return;
  if (spec !== undefined && replace) {
    await removeContainer(root, spec, { force: true });
    return;
  }
  throw new EngineError(
    'NAME_IN_USE',
    `the container name ${JSON.stringify(name)} is already in use by container ${holder}. You have to remove (or rename) that container to be able to reuse that name`,
    { hint: `skiff rm ${name}, or run with --replace` },
  );
}
