// `skiff kill`: sends a signal to containers.

import { defineCommand } from '../cli/command.ts';
import { TARGET_FLAGS } from '../cli/target-flags.ts';
import { forEachTarget } from '../cli/targets.ts';
import { findContainer } from '../container/records.ts';
import { killContainer } from '../container/stop.ts';
import { targetsOf } from '../container/targets.ts';

export default defineCommand({
  name: 'kill',
  group: 'container',
  summary: 'Kill one or more running containers, or send them a signal',
  args: 'CONTAINER...',
  flags: {
    ...TARGET_FLAGS,
    signal: { type: 'string', short: 's', value: 'SIGNAL', default: 'KILL', help: 'the signal to send' },
  },
  examples: ['kill web', 'kill --signal HUP web'],
  async run({ args, flags, cx }) {
    const targets = targetsOf(cx.paths, args, flags, 'kill');
    return await forEachTarget(cx, targets, async (target) => {
      await killContainer(cx.paths, findContainer(cx.paths, target), flags.signal);
      cx.io.stdout(target);
    });
  },
});
