// `skiff restart`: stop, then start.

import { defineCommand } from '../cli/command.ts';
import { TARGET_FLAGS } from '../cli/target-flags.ts';
import { forEachTarget } from '../cli/targets.ts';
import { findContainer } from '../container/records.ts';
import { startDetached } from '../container/start.ts';
import { stopContainer } from '../container/stop.ts';
import { targetsOf } from '../container/targets.ts';
import { EngineError } from '../core/errors.ts';

export default defineCommand({
  name: 'restart',
  group: 'container',
  summary: 'Stop and start one or more containers',
  args: 'CONTAINER...',
  flags: {
    ...TARGET_FLAGS,
    signal: { type: 'string', short: 's', value: 'SIGNAL', help: "instead of the container's stop signal" },
    time: {
      type: 'number',
      short: 't',
      aliases: ['timeout'],
      value: 'SECONDS',
      help: 'time until it is killed (10); -1: never',
    },
  },
  examples: ['restart web', 'restart -t 0 web db'],
  async run({ args, flags, cx }) {
    const { time } = flags;
    if (time !== undefined && !Number.isInteger(time))
      throw new EngineError('USAGE', `--time ${time}: expected a whole number of seconds`);
    let failed = 0;
    const status = await forEachTarget(cx, targetsOf(cx.paths, args, flags, 'restart'), async (target) => {
      const spec = findContainer(cx.paths, target);
      await stopContainer(cx.paths, spec, { timeoutS: time, signal: flags.signal, cancel: cx.signal });
      failed = Math.max(failed, await startDetached(cx, spec, target, (line) => cx.io.stdout(line)));
    });
    return Math.max(status, failed);
  },
});
