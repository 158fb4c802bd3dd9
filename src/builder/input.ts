// What is built from: the Dockerfile, and the directory it stands in. Read before anything else happens. As docker, a
// context is a directory of that name, else a URL; what comes through stdin or from a URL is told by its content.

import { readFileSync, statSync } from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { withoutCredentials } from './context/credentials.ts';
import { findInside } from './context/inside.ts';
import { parseContextUrl, type RemoteSource } from './context/remote-source.ts';
import type { Dockerfile } from './dockerfile/ast.ts';
import { MAX_DOCKERFILE_BYTES, parseDockerfile } from './dockerfile/parse.ts';
import type { ContextDir } from './files/steps.ts';

export interface BuildInput {
  dockerfile: Dockerfile;
  /** Undefined: a Dockerfile and nothing else. */
  context: ContextDir | undefined;
  /** The next build of the same has the same. */
  name: string;
  /** Of the commit that was fetched: seconds since the epoch. */
  timeSec?: number | undefined;
}

export interface InputRequest {
  /** PATH, URL or `-`. */
  context: string;
  /** --file: relative to the working directory, else to the context; `-` is stdin. */
  file: string | undefined;
  /** --ignorefile */
  ignoreFile: string | undefined;
  cwd: string;
  stdin: () => AsyncIterable<Uint8Array>;
  arrivals: Arrivals;
}

/** Contexts that are no directory of this host yet. */
export interface Arrivals {
  /** A directory where an archive was unpacked, or the bytes of what is none. */
  unpacked(input: AsyncIterable<Uint8Array>): Promise<Arrived>;
  fetched(source: RemoteSource): Promise<Arrived>;
}

export type Arrived =
  { kind: 'directory'; path: string; timeSec?: number } | { kind: 'file'; bytes: AsyncIterable<Uint8Array> };

const DEFAULT_NAMES = ['Dockerfile', 'Containerfile', 'dockerfile'];

/** @throws USAGE, DockerfileError (exit status 1), and what unpacking and fetching throw */
export async function readInput(request: InputRequest): Promise<BuildInput> {
  const { context, file, cwd, stdin, arrivals } = request;
  const ignoreFile = request.ignoreFile === undefined ? undefined : absolute(request.ignoreFile, cwd);
  if (context === '-') {
    if (file === '-')
      throw failure("invalid argument: can't use stdin for both build context and Dockerfile");
    return await readArrived(await arrivals.unpacked(stdin()), { ...request, ignoreFile });
  }
  const dir = absolute(context, cwd);
  if (statSync(encodeBytes(dir), { throwIfNoEntry: false })?.isDirectory() !== true) {
    const source = parseContextUrl(context);
    if (source === undefined)
      throw failure(`unable to prepare context: path ${JSON.stringify(context)} not found`);
    return await readArrived(await arrivals.fetched(source), { ...request, ignoreFile });
  }
  if (file === '-') {
    const dockerfile = parseDockerfile(await bytesOf(stdin()), 'Dockerfile');
    return { dockerfile, context: { path: dir, dockerfile: undefined, ignoreFile }, name: dir };
  }
  const { path, name, bytes } = readDockerfile(dir, file, cwd);
  const dockerfile = parseDockerfile(bytes, name);
  return { dockerfile, context: { path: dir, dockerfile: path, ignoreFile }, name: dir };
}

/** A directory with its own .dockerignore: of --build-context. */
export function namedContext(path: string, cwd: string): ContextDir {
  return { path: absolute(path, cwd), dockerfile: undefined, ignoreFile: undefined };
}

/** Nothing in an arrived directory is read but within it, wherever its links point. */
async function readArrived(
  arrived: Arrived,
  { context, file, ignoreFile, stdin }: InputRequest,
): Promise<BuildInput> {
  const name = withoutCredentials(context);
  if (arrived.kind === 'file') {
    if (file !== undefined)
      throw failure(
        `--file ${JSON.stringify(file)}: the context is a Dockerfile by itself`,
        'give an archive as the context, or leave out -f',
      );
    return {
      dockerfile: parseDockerfile(await bytesOf(arrived.bytes), 'Dockerfile'),
      context: undefined,
      name,
    };
  }
  const { timeSec } = arrived;
  const place = { path: arrived.path, ignoreFile, isForeign: true };
  if (file === '-') {
    const dockerfile = parseDockerfile(await bytesOf(stdin()), 'Dockerfile');
    return { dockerfile, context: { ...place, dockerfile: undefined }, name, timeSec };
  }
  for (const candidate of file === undefined ? DEFAULT_NAMES : [file]) {
    const found = findInside(arrived.path, candidate);
    if (found?.type !== 'file') continue;
    const bytes = readFileSync(encodeBytes(found.path));
    const dockerfile = `${arrived.path}/${candidate}`;
    return {
      ...{ dockerfile: parseDockerfile(bytes, candidate), name, timeSec },
      context: { ...place, dockerfile },
    };
  }
  throw noDockerfile(file);
}

function readDockerfile(
  dir: string,
  file: string | undefined,
  cwd: string,
): { path: string; name: string; bytes: Uint8Array } {
  const candidates =
    file === undefined
      ? DEFAULT_NAMES.map((name) => ({ path: `${dir}/${name}`, name }))
      : [...new Set([absolute(file, cwd), absolute(file, dir)])].map((path) => ({ path, name: file }));
  for (const { path, name } of candidates) {
    try {
      return { path, name, bytes: readFileSync(encodeBytes(path)) };
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ENOTDIR') continue;
      throw failure(`failed to read dockerfile: ${JSON.stringify(name)}: ${errno ?? 'cannot be read'}`);
    }
  }
  throw noDockerfile(file);
}

/** No more than a Dockerfile may have, and a byte that says so. */
async function bytesOf(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of input) {
    parts.push(part);
    size += part.length;
    if (size > MAX_DOCKERFILE_BYTES) break;
  }
  return Buffer.concat(parts);
}

function absolute(path: string, base: string): string {
  const joined = path.startsWith('/') ? path : `${base}/${path}`;
  return joined.length > 1 ? joined.replace(/(?:\/\.?)+$/, '') || '/' : joined;
}

function noDockerfile(file: string | undefined): EngineError {
  return failure(
    `failed to read dockerfile: open ${file ?? 'Dockerfile'}: no such file or directory`,
    file === undefined ? 'name another one with -f FILE' : undefined,
  );
}

function failure(message: string, hint?: string): EngineError {
  return new EngineError('USAGE', message, { exitCode: 1, hint });
}
