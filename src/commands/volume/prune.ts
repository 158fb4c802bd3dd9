// `skiff volume prune`: removes volumes that no container uses.

import { defineCommand } from '../../cli/command.ts';
import { askYesNo } from '../../cli/ask.ts';
import { humanSize } from '../../cli/human.ts';
import { pruneUnusedVolumes } from '../../container/remove-volumes.ts';

export default defineCommand({
  name: 'volume prune',
  summary: 'Remove anonymous volumes that no container uses',
  args: '',
  maxArgs: 0,
  flags: {
    all: { type: 'boolean', short: 'a', help: 'named volumes too', default: false },
    filter: { type: 'list', value: 'KEY=VALUE', help: 'only what matches: label=KEY[=VALUE], label!=KEY' },
    force: { type: 'boolean', short: 'f', help: 'do not ask', default: false },
  },
  examples: ['volume prune', 'volume prune --all --force', 'volume prune -f --filter label=ci'],
  async run({ flags, cx }) {
    const { all, filter: filters } = flags;
    const question = `This removes all ${all ? '' : 'anonymous '}volumes that no container uses.\nContinue?`;
    if (!flags.force && !askYesNo(cx.io, question)) return 0;
    const { names, bytes } = await pruneUnusedVolumes(cx, { all, filters });
    if (names.length > 0) for (const line of ['Deleted Volumes:', ...names, '']) cx.io.stdout(line);
    cx.io.stdout(`Total reclaimed space: ${humanSize(bytes)}`);
    return 0;
  },
});
