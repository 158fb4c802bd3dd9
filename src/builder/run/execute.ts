// One RUN: a container that dies with the build, whose output goes up line by line.

import { EngineError } from '../../core/errors.ts';
import type { ChildResult } from '../../native/launch.ts';
import { startContainer } from '../../native/launch.ts';
import type { HelperPlan } from '../../native/plan.ts';

export interface Execution {
  plan: HelperPlan;
  /** Directories that the plan names by inheritedPath(). */
  dirs: readonly number[];
  /** Called when the child has been started: what is held open for it can be closed. */
  onStarted: () => void;
  /** Where its output goes, or a descriptor of the terminal that is its stdio. */
  stdio: ((stream: 1 | 2, text: Uint8Array) => void) | number;
  signal: AbortSignal;
}

/** How long a cancelled step may take to end by itself. */
const GRACE_MS = 2000;

/** @throws CANCELLED; the command's own failure is the result's status */
export async function execute({ plan, dirs, onStarted, stdio, signal }: Execution): Promise<ChildResult> {
  const isTerminal = typeof stdio === 'number';
  const child = startContainer(plan, isTerminal ? [stdio, stdio, stdio] : ['ignore', 'pipe', 'pipe'], dirs);
  onStarted();
  if (!isTerminal) {
    child.stdout?.on('data', (text: Buffer) => stdio(1, text));
    child.stderr?.on('data', (text: Buffer) => stdio(2, text));
  }
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    // A shell at a terminal ignores SIGTERM.
    child.kill(isTerminal ? 'SIGHUP' : 'SIGTERM');
    timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    const result = await child.result;
    if (signal.aborted) throw new EngineError('CANCELLED', 'building: cancelled');
    return result;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
