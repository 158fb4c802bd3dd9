// `skiff container inspect`: containers alone, whatever else has the name.

import { defineCommand } from '../../cli/command.ts';
import { printInspected } from '../../cli/print-inspected.ts';
import { SOME_TARGETS_FLAGS } from '../../cli/target-flags.ts';
import { targetsOf } from '../../container/targets.ts';

export default defineCommand({
  name: 'container inspect',
  summary: 'Show details of containers',
  args: 'CONTAINER...',
  flags: {
    ...SOME_TARGETS_FLAGS,
    format: { type: 'string', short: 'f', value: 'FORMAT', help: "'json' or a Go template" },
    size: { type: 'boolean', short: 's', help: 'add the size of the writable layer' },
  },
  examples: ["container inspect --format '{{.State.Status}}' web"],
  async run({ args, flags, cx }) {
    return await printInspected(cx, targetsOf(cx.paths, args, flags, 'container inspect'), {
      type: 'container',
      size: flags.size === true,
      format: flags.format,
    });
  },
});
