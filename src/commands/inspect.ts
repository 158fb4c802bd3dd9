// `skiff inspect`: everything known about containers, images and volumes, as docker's JSON.

import { defineCommand } from '../cli/command.ts';
import { printInspected } from '../cli/print-inspected.ts';
import { SOME_TARGETS_FLAGS } from '../cli/target-flags.ts';
import { inspectObjects } from '../container/inspect/inspect-objects.ts';
import { targetsOf } from '../container/targets.ts';

export default defineCommand({
  name: 'inspect',
  summary: 'Show details of containers, images and volumes',
  args: 'NAME|ID...',
  flags: {
    ...SOME_TARGETS_FLAGS,
    format: { type: 'string', short: 'f', value: 'FORMAT', help: "'json' or a Go template" },
    size: { type: 'boolean', short: 's', help: 'add the size of the writable layer' },
    type: {
      type: 'string',
      value: 'TYPE',
      choices: ['container', 'image', 'volume'],
      help: 'look among containers, images or volumes alone',
    },
  },
  examples: ["inspect --format '{{.State.Status}}' web"],
  async run({ args, flags, cx }) {
    const type = flags.type;
    const references = targetsOf(cx.paths, args, flags, 'inspect');
    const result = await inspectObjects(cx.paths, references, { type, size: flags.size === true });
    return printInspected(cx.io, result, { type, format: flags.format });
  },
});
