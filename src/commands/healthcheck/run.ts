// `skiff healthcheck run`: podman's.

import { defineCommand } from '../../cli/command.ts';
import { runHealthcheck } from '../../container/exec/healthcheck-run.ts';

export default defineCommand({
  name: 'healthcheck run',
  summary: 'Run the health check of a container once, and tell by the exit status (0 healthy, 1 unhealthy)',
  args: 'CONTAINER',
  minArgs: 1,
  maxArgs: 1,
  description:
    'The result is not recorded: "skiff inspect" and "skiff ps" show what the checks on schedule have found.',
  flags: {},
  examples: ['healthcheck run web'],
  async run({ args, cx }) {
    const { healthy, output } = await runHealthcheck(cx, args[0] as string);
    if (healthy) return 0;
    cx.io.stdout('unhealthy');
    if (output.length > 0) cx.io.stderr(output.toString().trimEnd());
    return 1;
  },
});
