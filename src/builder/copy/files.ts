// Copying for COPY and ADD, and what has to be looked at with the rights of a container's root: starts the children that do
// it (serve.ts).

import { once } from 'node:events';
import { EngineError } from '../../core/errors.ts';
import type { MountedRoot } from '../../native/encode-plan.ts';
import { startInside, type Inside } from '../../native/inside.ts';
import type { IdMap } from '../../native/plan.ts';
import type { ReadAsRoot, ReadFile } from '../context/hash.ts';
import type { CopyRequest, Selection } from '../context/types.ts';
import type {
  ApplyInput,
  ApplyRequest,
  Copied,
  CopyChildRequest,
  HashRequest,
  SelectRequest,
  UnpackRequest,
} from './requests.ts';

export interface CopyParts {
  idMap: IdMap | undefined;
  signal: AbortSignal;
  /** Descriptors that the child inherits, which paths of `root` and of `CopySource.trees` may name. */
  dirs?: readonly number[];
}

/**
 * Copies into `root`, which is mounted for this alone.
 * @param doing first words of errors, like all of them below
 * @throws PATH_INVALID (exit status 1), LAYER_*, NO_SPACE, IO, CANCELLED
 */
export async function copyInto(
  parts: CopyParts,
  root: MountedRoot,
  request: Omit<ApplyRequest, 'kind' | 'root'>,
  input: ApplyInput,
  doing: string,
): Promise<Copied> {
  const asked: ApplyRequest = { ...request, kind: 'apply', root: `${root.containerDir}/root` };
  return (await runChild(parts, asked, { doing, root, input })) as Copied;
}

/** What selectFiles says of layers, whose files belong to ids of their own. @throws as that */
export async function selectFromLayers(
  parts: CopyParts,
  trees: readonly string[],
  request: CopyRequest,
  doing: string,
): Promise<Selection> {
  const asked: SelectRequest = { kind: 'select', source: { kind: 'layers', trees }, request };
  return (await runChild(parts, asked, { doing })) as Selection;
}

/** Files of a context that are closed to their own owner: root of the user namespace may read them. */
export function readAsRoot(parts: CopyParts, path: string): ReadAsRoot {
  return async (files) => {
    const asked: HashRequest = { kind: 'hash', path };
    return (await runChild(parts, asked, { doing: 'reading the build context', input: files })) as ReadFile[];
  };
}

/**
 * A context that comes as a tar, compressed or not, from stdin or the net: into a directory that is empty.
 * @throws LAYER_INVALID, LAYER_PATH_ESCAPE (exit status 1), NO_SPACE, IO, CANCELLED
 */
export async function unpackContext(
  signal: AbortSignal,
  input: AsyncIterable<Uint8Array>,
  directory: string,
): Promise<Copied> {
  const asked: UnpackRequest = { kind: 'unpack', directory };
  const parts = { idMap: undefined, signal };
  return (await runChild(parts, asked, { doing: 'reading the build context', stream: input })) as Copied;
}

async function runChild(
  { idMap, signal, dirs }: CopyParts,
  request: CopyChildRequest,
  {
    doing,
    root,
    input,
    stream,
  }: { doing: string; root?: MountedRoot; input?: unknown; stream?: AsyncIterable<Uint8Array> },
): Promise<unknown> {
  const child = startInside({
    doing,
    command: '__copy',
    request,
    idMap,
    root,
    dirs,
    stdin: input === undefined && stream === undefined ? 'ignore' : 'pipe',
    stdout: 'ignore',
  });
  const stop = (): void => child.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    if (stream === undefined) child.stdin?.end(JSON.stringify(input));
    else await feed(child, stream);
    return await child.reply;
  } catch (error) {
    if (signal.aborted) throw new EngineError('CANCELLED', `${doing}: cancelled`);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** No further than the child takes it. What the child says counts more than that it took no more. */
async function feed(child: Inside, stream: AsyncIterable<Uint8Array>): Promise<void> {
  const { stdin } = child;
  if (stdin === null) return;
  const ended = child.reply.catch(() => undefined).then(() => 'ended' as const);
  try {
    for await (const chunk of stream)
      if (!stdin.write(chunk) && (await Promise.race([once(stdin, 'drain'), ended])) === 'ended') return;
    stdin.end();
  } catch (error) {
    child.kill();
    throw error;
  }
}
