// `skiff builder prune`: forgets what earlier builds found out.

import { askYesNo } from '../../cli/ask.ts';
import { defineCommand } from '../../cli/command.ts';
import { humanSize } from '../../cli/human.ts';
import { pruneBuilder } from '../../builder/prune.ts';

export default defineCommand({
  name: 'builder prune',
  aliases: ['buildx prune'],
  summary: 'Remove the build cache',
  args: '',
  maxArgs: 0,
  flags: {
    all: { type: 'boolean', short: 'a', hidden: true, help: 'accepted for docker; all of it is looked at' },
    filter: { type: 'list', value: 'until=WHEN', help: 'only what no build has used since: until=24h' },
    force: { type: 'boolean', short: 'f', help: 'do not ask', default: false },
  },
  examples: ['builder prune -f', 'builder prune -f --filter until=168h'],
  async run({ flags, cx }) {
    if (!flags.force && !askYesNo(cx.io, 'This removes the build cache.\nContinue?')) return 0;
    const { steps, bytes } = await pruneBuilder(cx, flags.filter);
    if (steps.length > 0)
      for (const line of ['Deleted build cache objects:', ...steps, '']) cx.io.stdout(line);
    cx.io.stdout(`Total reclaimed space: ${humanSize(bytes)}`);
    return 0;
  },
});
