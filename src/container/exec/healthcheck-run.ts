// `healthcheck run`: the container's health check once, here and now. The schedule of its keeper goes on regardless, and its
// record is the keeper's alone.

import { EngineError, retold } from '../../core/errors.ts';
import { startExec } from '../../native/launch.ts';
import { execPlan, type ExecParts } from './exec.ts';
import { findContainer } from '../records.ts';

export interface HealthcheckResult {
  healthy: boolean;
  /** What the command has written, or why it could not be executed. */
  output: Buffer;
}

/** As podman does, nobody is to take an error for an unhealthy container, which is 1. */
const NO_ANSWER = 125;
const MAX_BYTES = 1024 * 1024;

const NO_OPTIONS = {
  detach: undefined,
  'detach-keys': undefined,
  env: [],
  'env-file': [],
  interactive: undefined,
  privileged: undefined,
  tty: undefined,
  user: undefined,
  workdir: undefined,
};

/** @throws CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS, CONTAINER_STATE, all with exit status 125; CANCELLED */
export async function runHealthcheck(
  parts: ExecParts & { signal: AbortSignal },
  reference: string,
): Promise<HealthcheckResult> {
  const { health, plan } = await withoutStatusOne(async () => {
    const spec = findContainer(parts.paths, reference);
    if (spec.health === undefined) throw withoutCheck(reference);
    return {
      health: spec.health,
      plan: await execPlan(parts, spec, reference, spec.health.args, NO_OPTIONS),
    };
  });
  const begun = performance.now();
  // The helper copies what it writes, so that nobody waits for what the command has left in the background.
  const stdio = { kind: 'pipe', stdin: false } as const;
  const child = startExec({ ...plan, stdio, timeoutMs: health.timeoutMs });
  const cancel = (): void => child.kill('SIGTERM');
  parts.signal.addEventListener('abort', cancel);
  const said: Buffer[] = [];
  let bytes = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      if (bytes < MAX_BYTES) said.push(chunk);
      bytes += chunk.length;
    });
  }
  const { status } = await child.result;
  parts.signal.removeEventListener('abort', cancel);
  if (parts.signal.aborted)
    throw new EngineError('CANCELLED', 'checking the health of a container: cancelled');
  if (status === KILLED && performance.now() - begun >= health.timeoutMs)
    said.unshift(Buffer.from(`Health check exceeded timeout (${health.timeoutText})\n`));
  return { healthy: status === 0, output: Buffer.concat(said) };
}

const KILLED = 137;

async function withoutStatusOne<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw retold(error, { exitCode: NO_ANSWER });
  }
}

function withoutCheck(reference: string): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `checking the health of container ${JSON.stringify(reference)}: it has no health check`,
    { hint: 'a container gets one with --health-cmd, or from its image' },
  );
}
