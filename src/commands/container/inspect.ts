// `skiff container inspect`: containers alone, whatever else has the name.

import { defineCommand } from '../../cli/command.ts';
import { printInspected } from '../../cli/print-inspected.ts';
import { SOME_TARGETS_FLAGS } from '../../cli/target-flags.ts';
import { inspectObjects } from '../../container/inspect/inspect-objects.ts';
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
    const type = 'container';
    const references = targetsOf(cx.paths, args, flags, 'container inspect');
    const result = await inspectObjects(cx.paths, references, { type, size: flags.size === true });
    return printInspected(cx.io, result, { type, format: flags.format });
  },
});
