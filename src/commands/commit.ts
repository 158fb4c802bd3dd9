// `skiff commit`: an image from a container.

import { defineCommand } from '../cli/command.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { oneTarget } from '../container/targets.ts';
import { commitContainer } from '../container/commit.ts';

export default defineCommand({
  name: 'commit',
  group: 'container',
  summary: "Make an image of a container's changes",
  args: 'CONTAINER [REPOSITORY[:TAG]]',
  flags: {
    ...ONE_TARGET_FLAGS,
    author: { type: 'string', short: 'a', value: 'NAME', help: 'who made it' },
    change: {
      type: 'list',
      short: 'c',
      value: 'INSTRUCTION',
      help: 'apply a Dockerfile instruction to the new image, such as \'CMD ["sh"]\'',
    },
    message: { type: 'string', short: 'm', value: 'TEXT', help: 'comment for the history' },
    pause: { type: 'boolean', short: 'p', help: 'pause a running container meanwhile', default: true },
    quiet: { type: 'boolean', short: 'q', help: 'print the id alone, as always' },
  },
  examples: ['commit web web:patched', `commit -c 'ENV DEBUG=1' -c 'CMD ["server"]' web`],
  async run({ args, flags, cx }) {
    const usage = { name: 'commit', args: 'CONTAINER [REPOSITORY[:TAG]]', max: 1 };
    const { target, rest } = oneTarget(cx.paths, usage, args, flags);
    const { author, message, change, pause } = flags;
    cx.io.stdout(
      await commitContainer(cx, target, { name: rest[0], author, message, changes: change, pause }),
    );
    return 0;
  },
});
