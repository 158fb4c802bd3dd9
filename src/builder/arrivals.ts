// Contexts that come as a stream or from the net, into folders of a build's own, which go with it.

import { EngineError } from '../core/errors.ts';
import { detectAny, readStart } from '../image/layer/decompress.ts';
import { BLOCK, isTarHeader } from '../image/layer/header.ts';
import { fetchUrl } from '../registry/fetch-url.ts';
import { redactUrl } from '../registry/redact.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import { withoutCredentials } from './context/credentials.ts';
import { fetchGit } from './context/fetch-git.ts';
import { findInside } from './context/inside.ts';
import type { GitSource, RemoteSource } from './context/remote-source.ts';
import { unpackContext } from './copy/files.ts';
import type { Arrivals, Arrived } from './input.ts';
import type { OnBuildEvent } from './events.ts';
import type { BuildParts } from './parts.ts';
import { WorkDir } from './work.ts';

export interface ArrivalOptions {
  /** BUILDKIT_CONTEXT_KEEP_GIT_DIR */
  keepGitDir: boolean;
  onEvent: OnBuildEvent;
}

/** Of the context in events: before everything else of a build. */
const VERTEX = 0;

export class ArrivedContexts implements Arrivals {
  readonly #parts: BuildParts;
  readonly #options: ArrivalOptions;
  readonly #named = new Map<string, Promise<Arrived>>();
  #work: WorkDir | undefined;

  constructor(parts: BuildParts, options: ArrivalOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async unpacked(input: AsyncIterable<Uint8Array>): Promise<Arrived> {
    const { start, rest } = await readStart(input, BLOCK);
    const bytes = joined(start, rest);
    if (!isArchive(start)) return { kind: 'file', bytes };
    const path = await this.#folder();
    const { notes } = await unpackContext(this.#parts.signal, bytes, path);
    for (const note of notes) this.#parts.log.warn(`reading the build context: ${note}`);
    return { kind: 'directory', path };
  }

  /** Of --build-context: once, however many builds ask. */
  named(source: RemoteSource, vertex: number): Promise<Arrived> {
    const key = JSON.stringify(source);
    const arrived = this.#named.get(key) ?? this.fetched(source, vertex);
    this.#named.set(key, arrived);
    return arrived;
  }

  async fetched(source: RemoteSource, vertex = VERTEX): Promise<Arrived> {
    const { onEvent } = this.#options;
    const at = (): { vertex: number; atMs: number } => ({ vertex, atMs: Date.now() });
    const url = withoutCredentials(source.kind === 'git' ? source.remote : source.url.href);
    onEvent({
      ...{ type: 'start', work: 'context', stage: undefined, ...at() },
      name: `[internal] load build context ${url}`,
    });
    try {
      const arrived = await (source.kind === 'git' ? this.#clone(source) : this.#download(source.url));
      onEvent({ type: 'done', ...at() });
      return arrived;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      onEvent({ type: 'error', message, canceled: this.#parts.signal.aborted, ...at() });
      throw error;
    }
  }

  async #download(url: URL): Promise<Arrived> {
    const { env, log, signal } = this.#parts;
    const doing = `fetching ${JSON.stringify(redactUrl(url))}`;
    if (url.username !== '')
      throw new EngineError('USAGE', `${doing}: a name and password in a URL are not supported`, {
        exitCode: 1,
      });
    return await this.unpacked(fetchUrl({ config: this.#parts.config(), env, log, signal }, url, doing));
  }

  async remove(): Promise<void> {
    await this.#work?.remove(this.#idMap());
  }

  async #clone(source: GitSource): Promise<Arrived> {
    const { env, signal } = this.#parts;
    const directory = await this.#folder();
    const parts = { env, signal, offline: this.#parts.config().offline };
    const { timeSec } = await fetchGit(parts, source, { directory, keepGitDir: this.#options.keepGitDir });
    const found = findInside(directory, source.directory);
    if (found?.type === 'dir') return { kind: 'directory', path: found.path, timeSec };
    throw new EngineError(
      'USAGE',
      `unable to prepare context: ${JSON.stringify(withoutCredentials(source.remote))} has no directory ${JSON.stringify(source.directory)}`,
      { exitCode: 1 },
    );
  }

  async #folder(): Promise<string> {
    this.#work ??= await WorkDir.open(this.#parts.paths, this.#idMap());
    return this.#work.folder('context');
  }

  #idMap() {
    return chooseIdMap(readIdMapInput(this.#parts, undefined)).idMap;
  }
}

/** Not by name: what is compressed is taken for an archive, as docker takes it. */
function isArchive(start: Buffer): boolean {
  return detectAny(start) !== 'none' || (start.length >= BLOCK && isTarHeader(start.subarray(0, BLOCK)));
}

async function* joined(start: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
