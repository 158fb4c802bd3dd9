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
import type { Digest } from '../../core/digest.ts';
import type { Validators } from '../../registry/fetch-url.ts';
import { redactUrl } from '../../registry/redact.ts';
import type { CopySource } from '../copy/requests.ts';
import type { BuildParts } from '../parts.ts';
import type { KeyPart } from '../step-key.ts';
import { forgetUrl, readUrl, requestKey, writeUrl, type UrlRecord } from './url-records.ts';
import type { WorkDir } from '../work.ts';

/** Flags of ADD. */
export interface RemoteWants {
  checksum: string | undefined;
  keepGitDir: boolean;
}

type UrlSource = Extract<RemoteSource, { kind: 'file' }>;

/** Its name in a folder of ours: what the URL calls it is for the image. */
const FILE = 'file';

interface Fetched {
  directory: string;
  /** Of git. */
  commit: string;
  /** Of a file. */
  validators: Validators;
}

export class RemoteFiles {
  readonly #parts: BuildParts;
  readonly #work: WorkDir;
  readonly #fetched = new Map<string, Promise<Fetched>>();
  /** Of URLs: whether a server was asked, and said that nothing has changed. */
  readonly #unchanged = new Map<string, Promise<boolean>>();
  /** Content digests that were taken on such a word. */
  readonly #believed = new Map<string, Digest>();

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
    const name = `files of ${redactUrl(source.url)}`;
    const { href } = source.url;
    const record = readUrl(this.#parts.paths, href);
    const known = record?.digests[requestKey(href, request)];
    if (record !== undefined && known !== undefined && (await this.#isUnchanged(source, wants, record))) {
      this.#believed.set(requestKey(href, request), known);
      return { part: { name, value: known } };
    }
    const { selection } = await this.select(source, wants, request);
    const { validators } = await this.#fetch(source, wants);
    this.#keep(href, validators, requestKey(href, request), selection.digest);
    return { part: { name, value: selection.digest }, selection };
  }

  /** Asks once. A file that has changed is here then. */
  #isUnchanged(source: UrlSource, wants: RemoteWants, { validators }: UrlRecord): Promise<boolean> {
    const { href } = source.url;
    let answer = this.#unchanged.get(href);
    if (answer === undefined) {
      answer = this.#fetchNow(source, wants, validators).then((fetched) => {
        if (fetched !== undefined) this.#fetched.set(fetchKey(source, wants), Promise.resolve(fetched));
        return fetched === undefined;
      });
      answer.catch(() => {});
      this.#unchanged.set(href, answer);
    }
    return answer;
  }

  #keep(href: string, validators: Validators, request: string, digest: Digest): void {
    if (validators.etag === undefined && validators.lastModified === undefined) return;
    const before = readUrl(this.#parts.paths, href);
    const isSame =
      before?.validators.etag === validators.etag &&
      before?.validators.lastModified === validators.lastModified;
    const digests = { ...(isSame ? before?.digests : {}), [request]: digest };
    writeUrl(this.#parts.paths, href, { validators, digests });
  }

  /** What is copied: a file under its name in the URL, or what a directory of the repository holds. */
  async select(
    source: RemoteSource,
    wants: RemoteWants,
    request: CopyRequest,
  ): Promise<{ selection: Selection; source: CopySource }> {
    const { directory } = await this.#fetch(source, wants);
    const key = source.kind === 'file' ? requestKey(source.url.href, request) : '';
    const path = source.kind === 'git' ? directoryOf(source.remote, directory, source.directory) : directory;
    const tree = new DirectoryTree(path);
    try {
      const sources = [source.kind === 'git' ? '/' : FILE];
      const hash = hashWith(undefined, { signal: this.#parts.signal });
      const selection = await selectFiles(tree, { ...request, sources }, hash);
      if (source.kind === 'file') this.#check(source, key, selection.digest);
      if (source.kind === 'file') for (const one of selection.sources) one.name = toByteString(source.name);
      return { selection, source: { kind: 'context', path } };
    } finally {
      tree.close();
    }
  }

  /** A step whose key says one thing is not to hold another. */
  #check({ url }: UrlSource, key: string, digest: Digest): void {
    const believed = this.#believed.get(key);
    if (believed === undefined || believed === digest) return;
    forgetUrl(this.#parts.paths, url.href);
    throw new EngineError(
      'DIGEST_MISMATCH',
      `fetching ${JSON.stringify(redactUrl(url))}: the server said that the file is unchanged, and gives another one`,
      { exitCode: 1, hint: 'build again: nothing is believed of it any more' },
    );
  }

  #fetch(source: RemoteSource, wants: RemoteWants): Promise<Fetched> {
    const key = fetchKey(source, wants);
    let fetched = this.#fetched.get(key);
    if (fetched === undefined) {
      fetched = this.#fetchNow(source, wants) as Promise<Fetched>;
      fetched.catch(() => {});
      this.#fetched.set(key, fetched);
    }
    return fetched;
  }

  /** Undefined: what is `known` is still the current version. */
  async #fetchNow(
    source: RemoteSource,
    { checksum, keepGitDir }: RemoteWants,
    known?: Validators,
  ): Promise<Fetched | undefined> {
    const { env, log, signal } = this.#parts;
    const config = this.#parts.config();
    const directory = this.#work.folder('remote');
    if (source.kind === 'file') {
      const wanted = { url: source.url, name: FILE, checksum, known };
      const validators = await fetchFile({ config, env, log, signal }, wanted, directory);
      return validators && { directory, commit: '', validators };
    }
    const parts = { env, signal, offline: config.offline };
    const { commit } = await fetchGit(parts, source, { directory, keepGitDir });
    if (checksum !== undefined) checkCommit(source.remote, checksum, commit);
    return { directory, commit, validators: {} };
  }
}

function fetchKey(source: RemoteSource, { checksum, keepGitDir }: RemoteWants): string {
  const place = source.kind === 'git' ? [source.remote, source.ref, keepGitDir] : [source.url.href];
  return JSON.stringify([...place, checksum]);
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
