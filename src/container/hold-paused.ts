// A container that is paused while this process works on it, and no longer. The kernel thaws nobody by itself, so a child
// does it, when we tell it to by closing its stdin, or when the kernel closes that since we were killed.

import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { freeze, thaw } from '../cgroup/freezer.ts';
import type { ContainerCgroup } from '../cgroup/types.ts';
import { runInUserNamespace } from '../native/launch.ts';
import { selfCommand } from '../native/self.ts';

/** Returns when all of its processes stand still; the function returned lets them go on. @throws as freeze */
export async function holdPaused(
  group: ContainerCgroup,
  doing: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const guard = runInUserNamespace({
    idMap: undefined, // a plain child
    argv: [...selfCommand(doing), '__thaw', JSON.stringify(group)],
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.stdin?.on('error', () => {});
  const resume = async (): Promise<void> => {
    guard.stdin?.end();
    const { status } = await guard.result.catch(() => ({ status: -1 }));
    if (status !== 0) thaw(group);
  };
  try {
    await freeze(group, signal);
    return resume;
  } catch (error) {
    await resume();
    throw error;
  }
}

/** The child. stdin: until it ends. text: the group, from ourselves. Returns the exit status. */
export async function serveThaw(text: string, stdin: Readable): Promise<number> {
  const group = JSON.parse(text) as ContainerCgroup;
  stdin.resume(); // nobody writes
  await once(stdin, 'end');
  thaw(group);
  return 0;
}
