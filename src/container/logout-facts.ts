// What logout.ts decides on, read from files: no D-Bus, nothing started. Where nobody logs in (CI, containers, other init
// systems) it is one file. The line is said once for each login, not for each container.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { lingers } from '../cgroup/linger.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { ensurePrivateDir } from '../core/fs.ts';
import { loginName } from '../core/login-name.ts';
import { logoutNote } from './logout.ts';
import type { Placement } from './place.ts';
import type { RunParts } from './configure/prepare.ts';

/** Warns when a container that was started to stay would not. */
export function sayIfLogoutEndsIt(
  { paths, log, hostUid }: Pick<RunParts, 'paths' | 'log' | 'hostUid'>,
  { limits }: Pick<Placement, 'limits'>,
): void {
  // Root's systemd is the machine's.
  const scoped = limits?.group?.plan.scope !== undefined && hostUid !== 0;
  const cgroup = readable('/proc/self/cgroup');
  if (!scoped && !cgroup.includes(`/user-${hostUid}.slice/`)) return;
  const user = loginName(hostUid);
  const note = logoutNote({
    hostUid,
    user: user ?? '',
    cgroup,
    scoped,
    lingers: lingers(user),
    logindConf: logindConf(),
  });
  if (note !== undefined && isFirstTime(paths.runRoot, hostUid)) log.warn(note);
}

/** The first directory has the last word. */
const DIRECTORIES = [
  '/etc/systemd',
  '/run/systemd',
  '/usr/local/lib/systemd',
  '/usr/lib/systemd',
  '/lib/systemd',
];

/** The main file, then drop-ins by name; one in a directory that comes first hides its namesakes. */
function logindConf(): string[] {
  const main = DIRECTORIES.map((dir) => `${dir}/logind.conf`).find((path) => existsSync(path));
  const dropIns = new Map<string, string>();
  for (const dir of DIRECTORIES) {
    const folder = `${dir}/logind.conf.d`;
    for (const name of listed(folder))
      if (name.endsWith('.conf') && !dropIns.has(name)) dropIns.set(name, `${folder}/${name}`);
  }
  const inOrder = [...dropIns.keys()].sort().map((name) => dropIns.get(name) as string);
  return [...(main === undefined ? [] : [main]), ...inOrder].map(readable);
}

/** What may not be read decides nothing. */
function readable(path: string): string {
  return unlessErrno(() => readFileSync(path, 'utf8')) ?? '';
}

function listed(dir: string): string[] {
  return unlessErrno(() => readdirSync(dir)) ?? [];
}

function unlessErrno<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** The directory goes with the login. Whoever cannot leave a mark says it again. */
function isFirstTime(runRoot: string, hostUid: number): boolean {
  try {
    ensurePrivateDir(runRoot, hostUid, 'set XDG_RUNTIME_DIR');
    writeFileSync(`${runRoot}/said-logout`, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof EngineError || errnoOf(error) !== undefined) return errnoOf(error) !== 'EEXIST';
    throw error;
  }
}
