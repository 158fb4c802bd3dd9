// `skiff volume rm`: removes volumes that no container uses.

import { defineCommand } from '../../cli/command.ts';
import { forEachTarget } from '../../cli/targets.ts';
import { removeNamedVolume } from '../../container/remove-volumes.ts';

export default defineCommand({
  name: 'volume rm',
  aliases: ['volume remove'],
  summary: 'Remove volumes that no container uses',
  args: 'VOLUME...',
  minArgs: 1,
  flags: {
    force: { type: 'boolean', short: 'f', help: 'a missing volume is no error', default: false },
  },
  examples: ['volume rm data'],
  async run({ args, flags, cx }) {
    return await forEachTarget(cx, args, async (name) => {
      await removeNamedVolume(cx, name, flags.force);
      cx.io.stdout(name);
    });
  },
});
