// `skiff create`: a container that is not started yet.

import { defineCommand } from '../cli/command.ts';
import { CREATE_FLAGS } from '../cli/create-flags.ts';
import { givenFlags } from '../cli/flag-words.ts';
import { lazyProgress } from '../cli/lazy-progress.ts';
import { REGISTRY_FLAGS, registryOptions } from '../cli/registry-flags.ts';
import { createContainer } from '../container/create.ts';
import { givenOptions } from '../container/configure/options.ts';

export default defineCommand({
  name: 'create',
  group: 'container',
  summary: 'Create a new container, to be started later',
  args: 'IMAGE [COMMAND] [ARG...]',
  minArgs: 1,
  stopAtFirstArg: true,
  flags: { ...CREATE_FLAGS, ...REGISTRY_FLAGS },
  examples: ['create --name web -p 8080:80 nginx', 'create -it --name box debian bash'],
  async run({ args, flags, cx }) {
    const [what = '', ...words] = args;
    const progress = lazyProgress(cx.io, flags.quiet === true);
    try {
      const id = await createContainer(cx, {
        what,
        words,
        options: givenOptions(flags),
        recipe: givenFlags(CREATE_FLAGS, flags),
        detached: false,
        registry: registryOptions(flags),
        onImageEvent: progress.onEvent,
        onImageReady: () => progress.close(),
      });
      cx.io.stdout(id);
      return 0;
    } finally {
      progress.close();
    }
  },
});
