// `skiff rm`: removes containers by id, id prefix or name.

import { defineCommand } from '../cli/command.ts';
import { TARGET_FLAGS } from '../cli/target-flags.ts';
import { removeByReference } from '../container/rm.ts';
import { targetsOf } from '../container/targets.ts';

export default defineCommand({
  name: 'rm',
  group: 'container',
  aliases: ['container remove'],
  summary: 'Remove one or more containers',
  args: 'CONTAINER...',
  flags: {
    ...TARGET_FLAGS,
    force: { type: 'boolean', short: 'f', help: 'kill running containers first; missing ones are no error' },
    ignore: { type: 'boolean', short: 'i', help: 'missing containers are no error' },
    volumes: { type: 'boolean', short: 'v', help: 'remove anonymous volumes of the containers too' },
  },
  examples: ['rm web', 'rm --force --volumes --all'],
  async run({ args, flags, cx }) {
    const request = {
      force: flags.force === true,
      ignore: flags.ignore === true,
      volumes: flags.volumes === true,
    };
    return await removeByReference(cx.paths, targetsOf(cx.paths, args, flags, 'rm'), request, {
      removed: (reference) => cx.io.stdout(reference),
      failed: (text) => cx.io.stderr(text),
    });
  },
});
