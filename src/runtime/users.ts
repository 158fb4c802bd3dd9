// USER of an image and --user: `name|uid[:group|gid]`, resolved by the image's own /etc/passwd and /etc/group as
// docker does (first match wins, a number is also tried as a name). (pure) The files are read by root-file.ts.

import { EngineError } from '../core/errors.ts';

/** Texts of the image's files; undefined when the image has none. */
export interface AccountFiles {
  passwd: string | undefined;
  group: string | undefined;
}

export interface ResolvedUser {
  containerUid: number;
  containerGid: number;
  /** Supplementary groups: the primary one first (else a file its group may not read could be read: CVE-2022-2989). */
  additionalGids: number[];
  /** Home directory of the passwd entry; '/' without one. */
  home: string;
  /** Login name, undefined for a number without an entry. */
  name: string | undefined;
}

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

const MAX_ID = 2 ** 31 - 1;

/**
 * @param spec    '' means 0
 * @param groupAdd  --group-add names or numbers (without keep-groups)
 * @throws USER_UNKNOWN when a name is in neither file, USAGE for a malformed text
 */
export function resolveUser(
  spec: string,
  files: AccountFiles,
  groupAdd: readonly string[] = [],
): ResolvedUser {
  const [userPart, groupPart] = splitSpec(spec);
  const users = parsePasswd(files.passwd ?? '');
  const groups = parseGroup(files.group ?? '');
  const entry = findUser(users, userPart === '' ? '0' : userPart);
  const containerUid =
    entry?.uid ?? numericId(userPart === '' ? '0' : userPart, spec, 'user', files.passwd !== undefined);
  const gids: number[] = [];
  let containerGid = entry?.gid ?? 0;
  if (groupPart !== undefined && groupPart !== '') {
    containerGid = resolveGroup(groups, groupPart, spec, files.group !== undefined);
  } else if (entry !== undefined) {
    for (const group of groups) if (group.members.includes(entry.name)) gids.push(group.gid);
  }
  gids.push(...resolveGroups(groupAdd, files));
  return {
    containerUid,
    containerGid,
    additionalGids: [...new Set([containerGid, ...gids])],
    home: entry === undefined || entry.home === '' ? '/' : entry.home,
    name: entry?.name,
  };
}

/** Login names by uid; of several the first. `passwd`: text of the file. */
export function userNames(passwd: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const { uid, name } of parsePasswd(passwd)) if (!names.has(uid)) names.set(uid, name);
  return names;
}

/** The ids of --group-add names or numbers. @throws USER_UNKNOWN, USAGE */
export function resolveGroups(texts: readonly string[], files: AccountFiles): number[] {
  const groups = texts.length === 0 ? [] : parseGroup(files.group ?? '');
  return texts.map((text) => resolveGroup(groups, text, text, files.group !== undefined));
}

function splitSpec(spec: string): [user: string, group: string | undefined] {
  const at = spec.indexOf(':');
  if (at < 0) return [spec, undefined];
  const group = spec.slice(at + 1);
  if (group.includes(':')) {
    throw new EngineError('USAGE', `--user ${JSON.stringify(spec)}: expected NAME|UID[:GROUP|GID]`);
  }
  return [spec.slice(0, at), group];
}

function findUser(users: readonly PasswdEntry[], text: string): PasswdEntry | undefined {
  const uid = /^\d+$/.test(text) ? Number(text) : undefined;
  return users.find((user) => user.name === text || user.uid === uid);
}

function resolveGroup(groups: readonly GroupEntry[], text: string, spec: string, hasFile: boolean): number {
  const gid = /^\d+$/.test(text) ? Number(text) : undefined;
  const found = groups.find((group) => group.name === text || group.gid === gid);
  return found?.gid ?? numericId(text, spec, 'group', hasFile);
}

function numericId(text: string, spec: string, kind: 'user' | 'group', hasFile: boolean): number {
  if (!/^\d+$/.test(text)) {
    const file = kind === 'user' ? 'passwd' : 'group';
    throw new EngineError(
      'USER_UNKNOWN',
      `unable to find ${kind} ${text}: ${hasFile ? `no matching entries in ${file} file` : `the image has no /etc/${file}`}`,
      {
        hint: `give a number instead of ${JSON.stringify(spec)}, or add the name to /etc/${file} of the image`,
      },
    );
  }
  const id = Number(text);
  if (id > MAX_ID)
    throw new EngineError('USAGE', `${kind} ${text}: uids and gids must be in range 0-${MAX_ID}`);
  return id;
}

/** passwd(5). Lines that are no entry are skipped. */
function parsePasswd(text: string): PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of text.split('\n')) {
    const [name, , uid, gid, , home] = line.split(':');
    if (name === undefined || name === '' || name.startsWith('#') || !isId(uid)) continue;
    entries.push({ name, uid: Number(uid), gid: isId(gid) ? Number(gid) : 0, home: home ?? '' });
  }
  return entries;
}

/** group(5) */
function parseGroup(text: string): GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const line of text.split('\n')) {
    const [name, , gid, members] = line.split(':');
    if (name === undefined || name === '' || name.startsWith('#') || !isId(gid)) continue;
    entries.push({ name, gid: Number(gid), members: (members ?? '').split(',') });
  }
  return entries;
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID;
}
