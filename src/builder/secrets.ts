// --secret and --ssh: what RUN --mount=type=secret and ssh get. Read when a step needs it; never part of a key, a layer, the
// history or a log.

import { readFileSync, statSync } from 'node:fs';
import { decodeBytes, encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf } from '../core/errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

export type SecretSource = { kind: 'file'; path: string } | { kind: 'env'; name: string };

/** Larger ones are no secrets (BuildKit's limit). */
const MAX_BYTES = 500 * 1024;

/** `id=token,src=FILE`, `id=token,env=VARIABLE`, `id=TOKEN` (the variable of that name, else the file). @throws USAGE */
export function parseSecret(text: string, env: Env): [id: string, source: SecretSource] {
  const fields = fieldsOf('--secret', text, ['id', 'type', 'src', 'source', 'env']);
  const id = fields.get('id') ?? '';
  const type = fields.get('type');
  const file = fields.get('src') ?? fields.get('source');
  const name = fields.get('env') ?? (type === 'env' ? file : undefined);
  if (type !== undefined && type !== 'file' && type !== 'env')
    throw bad('--secret', text, `unsupported secret type ${JSON.stringify(type)}`);
  if (id === '') throw bad('--secret', text, 'it has no id');
  if (name !== undefined) return [id, { kind: 'env', name }];
  if (file !== undefined) return [id, { kind: 'file', path: file }];
  return [id, env[id] === undefined ? { kind: 'file', path: id } : { kind: 'env', name: id }];
}

/** Its bytes as text of core/bytes.ts. @throws USAGE */
export function readSecret(id: string, source: SecretSource, env: Env): string {
  if (source.kind === 'env') {
    const value = env[source.name];
    if (value !== undefined) return value;
    throw bad('--secret', `id=${id},env=${source.name}`, 'there is no such variable');
  }
  try {
    const path = encodeBytes(source.path);
    if (statSync(path).size > MAX_BYTES)
      throw bad('--secret', `id=${id},src=${source.path}`, 'it is larger than 500 KiB');
    return decodeBytes(readFileSync(path));
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const cause = errnoOf(error) === 'ENOENT' ? 'no such file' : (errnoOf(error) ?? 'cannot be read');
    throw bad('--secret', `id=${id},src=${source.path}`, cause);
  }
}

/** `default`, `default=SOCKET`, `id=SOCKET`: id and the path of an agent's socket. @throws USAGE */
export function parseSsh(text: string, env: Env): [id: string, socket: string] {
  const at = text.indexOf('=');
  const id = at < 0 ? text : text.slice(0, at);
  const socket = at < 0 ? env['SSH_AUTH_SOCK'] : text.slice(at + 1);
  if (id === '') throw bad('--ssh', text, 'expected default or ID=SOCKET');
  if (socket === undefined || socket === '')
    throw bad('--ssh', text, 'SSH_AUTH_SOCK is not set: no agent to forward');
  if (statSync(encodeBytes(socket), { throwIfNoEntry: false })?.isSocket() === true) return [id, socket];
  throw bad(
    '--ssh',
    text,
    `${JSON.stringify(socket)} is no socket; keys in files are not forwarded: add them to an agent`,
  );
}

function fieldsOf(flag: string, text: string, known: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const key = part
      .slice(0, at < 0 ? undefined : at)
      .trim()
      .toLowerCase();
    if (at < 0) throw bad(flag, text, `invalid field ${JSON.stringify(part)} must be a key=value pair`);
    if (!known.includes(key))
      throw bad(flag, text, `unexpected key ${JSON.stringify(key)}; known: ${known.join(' ')}`);
    fields.set(key, part.slice(at + 1));
  }
  return fields;
}

function bad(flag: string, text: string, cause: string): EngineError {
  return new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: ${cause}`, { exitCode: 1 });
}
