// `skiff restart`: stop, then start.

import { defineCommand } from '../cli/command.ts';
import { checkTime, STOP_FLAGS } from '../cli/stop-flags.ts';
import { TARGET_FLAGS } from '../cli/target-flags.ts';
import { forEachTarget } from '../cli/targets.ts';
import { findContainer } from '../container/records.ts';
import { restartContainer } from '../container/restart.ts';
import { targetsOf } from '../container/targets.ts';

export default defineCommand({
  name: 'restart',
  group: 'container',
  summary: 'Stop and start one or more containers',
  args: 'CONTAINER...',
  flags: {
    ...TARGET_FLAGS,
    ...STOP_FLAGS,
  },
  examples: ['restart web', 'restart -t 0 web db'],
  async run({ args, flags, cx }) {
    const { time } = flags;
    checkTime(time);
    let failed = 0;
    const status = await forEachTarget(cx, targetsOf(cx.paths, args, flags, 'restart'), async (target) => {
      const spec = findContainer(cx.paths, target);
      const status = await restartContainer(cx, spec, target, {
        timeoutS: time,
        signal: flags.signal,
        cancel: cx.signal,
        print: (line) => cx.io.stdout(line),
      });
      failed = Math.max(failed, status);
    });
    return Math.max(status, failed);
  },
});
