// `skiff run`: a new container, in the foreground or detached.

import { checkTty } from '../cli/check-tty.ts';
import { defineCommand } from '../cli/command.ts';
import { CREATE_FLAGS } from '../cli/create-flags.ts';
import { givenFlags } from '../cli/flag-words.ts';
import { lazyProgress } from '../cli/lazy-progress.ts';
import { REGISTRY_FLAGS, registryOptions } from '../cli/registry-flags.ts';
import { givenOptions } from '../container/configure/options.ts';
import { runContainer } from '../container/run.ts';

export default defineCommand({
  name: 'run',
  group: 'container',
  summary: 'Create and run a new container from an image',
  args: 'IMAGE [COMMAND] [ARG...]',
  minArgs: 1,
  stopAtFirstArg: true,
  flags: {
    ...CREATE_FLAGS,
    ...REGISTRY_FLAGS,
    detach: { type: 'boolean', short: 'd', help: 'leave the container running and print its id' },
    'detach-keys': {
      type: 'string',
      value: 'KEYS',
      help: 'keys that leave a container with a terminal (ctrl-p,ctrl-q)',
    },
    plan: {
      type: 'string',
      value: 'FORMAT',
      bare: 'text',
      choices: ['text', 'json'],
      help: 'print what would be done, and do nothing',
    },
    'sig-proxy': { type: 'boolean', default: true, help: 'forward signals to the container' },
  },
  examples: [
    'run --rm -it debian bash',
    'run --rm -v "$PWD:/work" -w /work alpine ls',
    'run -d --name web -p 8080:80 nginx',
    'run --plan debian',
  ],
  async run({ args, flags, cx }) {
    const [what = '', ...words] = args;
    const progress = lazyProgress(cx.io, flags.quiet === true);
    const request = {
      what,
      words,
      options: givenOptions(flags),
      recipe: givenFlags(CREATE_FLAGS, flags),
      detached: flags.detach === true,
      registry: registryOptions(flags),
      onImageEvent: progress.onEvent,
      onImageReady: () => progress.close(),
    };
    if (flags.plan !== undefined) {
      const { planLines, planRun } = await import('../container/show-plan.ts');
      const plan = await planRun(cx, request);
      for (const line of flags.plan === 'json' ? [JSON.stringify(plan, null, 2)] : planLines(plan))
        cx.io.stdout(line);
      return 0;
    }
    checkTty(cx.io, flags);
    try {
      return await runContainer(cx, request);
    } finally {
      progress.close();
    }
  },
});
