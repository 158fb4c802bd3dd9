// `skiff unpause`: they go on.

import { defineCommand } from '../cli/command.ts';
import { TARGET_FLAGS } from '../cli/target-flags.ts';
import { forEachTarget } from '../cli/targets.ts';
import { isIn, unpauseContainer } from '../container/pause.ts';
import { findContainer } from '../container/records.ts';
import { targetsOf } from '../container/targets.ts';

export default defineCommand({
  name: 'unpause',
  group: 'container',
  summary: 'Let the processes of paused containers go on',
  args: 'CONTAINER...',
  flags: { ...TARGET_FLAGS, all: { ...TARGET_FLAGS.all, help: 'all paused containers' } },
  examples: ['unpause web', 'unpause --all'],
  async run({ args, flags, cx }) {
    const named = targetsOf(cx.paths, args, flags, 'unpause');
    const targets = flags.all === true ? named.filter((id) => isIn(cx.paths, id, 'paused')) : named;
    return await forEachTarget(cx, targets, async (target) => {
      await unpauseContainer(cx.paths, findContainer(cx.paths, target), cx.signal);
      cx.io.stdout(target);
    });
  },
});
