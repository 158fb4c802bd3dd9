// Sources of ADD that are elsewhere: each is fetched once a build, into a folder of its own, and copied from there. What a
// checksum or the whole id of a commit names needs no look at the net to be found in the cache.

import { EngineError } from '../../core/errors.ts';
import { withoutCredentials } from '../context/credentials.ts';
import { DirectoryTree } from '../context/directory-tree.ts';
import { fetchFile, parseChecksum } from '../context/fetch-file.ts';
import { fetchGit } from '../context/fetch-git.ts';
import { hashWith } from '../context/hash.ts';
import { findInside } from '../context/inside.ts';
import { isCommit, type RemoteSource } from '../context/remote-source.ts';
import { selectFiles } from '../context/select.ts';
import { toByteString } from '../context/text.ts';
import type { CopyRequest, Selection } from '../context/types.ts';
import { redactUrl } from '../../registry/redact.ts';
import type { CopySource } from '../copy/requests.ts';
import type { BuildParts } from '../parts.ts';
import type { KeyPart } from '../step-key.ts';
import type { WorkDir } from '../work.ts';

/** Flags of ADD. */
export interface RemoteWants {
  checksum: string | undefined;
  keepGitDir: boolean;
}

/** Its name in a folder of ours: what the URL calls it is for the image. */
const FILE = 'file';

interface Fetched {
  directory: string;
  /** Of git. */
  commit: string;
}

export class RemoteFiles {
  readonly #parts: BuildParts;
  readonly #work: WorkDir;
  readonly #fetched = new Map<string, Promise<Fetched>>();

  constructor(parts: BuildParts, work: WorkDir) {
    this.#parts = parts;
    this.#work = work;
  }

  /** selection: where it had to be looked at. @throws as fetchFile, fetchGit, selectFiles */
  async partOf(
    source: RemoteSource,
    wants: RemoteWants,
    request: CopyRequest,
  ): Promise<{ part: KeyPart; selection?: Selection }> {
    if (source.kind === 'git') {
      const name = `commit of ${withoutCredentials(source.remote)}`;
      const { ref, directory } = source;
      const commit =
        ref !== undefined && isCommit(ref) && wants.checksum === undefined
          ? ref
          : (await this.#fetch(source, wants)).commit;
      return { part: { name, value: JSON.stringify([commit, directory, wants.keepGitDir]) } };
    }
    if (wants.checksum !== undefined) {
      parseChecksum(wants.checksum);
      return { part: { name: '--checksum', value: wants.checksum } };
    }
    const { selection } = await this.select(source, wants, request);
    const name = `files of ${redactUrl(source.url)}`;
    return { part: { name, value: selection.digest }, selection };
  }

  /** What is copied: a file under its name in the URL, or what a directory of the repository holds. */
  async select(
    source: RemoteSource,
    wants: RemoteWants,
    request: CopyRequest,
  ): Promise<{ selection: Selection; source: CopySource }> {
    const { directory } = await this.#fetch(source, wants);
    const path = source.kind === 'git' ? directoryOf(source.remote, directory, source.directory) : directory;
    const tree = new DirectoryTree(path);
    try {
      const sources = [source.kind === 'git' ? '/' : FILE];
      const hash = hashWith(undefined, { signal: this.#parts.signal });
      const selection = await selectFiles(tree, { ...request, sources }, hash);
      if (source.kind === 'file') for (const one of selection.sources) one.name = toByteString(source.name);
      return { selection, source: { kind: 'context', path } };
    } finally {
      tree.close();
    }
  }

  #fetch(source: RemoteSource, wants: RemoteWants): Promise<Fetched> {
    const place = source.kind === 'git' ? [source.remote, source.ref, wants.keepGitDir] : [source.url.href];
    const key = JSON.stringify([...place, wants.checksum]);
    let fetched = this.#fetched.get(key);
    if (fetched === undefined) {
      fetched = this.#fetchNow(source, wants);
      fetched.catch(() => {});
      this.#fetched.set(key, fetched);
    }
    return fetched;
  }

  async #fetchNow(source: RemoteSource, { checksum, keepGitDir }: RemoteWants): Promise<Fetched> {
    const { env, log, signal } = this.#parts;
    const config = this.#parts.config();
    const directory = this.#work.folder('remote');
    if (source.kind === 'file') {
      await fetchFile({ config, env, log, signal }, { url: source.url, name: FILE, checksum }, directory);
      return { directory, commit: '' };
    }
    const parts = { env, signal, offline: config.offline };
    const { commit } = await fetchGit(parts, source, { directory, keepGitDir });
    if (checksum !== undefined) checkCommit(source.remote, checksum, commit);
    return { directory, commit };
  }
}

/** --checksum of a repository: the id of the commit, or how it begins. */
function checkCommit(remote: string, checksum: string, commit: string): void {
  const doing = `fetching ${JSON.stringify(withoutCredentials(remote))}`;
  if (!/^[0-9a-f]{7,64}$/.test(checksum))
    throw new EngineError('USAGE', `${doing}: --checksum=${checksum}: expected the id of a commit`, {
      exitCode: 1,
    });
  if (commit.startsWith(checksum)) return;
  throw new EngineError('DIGEST_MISMATCH', `${doing}: expected commit ${checksum}, got ${commit}`, {
    exitCode: 1,
    hint: 'the branch or tag has moved there, or --checksum is that of another commit',
  });
}

function directoryOf(remote: string, root: string, directory: string): string {
  const found = findInside(root, directory);
  if (found?.type === 'dir') return found.path;
  const name = JSON.stringify(withoutCredentials(remote));
  throw new EngineError('PATH_NOT_FOUND', `${name} has no directory ${JSON.stringify(directory)}`, {
    exitCode: 1,
  });
}
