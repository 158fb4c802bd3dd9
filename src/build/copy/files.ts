// Copying for COPY and ADD, and what has to be looked at with the rights of a container's root: starts the children that do
// it (serve.ts).

import { EngineError } from '../../core/errors.ts';
import type { MountedRoot } from '../../native/encode-plan.ts';
import { startInside } from '../../native/inside.ts';
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

async function runChild(
  { idMap, signal, dirs }: CopyParts,
  request: CopyChildRequest,
  { doing, root, input }: { doing: string; root?: MountedRoot; input?: unknown },
): Promise<unknown> {
  const child = startInside({
    doing,
    command: '__copy',
    request,
    idMap,
    root,
    dirs,
    stdin: input === undefined ? 'ignore' : 'pipe',
    stdout: 'ignore',
  });
  const stop = (): void => child.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    child.stdin?.end(JSON.stringify(input));
    return await child.reply;
  } catch (error) {
    if (signal.aborted) throw new EngineError('CANCELLED', `${doing}: cancelled`);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
