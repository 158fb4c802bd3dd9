// Containers that run while a test does something to them.

import { afterAll, beforeAll } from 'vitest';
import type { Engine, Running } from './engine.ts';

export interface Background {
  /** The skiff that keeps it. */
  running: Running;
  /** Kills and removes it. */
  end(): Promise<void>;
}

/** Starts a --rm container that does nothing but run, and returns when it does. */
export async function startBackground(
  engine: Engine,
  name: string,
  flags: readonly string[] = [],
  script = 'exec sleep 1000',
): Promise<Background> {
  const words = ['run', '--rm', '--name', name, '--network', 'none', ...flags];
  const running = engine.start([...words, 'busybox', 'sh', '-c', `echo up; ${script}`], {
    timeoutMs: 600_000,
  });
  await running.waitForStdout(/^up$/m);
  return {
    running,
    async end() {
      running.child.kill('SIGTERM');
      const { status, stderr } = await running.result;
      if (status !== 143 || /^Error/m.test(stderr))
        throw new Error(`${name} ended with ${status}: ${stderr}`);
    },
  };
}

/** One for all tests of the calling file, or of the describe it is called in. */
export function background(engine: Engine, name: string, flags: readonly string[] = []): void {
  let container: Background | undefined;
  beforeAll(async () => {
    container = await startBackground(engine, name, flags);
  });
  afterAll(async () => {
    await container?.end();
  });
}
