// Paths in flags for mounts: of the container, and of the host as typed. (pure)

import { usage } from './mount-text.ts';

/** Absolute, cleaned of `.`, `..` and doubled slashes; not the root itself. */
export function checkTarget(flag: string, text: string, target: string): string {
  if (!target.startsWith('/'))
    throw usage(flag, text, `invalid mount path: ${JSON.stringify(target)}: mount path must be absolute`);
  const clean = cleanPath(target);
  if (clean === '/') throw usage(flag, text, "invalid specification: destination can't be '/'");
  return clean;
}

/** Lexical clean-up of an absolute path (Go's path.Clean). */
export function cleanPath(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') out.pop();
    else out.push(part);
  }
  return `/${out.join('/')}`;
}

export function absoluteSource(source: string, cwd: string): string {
  return cleanPath(source.startsWith('/') ? source : `${cwd}/${source}`);
}
