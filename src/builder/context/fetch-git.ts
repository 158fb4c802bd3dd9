// Git sources of ADD and contexts: the real git fetches one commit into a directory. Nothing of the repository is executed:
// no hooks, no filters of its choice, and only protocols that reach another machine.

import { lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { runInUserNamespace } from '../../native/launch.ts';
import { withoutCredentials } from './credentials.ts';
import { isCommit, type GitSource } from './remote-source.ts';

export interface GitParts {
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  /** SKIFF_OFFLINE */
  offline: boolean;
}

const MAX_SAID = 2000;
/** In a hook, or after `git -c`, these point to the caller's own repository. */
const OF_A_REPOSITORY =
  /^GIT_(?:ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|DIR|GRAFT_FILE|INDEX_FILE|NAMESPACE|OBJECT_DIRECTORY|PREFIX|QUARANTINE_PATH|SHALLOW_FILE|WORK_TREE)$/;
const SAFE = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.symlinks=true',
  // It would tell who builds, and when.
  '-c',
  'core.logAllRefUpdates=false',
  '-c',
  'protocol.file.allow=never',
];

/**
 * The files of the commit in `directory`, which is empty. Returns its id, and when it was made.
 * @throws OFFLINE, HOST_MISSING without git, NETWORK_FAILED with what git says, CANCELLED
 */
export async function fetchGit(
  parts: GitParts,
  source: GitSource,
  { directory, keepGitDir }: { directory: string; keepGitDir: boolean },
): Promise<{ commit: string; timeSec: number }> {
  const doing = `fetching ${JSON.stringify(withoutCredentials(source.remote))}`;
  if (parts.offline)
    throw new EngineError('OFFLINE', `${doing}: skiff is told to stay offline`, {
      hint: 'unset SKIFF_OFFLINE (or offline in skiff.conf)',
    });
  const ref = source.ref ?? 'HEAD';
  if (ref.startsWith('-') || source.remote.startsWith('-'))
    throw new EngineError('USAGE', `${doing}: ${JSON.stringify(ref)} is no name of a branch, tag or commit`, {
      exitCode: 1,
    });
  const git = (...args: string[]): Promise<string> => runGit(parts, directory, args, doing);
  await git('init', '--quiet', '--template=');
  await fetchCommit(git, source.remote, ref);
  await git('checkout', '--quiet', '--detach', 'FETCH_HEAD');
  if (statSync(`${directory}/.gitmodules`, { throwIfNoEntry: false }) !== undefined)
    await git('submodule', 'update', '--quiet', '--init', '--recursive', '--depth=1');
  const head = parseCommitLine(await git('rev-list', '--max-count=1', '--timestamp', 'HEAD'));
  if (keepGitDir) rmSync(`${directory}/.git/FETCH_HEAD`, { force: true });
  else removeGitDirs(directory);
  return head;
}

/** A commit that the server does not give by its id comes with everything else. */
async function fetchCommit(
  git: (...args: string[]) => Promise<string>,
  remote: string,
  ref: string,
): Promise<void> {
  try {
    await git('fetch', '--quiet', '--depth=1', '--no-tags', '--', remote, ref);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'NETWORK_FAILED') throw error;
    if (!isCommit(ref)) {
      // Servers of plain files know no depth.
      await git('fetch', '--quiet', '--no-tags', '--', remote, ref);
      return;
    }
    await git(
      'fetch',
      '--quiet',
      '--',
      remote,
      '+refs/heads/*:refs/remotes/origin/*',
      '+refs/tags/*:refs/tags/*',
    );
    await git('update-ref', 'FETCH_HEAD', ref);
  }
}

async function runGit(
  parts: GitParts,
  directory: string,
  args: readonly string[],
  doing: string,
): Promise<string> {
  const { status, out, why } = await askGit(parts, directory, args, {
    GIT_ALLOW_PROTOCOL: 'https:http:git:ssh',
    GIT_DIR: `${directory}/.git`,
    GIT_WORK_TREE: directory,
  }).catch((error: unknown) => {
    if (!(error instanceof EngineError)) throw error;
    const { code, message, hint, cause } = error;
    throw new EngineError(code, `${doing}: ${message}`, { hint, cause });
  });
  if (status === 0) return out;
  throw new EngineError('NETWORK_FAILED', `${doing}: ${why}`, { exitCode: 1 });
}

/** One git in `directory`. why: the last it said. @throws HOST_MISSING without git, CANCELLED */
export async function askGit(
  { env, signal }: Pick<GitParts, 'env' | 'signal'>,
  directory: string,
  args: readonly string[],
  own: Readonly<Record<string, string>>,
): Promise<{ status: number; out: string; why: string }> {
  // Modes are those of the repository, not of who builds.
  const umask = process.umask(0o022);
  const child = runInUserNamespace({
    idMap: undefined,
    argv: ['git', '-C', directory, ...SAFE, ...args],
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...Object.fromEntries(Object.entries(env).filter(([name]) => !OF_A_REPOSITORY.test(name))),
      GIT_TERMINAL_PROMPT: '0',
      ...own,
      LC_ALL: 'C',
    },
  });
  process.umask(umask);
  const stop = (): void => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  let [out, said] = ['', ''];
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (said = `${said}${text.toString()}`.slice(-MAX_SAID)));
  try {
    if (signal.aborted) stop();
    const { status } = await child.result;
    if (signal.aborted) throw new EngineError('CANCELLED', 'cancelled');
    const why = withoutCredentials(said.trim().split('\n').at(-1) ?? '') || `git ended with status ${status}`;
    return { status, out, why };
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined || cause instanceof EngineError) throw cause;
    throw new EngineError('HOST_MISSING', `git cannot be run (${errno})`, { hint: 'install git', cause });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** `git rev-list --timestamp`: seconds since the epoch, and the commit. (pure) */
export function parseCommitLine(line: string): { commit: string; timeSec: number } {
  const [time = '', commit = ''] = line.trim().split(' ');
  return { commit, timeSec: Number(time) };
}

/** Of submodules too, where it is a file. */
function removeGitDirs(directory: string): void {
  rmSync(`${directory}/.git`, { recursive: true, force: true });
  const walk = (path: Buffer): void => {
    // Not with their types: bun gives no names then when they are to be bytes.
    for (const name of readdirSync(path, { encoding: 'buffer' })) {
      const inside = Buffer.concat([path, Buffer.from('/'), name]);
      if (name.toString('latin1') === '.git') rmSync(inside, { recursive: true, force: true });
      else if (lstatSync(inside).isDirectory()) walk(inside);
    }
  };
  walk(Buffer.from(directory));
}
