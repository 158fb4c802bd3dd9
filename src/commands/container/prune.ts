// `skiff container prune`: removes every container that does not run.

import { askYesNo } from '../../cli/ask.ts';
import { defineCommand } from '../../cli/command.ts';
import { humanSize } from '../../cli/human.ts';
import { pruneFilter, pruneContainers } from '../../container/prune.ts';

export default defineCommand({
  name: 'container prune',
  summary: 'Remove all containers that do not run',
  args: '',
  maxArgs: 0,
  flags: {
    filter: {
      type: 'list',
      value: 'KEY=VALUE',
      help: 'only what matches: until=24h, label=KEY[=VALUE], label!=KEY',
    },
    force: { type: 'boolean', short: 'f', help: 'do not ask', default: false },
  },
  examples: ['container prune -f', 'container prune -f --filter until=24h'],
  async run({ flags, cx }) {
    const may = pruneFilter(flags.filter, Date.now());
    if (!flags.force && !askYesNo(cx.io, 'This removes all containers that do not run.\nContinue?')) return 0;
    const { ids, bytes } = await pruneContainers(cx.paths, may);
    if (ids.length > 0) for (const line of ['Deleted Containers:', ...ids, '']) cx.io.stdout(line);
    cx.io.stdout(`Total reclaimed space: ${humanSize(bytes)}`);
    return 0;
  },
});
