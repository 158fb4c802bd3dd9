// `skiff stop`: asks containers to end, and kills those that do not in time.

import { defineCommand } from '../cli/command.ts';
import { checkTime, STOP_FLAGS } from '../cli/stop-flags.ts';
import { TARGET_FLAGS } from '../cli/target-flags.ts';
import { forEachTarget, inParallel } from '../cli/targets.ts';
import { findContainer } from '../container/records.ts';
import { stopContainer } from '../container/stop.ts';
import { targetsOf } from '../container/targets.ts';
import { EngineError } from '../core/errors.ts';

export default defineCommand({
  name: 'stop',
  group: 'container',
  summary: 'Stop one or more running containers',
  args: 'CONTAINER...',
  flags: {
    ...TARGET_FLAGS,
    ignore: { type: 'boolean', short: 'i', help: 'missing containers are no error' },
    ...STOP_FLAGS,
  },
  examples: ['stop web', 'stop -t 30 web db'],
  async run({ args, flags, cx }) {
    const { time } = flags;
    checkTime(time);
    const targets = targetsOf(cx.paths, args, flags, 'stop');
    const wait = inParallel(targets, async (target) => {
      const spec = findContainer(cx.paths, target);
      await stopContainer(cx.paths, spec, { timeoutS: time, signal: flags.signal, cancel: cx.signal });
    });
    return await forEachTarget(cx, targets, async (target) => {
      try {
        await wait(target);
      } catch (error) {
        const missing = error instanceof EngineError && error.code === 'CONTAINER_NOT_FOUND';
        if (!missing || flags.ignore !== true) throw error;
        return;
      }
      cx.io.stdout(target);
    });
  },
});
