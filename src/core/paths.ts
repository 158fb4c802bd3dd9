// Where things are on disk (design: "The store"). Pure: from the environment to paths; nothing is made or checked here.

/** Host paths, absolute. */
export interface Paths {
  /** The store: blobs, layers, containers, volumes. Survives a reboot. */
  graphRoot: string;
  /** Volatile files: probe results, sockets. Gone after a reboot. May not exist: use core/fs.ts ensurePrivateDir. */
  runRoot: string;
}

export interface PathsInput {
  env: Readonly<Record<string, string | undefined>>;
  hostUid: number;
  /** --root, SKIFF_ROOT or the configuration's root: absolute. */
  root?: string | undefined;
  /** Home directory of the passwd entry, used when HOME is not set. */
  home?: string | undefined;
}

/**
 * graphRoot: root, /var/lib/skiff (root), $XDG_DATA_HOME/skiff, $HOME/.local/share/skiff, and without
 * any home /var/tmp/skiff-UID. runRoot: $XDG_RUNTIME_DIR/skiff, /run/skiff (root), else /tmp/skiff-run-UID.
 */
export function resolvePaths(input: PathsInput): Paths {
  return {
    graphRoot: chosenGraphRoot(input) ?? exposedGraphRoot(input.hostUid),
    runRoot: runRoot(input.env, input.hostUid),
  };
}

/** The store without any home: others may have made the folder before us, so core/fs.ts ensurePrivateDir comes first. */
export function exposedGraphRoot(hostUid: number): string {
  return `/var/tmp/skiff-${hostUid}`;
}

function chosenGraphRoot({ env, hostUid, root, home }: PathsInput): string | undefined {
  const chosen = absolute(root);
  if (chosen !== undefined) return chosen;
  if (hostUid === 0) return '/var/lib/skiff';
  const dataHome = absolute(env['XDG_DATA_HOME']);
  if (dataHome !== undefined) return `${dataHome}/skiff`;
  const homeDir = absolute(env['HOME']) ?? absolute(home);
  return homeDir === undefined || homeDir === '/' ? undefined : `${homeDir}/.local/share/skiff`;
}

function runRoot(env: PathsInput['env'], hostUid: number): string {
  const runtimeDir = absolute(env['XDG_RUNTIME_DIR']);
  if (runtimeDir !== undefined) return `${runtimeDir}/skiff`;
  return hostUid === 0 ? '/run/skiff' : `/tmp/skiff-run-${hostUid}`;
}

/** XDG base directory specification: relative paths in these variables are invalid and ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') === true ? path.replace(/(.)\/+$/, '$1') : undefined;
}
