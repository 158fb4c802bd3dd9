// `skiff start`: starts containers that were created or have ended.

import { defineCommand } from '../cli/command.ts';
import { SOME_TARGETS_FLAGS } from '../cli/target-flags.ts';
import { forEachTarget } from '../cli/targets.ts';
import { findContainer } from '../container/records.ts';
import { startAttached, startDetached } from '../container/start.ts';
import { targetsOf } from '../container/targets.ts';
import { EngineError } from '../core/errors.ts';

export default defineCommand({
  name: 'start',
  group: 'container',
  summary: 'Start one or more stopped containers',
  args: 'CONTAINER...',
  flags: {
    ...SOME_TARGETS_FLAGS,
    attach: { type: 'boolean', short: 'a', help: "attach to the container's output, and forward signals" },
    'detach-keys': {
      type: 'string',
      value: 'KEYS',
      help: 'keys that leave a container with a terminal (ctrl-p,ctrl-q)',
    },
    interactive: { type: 'boolean', short: 'i', help: "attach to the container's input too" },
    'sig-proxy': { type: 'boolean', default: true, help: 'forward signals to the container' },
  },
  examples: ['start web db', 'start -ai box'],
  async run({ args, flags, cx }) {
    const targets = targetsOf(cx.paths, args, flags, 'start');
    if (flags.attach === true || flags.interactive === true) {
      if (targets.length > 1)
        throw new EngineError('USAGE', 'you cannot start and attach multiple containers at once', {
          exitCode: 1,
        });
      return await startAttached(cx, findContainer(cx.paths, targets[0] as string), {
        interactive: flags.interactive === true,
        sigProxy: flags['sig-proxy'],
        detachKeys: flags['detach-keys'],
      });
    }
    let failed = 0;
    const status = await forEachTarget(cx, targets, async (target) => {
      const spec = findContainer(cx.paths, target);
      failed = Math.max(failed, await startDetached(cx, spec, target, (line) => cx.io.stdout(line)));
    });
    return Math.max(status, failed);
  },
});
