// `skiff container exists`: the answer is the exit status.

import { defineCommand } from '../../cli/command.ts';
import { containerExists } from '../../container/records.ts';

export default defineCommand({
  name: 'container exists',
  summary: 'Tell by the exit status whether there is a container (0 yes, 1 no)',
  args: 'CONTAINER',
  minArgs: 1,
  maxArgs: 1,
  flags: {
    external: {
      type: 'boolean',
      hidden: true,
      help: 'accepted for podman: nobody else keeps containers in the store',
    },
  },
  run({ args, cx }) {
    return containerExists(cx.paths, args[0] as string) ? 0 : 1;
  },
});
