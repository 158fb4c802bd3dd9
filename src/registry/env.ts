// Environment variables as they are meant: a variable that is set to nothing counts as not set.

import { userInfo } from 'node:os';
import type { Env } from './types.ts';

/** The value of the first of `names` that is set and not empty. */
export function envText(env: Env, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = env[name];
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

/** HOME, else `given`, else the home directory of the passwd entry; undefined for a user without one. */
export function homeDir(env: Env, given: string | undefined): string | undefined {
  return envText(env, 'HOME') ?? given ?? passwdHome();
}

function passwdHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined; // CI often runs as a uid without an entry
  }
}

/** XDG_CONFIG_HOME or ~/.config; undefined without a home. */
export function configHome(env: Env, home: string | undefined): string | undefined {
  return envText(env, 'XDG_CONFIG_HOME') ?? (home === undefined ? undefined : `${home}/.config`);
}
