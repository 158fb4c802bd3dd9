// `rm` of several containers: goes on after a failure, tells each, and answers with one exit status.

import { EngineError } from '../core/errors.ts';
import type { StoreRoot } from '../store/layout.ts';
import { findContainer } from './records.ts';
import { removeContainer, removeTorn, sweepDead, sweepTrash } from './remove.ts';
import { stopContainer } from './stop.ts';

export interface RmRequest {
  force: boolean;
  /** A missing container is no error; --force implies it, as in docker. */
  ignore: boolean;
  /** Anonymous volumes too. */
  volumes?: boolean;
  /** With force: seconds in which a running container may stop by itself, negative: as many as it takes. */
  stopTimeS?: number | undefined;
  cancel?: AbortSignal;
}

export interface RmReport {
  /** As the user typed it. */
  removed: (reference: string) => void;
  failed: (text: string) => void;
}

/** 0; 1 when one was missing; 2 when one was running; 125 for anything else. The first failure decides. */
export async function removeByReference(
  root: StoreRoot,
  references: readonly string[],
  request: RmRequest,
  report: RmReport,
): Promise<number> {
  let status = 0;
  for (const reference of references) {
    try {
      const spec = findContainer(root, reference);
      const { force, stopTimeS: timeoutS = 0, cancel } = request;
      if (force && timeoutS !== 0)
        await stopContainer(root, spec, { timeoutS, ...(cancel === undefined ? {} : { cancel }) });
      await removeContainer(root, spec, request);
      report.removed(reference);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.code === 'CONTAINER_NOT_FOUND') {
        if (await removeTorn(root, reference)) {
          report.removed(reference);
          continue;
        }
        if (request.force || request.ignore) continue;
      }
      report.failed(`Error: ${error.message}`);
      status ||= error.exitCode;
    }
  }
  await sweep(root, report);
  return status;
}

/** Other people's leftovers: what cannot be removed is told and changes no exit status. */
async function sweep(root: StoreRoot, report: RmReport): Promise<void> {
  try {
    await sweepDead(root);
    await sweepTrash(root);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    report.failed(`Warning: cleaning up: ${error.message}`);
  }
}
