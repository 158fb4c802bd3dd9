// --build-context: what a name means, and where its files are.

import { statSync } from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError } from '../core/errors.ts';
import type { Layout } from '../image/load-oci.ts';
import { withoutCredentials } from './context/credentials.ts';
import { parseContextUrl, type RemoteSource } from './context/remote-source.ts';
import type { ContextDir } from './files/steps.ts';
import { namedContext, type Arrived } from './input.ts';

export type NamedContext =
  | { kind: 'directory'; dir: ContextDir }
  /** layout: not of the store or a registry, and `reference` is for people. */
  | { kind: 'image'; reference: string; layout?: Layout }
  | { kind: 'remote'; source: RemoteSource };

const FORMS =
  'a directory, a git repository, the http(s) URL of a tar, docker-image://IMAGE, or oci-layout://DIR[:TAG|@DIGEST]';

/** `NAME=WHAT`. @throws USAGE */
export function parseNamedContext(text: string, cwd: string): [string, NamedContext] {
  const at = text.indexOf('=');
  const value = text.slice(at + 1);
  if (at <= 0 || value === '') throw usage(text, `expected NAME= and ${FORMS}`);
  const name = text.slice(0, at).toLowerCase();
  const image = /^(?:docker-image|container-image|docker):\/\/(.+)$/.exec(value)?.[1];
  if (image !== undefined) return [name, { kind: 'image', reference: image }];
  const layout = /^oci-layout:\/\/(.+)$/.exec(value)?.[1];
  if (layout !== undefined)
    return [name, { kind: 'image', reference: value, layout: parseLayout(layout, cwd, text) }];
  if (value.startsWith('target:'))
    throw usage(text, 'targets are of bake files; a stage of this Dockerfile has its name without that');
  const dir = namedContext(value, cwd);
  if (statSync(encodeBytes(dir.path), { throwIfNoEntry: false })?.isDirectory() === true)
    return [name, { kind: 'directory', dir }];
  const source = parseContextUrl(value);
  if (source !== undefined) return [name, { kind: 'remote', source }];
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(value)) throw usage(text, `expected ${FORMS}`);
  throw usage(text, `no such directory; an image is written docker-image://${value}`);
}

/** `DIR`, `DIR:TAG` or `DIR@sha256:…` */
function parseLayout(text: string, cwd: string, flag: string): Layout {
  const [, dir = '', tag, digest] = /^(.+?)(?::([\w.-]+)|@(sha256:[0-9a-f]{64}))?$/.exec(text) ?? [];
  const { path } = namedContext(dir, cwd);
  if (statSync(encodeBytes(path), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw usage(flag, `no such directory: ${path}`);
  return { path, tag, digest };
}

export class NamedContexts {
  readonly #contexts: ReadonlyMap<string, NamedContext>;
  readonly #fetch: (source: RemoteSource) => Promise<Arrived>;
  readonly #arrived = new Map<string, Promise<ContextDir>>();
  readonly #dirs = new Map<string, ContextDir>();

  constructor(
    contexts: ReadonlyMap<string, NamedContext>,
    fetch: (source: RemoteSource) => Promise<Arrived>,
  ) {
    this.#contexts = contexts;
    this.#fetch = fetch;
  }

  /** What is elsewhere is fetched when it is asked for first. @throws what fetching throws */
  async resolve(name: string): Promise<Exclude<NamedContext, { kind: 'remote' }> | undefined> {
    const named = this.#contexts.get(name);
    if (named?.kind === 'directory') this.#dirs.set(name, named.dir);
    if (named?.kind !== 'remote') return named;
    const { source } = named;
    const arriving =
      this.#arrived.get(name) ?? this.#fetch(source).then((arrived) => arrivedDir(arrived, name, source));
    this.#arrived.set(name, arriving);
    const dir = await arriving;
    this.#dirs.set(name, dir);
    return { kind: 'directory', dir };
  }

  /** Of one that has been resolved. */
  dirOf(name: string): ContextDir | undefined {
    return this.#dirs.get(name);
  }
}

/** Its files as they arrived: of a named context no ignore file counts but a local directory's, as in BuildKit. */
function arrivedDir(arrived: Arrived, name: string, source: RemoteSource): ContextDir {
  if (arrived.kind === 'directory')
    return { path: arrived.path, dockerfile: undefined, ignoreFile: '/dev/null', isForeign: true };
  const url = source.kind === 'git' ? source.remote : source.url.href;
  throw new EngineError(
    'USAGE',
    `build context ${JSON.stringify(name)}: ${JSON.stringify(withoutCredentials(url))} is no archive`,
    { exitCode: 1, hint: 'a single file is fetched by ADD URL in the Dockerfile' },
  );
}

function usage(text: string, cause: string): EngineError {
  return new EngineError('USAGE', `--build-context ${JSON.stringify(text)}: ${cause}`);
}
