// Reads what idmap.ts decides on: three small files and two stat calls. Nothing is cached, so a repaired host is seen at once.

import { readFileSync, statSync } from 'node:fs';
import { loginName } from '../core/login-name.ts';
import type { IdMapInput } from './idmap.ts';

/** `env.PATH` is searched for newuidmap; `hostUid` 0 reads nothing. Never throws: a missing file is an empty one. */
export function readIdMapInput(
  {
    hostUid,
    hostGid,
    env,
  }: { hostUid: number; hostGid: number; env: Readonly<Record<string, string | undefined>> },
  userns: string | undefined,
): IdMapInput {
  if (hostUid === 0) {
    return { hostUid, hostGid, userName: 'root', subuid: '', subgid: '', hasNewidmap: true, userns };
  }
  return {
    hostUid,
    hostGid,
    userName: loginName(hostUid),
    subuid: readText('/etc/subuid'),
    subgid: readText('/etc/subgid'),
    hasNewidmap: canMap('newuidmap', env['PATH']) && canMap('newgidmap', env['PATH']),
    userns,
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Setuid root (Debian, Arch) or, without that bit, presumably file capabilities (Fedora): reading security.capability
 * would need the addon, and a program that lost both fails later with an error that says so.
 */
function canMap(program: string, path: string | undefined): boolean {
  for (const dir of (path === undefined || path === '' ? '/usr/bin:/usr/sbin:/bin:/sbin' : path).split(':')) {
    if (!dir.startsWith('/')) continue;
    if (isProgram(`${dir}/${program}`)) return true;
  }
  return false;
}

/** A folder of PATH may be closed to us: then nothing in it can be run either. */
function isProgram(path: string): boolean {
  try {
    const stat = statSync(path);
    return stat.isFile() && (stat.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
