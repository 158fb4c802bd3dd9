// `skiff image prune`: removes images that nobody uses.

import { askYesNo } from '../../cli/ask.ts';
import { defineCommand } from '../../cli/command.ts';
import { humanSize } from '../../cli/human.ts';
import { defaultIdMap } from '../../system/default-idmap.ts';
import { prunedLines, pruneStore } from '../../system/prune.ts';

export default defineCommand({
  name: 'image prune',
  summary: 'Remove images without a name',
  args: '',
  maxArgs: 0,
  flags: {
    all: { type: 'boolean', short: 'a', help: 'remove every image that no container uses', default: false },
    filter: {
      type: 'list',
      value: 'KEY=VALUE',
      help: 'only what matches: until=24h, label=KEY[=VALUE], label!=KEY',
    },
    force: { type: 'boolean', short: 'f', help: 'do not ask', default: false },
  },
  examples: ['image prune', 'image prune --all --force --filter until=240h'],
  async run({ flags, cx }) {
    const { all, filter: filters } = flags;
    const question = `This removes all images without a ${all ? 'container' : 'name'}.\nContinue?`;
    if (!flags.force && !askYesNo(cx.io, question)) return 0;
    const options = { all, filters, idMap: defaultIdMap(cx), nowMs: Date.now() };
    const pruned = await pruneStore(cx, options);
    const lines = prunedLines(pruned);
    if (lines.length > 0) for (const line of ['Deleted Images:', ...lines, '']) cx.io.stdout(line);
    cx.io.stdout(`Total reclaimed space: ${humanSize(pruned.bytes)}`);
    return 0;
  },
});
