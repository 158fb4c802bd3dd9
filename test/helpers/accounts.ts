// Whom the engine runs as in the tests: accounts made by test/setup/setup.sh when the tests are started by root, else
// the caller.

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

export interface Account {
  name: string;
  uid: number;
  gid: number;
  /** Host uids of the account's subordinate ranges, [first, after last]. */
  subUids: [number, number][];
}

export const ROOT: Account = { name: 'root', uid: 0, gid: 0, subUids: [] };

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The ordinary user of the tests; undefined when root has not run setup.sh. */
export function ordinaryAccount(): Account | undefined {
  return isRoot() ? findAccount('skiff-test') : findAccount(userInfo().username);
}

export function findAccount(name: string): Account | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name)
      return { name, uid: Number(uid), gid: Number(gid), subUids: subordinateUids(name, uid ?? '') };
  }
  return undefined;
}

function subordinateUids(name: string, uid: string): [number, number][] {
  let text = '';
  try {
    text = readFileSync('/etc/subuid', 'utf8');
  } catch {
    // no such file: no ranges
  }
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([owner]) => owner === name || owner === uid)
    .map(([, first, size]) => [Number(first), Number(first) + Number(size)]);
}
