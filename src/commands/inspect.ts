// `skiff inspect`: everything known about containers, images and volumes, as docker's JSON.

import { defineCommand } from '../cli/command.ts';
import { formatInspect } from '../cli/format.ts';
import { SOME_TARGETS_FLAGS } from '../cli/target-flags.ts';
import { inspectObjects } from '../container/inspect-objects.ts';
import { targetsOf } from '../container/targets.ts';

export default defineCommand({
  name: 'inspect',
  aliases: ['container inspect'],
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
    const { found, missing } = await inspectObjects(cx.paths, targetsOf(cx.paths, args, flags, 'inspect'), {
      type: flags.type,
      size: flags.size === true,
    });
    if (found.length > 0 || flags.format === undefined)
      for (const line of formatInspect(found, flags.format)) cx.io.stdout(line);
    for (const reference of missing) cx.io.stderr(`Error: no such ${flags.type ?? 'object'}: ${reference}`);
    return missing.length === 0 ? 0 : 1;
  },
});
