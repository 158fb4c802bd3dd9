// `skiff attach`: this terminal, or these streams, become those of a running container.

import { defineCommand } from '../cli/command.ts';
import { LATEST_FLAG } from '../cli/target-flags.ts';
import { attachTo } from '../container/attach.ts';
import { findContainer } from '../container/records.ts';
import { targetOf } from '../container/targets.ts';

export default defineCommand({
  name: 'attach',
  group: 'container',
  summary: 'Attach to the input and output of a running container',
  args: 'CONTAINER',
  maxArgs: 1,
  flags: {
    ...LATEST_FLAG,
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
    const spec = findContainer(cx.paths, targetOf(cx.paths, args, flags, 'attach'));
    const streams = { stdin: flags['no-stdin'] !== true, stdout: true, stderr: true };
    return attachTo(cx.paths, spec, streams, {
      sigProxy: flags['sig-proxy'],
      detachKeys: flags['detach-keys'],
    });
  },
});
