// When the commit was made that a local context is checked out from: the time of the image, the same wherever it is built.
// What the repository's configuration asks for is not done: nothing is fetched, nothing executed.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { askGit, parseCommitLine, type GitParts } from './fetch-git.ts';

/**
 * Seconds since the epoch of HEAD, whether or not files differ from it; undefined where the commit does not have this
 * directory, or there is none. What keeps git from telling is a warning. @throws CANCELLED
 */
export async function commitTime(
  parts: Omit<GitParts, 'offline'> & { log: Log },
  directory: string,
): Promise<number | undefined> {
  if (!isInRepository(directory)) return undefined;
  const ask = (...args: string[]): ReturnType<typeof askGit> =>
    askGit(parts, directory, args, { GIT_ALLOW_PROTOCOL: 'none', GIT_OPTIONAL_LOCKS: '0' });
  try {
    const tree = await ask('rev-parse', '--verify', '--quiet', 'HEAD:./');
    if (tree.status === 1) return undefined; // nothing is committed, or not this directory
    const head = tree.status === 0 ? await ask('rev-list', '--max-count=1', '--timestamp', 'HEAD') : tree;
    if (head.status === 0) return parseCommitLine(head.out).timeSec;
    parts.log.warn(`${SAYS} git says: ${head.why}`);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'HOST_MISSING') throw error;
    parts.log.warn(`${SAYS} git is not installed`);
  }
  return undefined;
}

const SAYS = "the image's time is a fixed one, not that of the commit, since";

function isInRepository(directory: string): boolean {
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(`${at}/.git`)) return true;
    if (at === dirname(at)) return false;
  }
}
