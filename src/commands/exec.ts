// `skiff exec`: one more command in a container that runs.

import { checkTty } from '../cli/check-tty.ts';
import { defineCommand } from '../cli/command.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { execInContainer } from '../container/exec/exec.ts';

export default defineCommand({
  name: 'exec',
  group: 'container',
  summary: 'Run a command in a running container',
  args: 'CONTAINER COMMAND [ARG...]',
  minArgs: 1,
  stopAtFirstArg: true,
  description:
    'The command gets the user, environment and working directory of the container, and its rights. It ends with the ' +
    'container, with skiff, and with the process that called skiff (not under nohup). With --detach it ends with the ' +
    'container alone; its input and output are /dev/null.',
  flags: {
    ...ONE_TARGET_FLAGS,
    detach: { type: 'boolean', short: 'd', help: 'return as soon as the command runs' },
    'detach-keys': {
      type: 'string',
      value: 'KEYS',
      help: 'keys that leave the terminal (ctrl-p,ctrl-q); "" for none',
    },
    env: { type: 'list', short: 'e', value: 'NAME=VALUE', help: 'set an environment variable' },
    'env-file': { type: 'list', value: 'FILE', help: 'read environment variables from a file' },
    interactive: { type: 'boolean', short: 'i', help: 'connect standard input' },
    privileged: { type: 'boolean', help: 'all capabilities' },
    tty: { type: 'boolean', short: 't', help: 'give the command a terminal' },
    user: {
      type: 'string',
      short: 'u',
      value: 'USER[:GROUP]',
      help: 'name or number of the user, and group',
    },
    workdir: { type: 'string', short: 'w', value: 'DIR', help: 'working directory' },
  },
  examples: ['exec -it web sh', 'exec -u postgres db pg_dump app >app.sql', 'exec -d web nginx -s reload'],
  async run({ args, flags, cx }) {
    checkTty(cx.io, flags);
    return await execInContainer(cx, args, flags);
  },
});
