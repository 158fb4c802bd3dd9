// `skiff wait`: blocks until containers have ended, and prints their exit statuses.

import { defineCommand } from '../cli/command.ts';
import { SOME_TARGETS_FLAGS } from '../cli/target-flags.ts';
import { forEachTarget, inParallel } from '../cli/targets.ts';
import { findContainer } from '../container/records.ts';
import { targetsOf } from '../container/targets.ts';
import { parseCondition, waitForContainer } from '../container/wait.ts';

export default defineCommand({
  name: 'wait',
  group: 'container',
  summary: 'Wait until one or more containers stop, and print their exit statuses',
  args: 'CONTAINER...',
  flags: {
    ...SOME_TARGETS_FLAGS,
    condition: {
      type: 'list',
      value: 'STATE',
      commaSeparated: true,
      help: 'stopped (default), exited, running, paused, restarting, created, removed, healthy or unhealthy',
    },
  },
  examples: ['wait web', 'wait --condition healthy web'],
  async run({ args, flags, cx }) {
    const targets = targetsOf(cx.paths, args, flags, 'wait');
    const conditions = flags.condition.map(parseCondition);
    const wait = inParallel(targets, async (target) =>
      waitForContainer(
        cx.paths,
        findContainer(cx.paths, target),
        conditions.length === 0 ? ['stopped'] : conditions,
        cx.signal,
      ),
    );
    return await forEachTarget(cx, targets, async (target) => cx.io.stdout(String(await wait(target))));
  },
});
