// `skiff pause`: all processes of a container stop where they are.

import { defineCommand } from '../cli/command.ts';
import { TARGET_FLAGS } from '../cli/target-flags.ts';
import { forEachTarget } from '../cli/targets.ts';
import { isIn, pauseContainer } from '../container/pause.ts';
import { findContainer } from '../container/records.ts';
import { targetsOf } from '../container/targets.ts';

export default defineCommand({
  name: 'pause',
  group: 'container',
  summary: 'Stop all processes of one or more containers for a while',
  args: 'CONTAINER...',
  flags: { ...TARGET_FLAGS, all: { ...TARGET_FLAGS.all, help: 'all running containers' } },
  examples: ['pause web', 'pause --all'],
  async run({ args, flags, cx }) {
    const named = targetsOf(cx.paths, args, flags, 'pause');
    const targets = flags.all === true ? named.filter((id) => isIn(cx.paths, id, 'running')) : named;
    return await forEachTarget(cx, targets, async (target) => {
      await pauseContainer(cx.paths, findContainer(cx.paths, target), cx.signal);
      cx.io.stdout(target);
    });
  },
});
