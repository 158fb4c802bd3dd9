// `skiff system prune`: removes what is not used.

import { defineCommand } from '../../cli/command.ts';
import { askYesNo } from '../../cli/ask.ts';
import type { Io } from '../../cli/context.ts';
import { humanSize } from '../../cli/human.ts';
import { pruneContainers, pruneFilter } from '../../container/prune.ts';
import { pruneUnusedVolumes } from '../../container/remove-volumes.ts';
import { defaultIdMap } from '../../system/default-idmap.ts';
import { prunedLines, pruneStore } from '../../system/prune.ts';

export default defineCommand({
  name: 'system prune',
  summary: 'Remove containers that have ended, images without a name, and leftovers',
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
    volumes: { type: 'boolean', help: 'remove anonymous volumes that no container uses', default: false },
  },
  examples: [
    'system prune',
    'system prune --volumes',
    'system prune -af',
    'system prune -f --filter until=24h',
  ],
  async run({ flags, cx }) {
    const nowMs = Date.now();
    const may = pruneFilter(flags.filter, nowMs);
    if (!flags.force && !askYesNo(cx.io, warning(flags.all, flags.volumes))) return 0;
    const containers = await pruneContainers(cx.paths, may);
    print(cx.io, 'Deleted Containers:', containers.ids);
    // After the containers: what they alone used is free then. A filter for times says nothing of volumes, as in docker.
    const labels = flags.filter.filter((filter) => filter.startsWith('label'));
    const volumes = flags.volumes
      ? await pruneUnusedVolumes(cx, { all: false, filters: labels })
      : { names: [], bytes: 0 };
    print(cx.io, 'Deleted Volumes:', volumes.names);
    const options = { all: flags.all, filters: flags.filter, idMap: defaultIdMap(cx), nowMs };
    const images = await pruneStore(cx, options);
    print(cx.io, 'Deleted Images:', prunedLines(images));
    cx.io.stdout(`Total reclaimed space: ${humanSize(images.bytes + containers.bytes + volumes.bytes)}`);
    return 0;
  },
});

function print(io: Pick<Io, 'stdout'>, title: string, lines: readonly string[]): void {
  if (lines.length > 0) for (const line of [title, ...lines, '']) io.stdout(line);
}

function warning(all: boolean, volumes: boolean): string {
  return [
    'This removes:',
    '  - all containers that have ended',
    ...(volumes ? ['  - all anonymous volumes without a container'] : []),
    all ? '  - all images without a container' : '  - all images without a name',
    '  - downloads that were cut off and other leftovers',
    'Continue?',
  ].join('\n');
}
