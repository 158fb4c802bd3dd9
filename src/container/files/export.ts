// `export`: the whole file system of a container as one tar, mounts left out. Whether it runs makes no difference: its
// layers are mounted once more, read-only, for the child that packs them.

import type { Log } from '../../core/log.ts';
import { EngineError } from '../../core/errors.ts';
import type { Paths } from '../../core/paths.ts';
import type { Packed } from '../../image/layer/pack.ts';
import { startInside } from '../../native/inside.ts';
import { containerDir } from '../../store/layout.ts';
import { logContainerEvent } from '../events.ts';
import { findContainer } from '../records.ts';
import { holdContainer, lockFiles } from './hold.ts';
import { byteString, rootFsOf } from './layers.ts';
import type { ExportRequest } from './requests.ts';

export interface ExportParts {
  paths: Paths;
  log: Log;
  signal: AbortSignal;
}

const READ_ONLY = { op: 'remount-root-readonly' } as const;

/** outputFd: gets the tar. @throws CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS, CONTAINER_STATE, IO, CANCELLED */
export async function exportContainer(
  parts: ExportParts,
  reference: string,
  outputFd: number,
): Promise<void> {
  const { paths, log, signal } = parts;
  const spec = findContainer(paths, reference);
  const doing = `exporting container ${JSON.stringify(spec.name)}`;
  const held = holdContainer(paths, spec, doing);
  try {
    const unlock = held.pid === undefined ? await lockFiles(paths, spec, 'shared', signal) : undefined;
    try {
      const dir = containerDir(paths, spec.id);
      const volumes = spec.host.mounts
        .filter(({ type }) => type === 'volume')
        .map(({ target }) => byteString(target));
      const request: ExportRequest = { kind: 'export', root: { path: `${dir}/root` }, volumes };
      const root = {
        rootfs: rootFsOf(paths, spec, { writable: false }),
        containerDir: dir,
        setup: [READ_ONLY],
      };
      const child = startInside({
        doing,
        command: '__files',
        request,
        idMap: spec.idMap,
        root,
        stdout: outputFd,
      });
      const cancel = (): void => child.kill();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        for (const note of ((await child.reply) as Packed).notes) log.warn(note);
        logContainerEvent(paths, spec, 'export');
      } catch (error) {
        throw signal.aborted ? new EngineError('CANCELLED', `${doing}: cancelled`) : error;
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    } finally {
      unlock?.();
    }
  } finally {
    held.release();
  }
}
