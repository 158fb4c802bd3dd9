// `skiff attach`: this terminal, or these streams, become those of a running container.

import { defineCommand } from '../cli/command.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { oneTarget } from '../container/targets.ts';
import { attachTo } from '../container/attach.ts';
import { findContainer } from '../container/records.ts';

export default defineCommand({
  name: 'attach',
  group: 'container',
  summary: 'Attach to the input and output of a running container',
  args: 'CONTAINER',
  flags: {
    ...ONE_TARGET_FLAGS,
    'detach-keys': {
      type: 'string',
      value: 'KEYS',
      help: 'keys that leave a container with a terminal (ctrl-p,ctrl-q)',
    },
    'no-stdin': { type: 'boolean', help: 'do not attach to the input' },
    'sig-proxy': { type: 'boolean', default: true, help: 'forward signals to the container' },
  },
  examples: ['attach web', 'attach --no-stdin --sig-proxy=false web'],
  run({ args, flags, cx }) {
    const { target } = oneTarget(cx.paths, { name: 'attach', args: 'CONTAINER' }, args, flags);
    const spec = findContainer(cx.paths, target);
    const streams = { stdin: flags['no-stdin'] !== true, stdout: true, stderr: true };
    return attachTo(cx.paths, spec, streams, {
      sigProxy: flags['sig-proxy'],
      detachKeys: flags['detach-keys'],
    });
  },
});
