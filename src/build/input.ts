// What is built from: the Dockerfile, and the directory it stands in. Read before anything else happens.

import { readFileSync, statSync } from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Dockerfile } from './dockerfile/ast.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import type { ContextDir } from './files/steps.ts';

export interface BuildInput {
  dockerfile: Dockerfile;
  /** Undefined: a Dockerfile from stdin and nothing else. */
  context: ContextDir | undefined;
}

export interface InputRequest {
  /** PATH, or `-`. */
  context: string;
  /** --file: relative to the working directory, else to the context; `-` is stdin. */
  file: string | undefined;
  /** --ignorefile */
  ignoreFile: string | undefined;
  cwd: string;
  /** All of stdin. */
  readStdin: () => Promise<Uint8Array>;
}

const DEFAULT_NAMES = ['Dockerfile', 'Containerfile', 'dockerfile'];

/** @throws USAGE, DockerfileError (exit status 1) */
export async function readInput(request: InputRequest): Promise<BuildInput> {
  const { context, file, cwd } = request;
  const ignoreFile = request.ignoreFile === undefined ? undefined : absolute(request.ignoreFile, cwd);
  if (context === '-') {
    if (file === '-')
      throw failure("invalid argument: can't use stdin for both build context and Dockerfile");
    return { dockerfile: parseDockerfile(await request.readStdin(), 'Dockerfile'), context: undefined };
  }
  const dir = absolute(context, cwd);
  if (statSync(encodeBytes(dir), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw failure(`unable to prepare context: path ${JSON.stringify(context)} not found`);
  if (file === '-') {
    const dockerfile = parseDockerfile(await request.readStdin(), 'Dockerfile');
    return { dockerfile, context: { path: dir, dockerfile: undefined, ignoreFile } };
  }
  const { path, name, bytes } = readDockerfile(dir, file, cwd);
  const dockerfile = parseDockerfile(bytes, name);
  return { dockerfile, context: { path: dir, dockerfile: path, ignoreFile } };
}

/** A directory with its own .dockerignore: of --build-context. */
export function namedContext(path: string, cwd: string): ContextDir {
  return { path: absolute(path, cwd), dockerfile: undefined, ignoreFile: undefined };
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
  throw failure(
    `failed to read dockerfile: open ${file ?? 'Dockerfile'}: no such file or directory`,
    file === undefined ? 'name another one with -f FILE' : undefined,
  );
}

function absolute(path: string, base: string): string {
  const joined = path.startsWith('/') ? path : `${base}/${path}`;
  return joined.length > 1 ? joined.replace(/(?:\/\.?)+$/, '') || '/' : joined;
}

function failure(message: string, hint?: string): EngineError {
  return new EngineError('USAGE', message, { exitCode: 1, hint });
}
