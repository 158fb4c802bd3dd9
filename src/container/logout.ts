// Whether logind ends a container at logout, and the line that says so. (pure)

export interface LogoutFacts {
  hostUid: number;
  user: string;
  /** Text of /proc/self/cgroup: a detached container stays where its starter is, unless it is `scoped`. */
  cgroup: string;
  /** Its monitor enters a scope of the user's own systemd. */
  scoped: boolean;
  /** /var/lib/systemd/linger/USER is there. */
  lingers: boolean;
  /** Texts of logind.conf and its drop-ins, in the order in which systemd reads them. */
  logindConf: readonly string[];
}

/** undefined: it survives, or nobody logs in here. */
export function logoutNote(facts: LogoutFacts): string | undefined {
  const place = placeOf(facts);
  if (place === 'manager' && !facts.lingers)
    return 'the container ends when you log out; "loginctl enable-linger" keeps it running';
  if (place !== 'session' || !killsProcesses(parseLogind(facts.logindConf), facts.user)) return undefined;
  const linger = facts.lingers ? '' : '"loginctl enable-linger" once, and ';
  return `the container ends when you log out (KillUserProcesses=yes); ${linger}"systemd-run --user --scope skiff ..." keeps it running`;
}

/** In the scope of a login session, below the user's own systemd, or elsewhere. */
function placeOf({ hostUid, cgroup, scoped }: LogoutFacts): 'session' | 'manager' | undefined {
  if (scoped) return 'manager';
  const path = /^(?:0:|\d+:name=systemd):(\/.*)$/m.exec(cgroup)?.[1];
  const slice = `/user.slice/user-${hostUid}.slice/`;
  if (path?.startsWith(slice) !== true) return undefined;
  const unit = path.slice(slice.length).split('/')[0] ?? '';
  if (unit === `user@${hostUid}.service`) return 'manager';
  return /^session-[^/]+\.scope$/.test(unit) ? 'session' : undefined;
}

interface LogindSettings {
  kill: boolean;
  only: string[];
  exclude: string[];
}

function killsProcesses({ kill, only, exclude }: LogindSettings, user: string): boolean {
  return kill && !exclude.includes(user) && (only.length === 0 || only.includes(user));
}

/** A commented line of the file that comes with systemd shows what was compiled in, which differs between distributions. */
export function parseLogind(texts: readonly string[]): LogindSettings {
  const settings: LogindSettings = { kill: false, only: [], exclude: ['root'] };
  const compiledIn = /^#KillUserProcesses=(.*)$/m.exec(texts.join('\n'))?.[1];
  if (compiledIn !== undefined) settings.kill = isTrue(compiledIn);
  for (const text of texts) {
    let section = '';
    for (const line of text.split('\n').map((each) => each.trim())) {
      section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
      const [, key, value = ''] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (section !== 'Login') continue;
      if (key === 'KillUserProcesses') settings.kill = isTrue(value);
      else if (key === 'KillOnlyUsers') settings.only = added(settings.only, value);
      else if (key === 'KillExcludeUsers') settings.exclude = added(settings.exclude, value);
    }
  }
  return settings;
}

function isTrue(text: string): boolean {
  return /^(1|y|yes|t|true|on)$/i.test(text.trim());
}

/** Lists add up; an empty value begins anew. */
function added(list: readonly string[], value: string): string[] {
  const words = value.split(/\s+/).filter((word) => word !== '');
  return words.length === 0 ? [] : [...list, ...words];
}
