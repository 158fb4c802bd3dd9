// The account files of a container that runs, as they are now, volumes and changes included.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { decodeBytes, encodeBytes } from '../../core/bytes.ts';
import { errnoOf } from '../../core/errors.ts';
import { addon } from '../../native/addon.ts';
import type { AccountFiles } from '../../runtime/users.ts';

const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Whoever is root in there may have made them anything: links lead nowhere but inside, and what is no regular file of a
 * sensible size counts as missing, as everything does when the container has ended. pid: its init's on the host.
 */
export async function readRunningAccounts(pid: number): Promise<AccountFiles> {
  const path = `/proc/${pid}/root`;
  const root = openDirectory(path);
  // The container may have ended: then the helper will say so.
  if (root === undefined) return { passwd: undefined, group: undefined };
  try {
    return { passwd: readText(root, '/etc/passwd'), group: readText(root, '/etc/group') };
  } catch (error) {
    if (errnoOf(error) !== 'ENOSYS') throw error;
    // No openat2(2) here: the walk that reads images knows no race, which could only show it a file of the host's.
    const { readAccounts } = await import('../configure/inputs.ts');
    return readAccounts([path], false);
  } finally {
    closeSync(root);
  }
}

function openDirectory(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

function readText(root: number, path: string): string | undefined {
  const fd = addon().openInRoot(root, encodeBytes(path));
  if (fd === undefined) return undefined;
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MAX_BYTES ? decodeBytes(readFileSync(fd)) : undefined;
  } finally {
    closeSync(fd);
  }
}
