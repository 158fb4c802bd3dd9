// `skiff top`: the processes of a container.

import { defineCommand } from '../cli/command.ts';
import { alignColumns } from '../cli/table.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { listProcesses, TOP_TITLES } from '../container/usage/top.ts';
import { EngineError } from '../core/errors.ts';

export default defineCommand({
  name: 'top',
  group: 'container',
  summary: 'Show the processes of a container',
  args: 'CONTAINER [PS OPTIONS]',
  stopAtFirstArg: true,
  description:
    'Process ids are those of the host, users those of the container. With options of ps(1), the ps of the host is asked, ' +
    'which knows the users of the host.',
  flags: {
    format: { type: 'string', value: 'FORMAT', help: "'table TEMPLATE', 'json', or a Go template" },
    ...ONE_TARGET_FLAGS,
  },
  examples: ['top web', 'top web -o pid,pcpu,rss,args', "top --format '{{.PID}} {{.CMD}}' web"],
  async run({ args, flags, cx }) {
    if (args.length === 0 && flags.latest !== true && flags.cidfile === undefined)
      throw new EngineError('USAGE', 'skiff top: needs at least 1 argument (CONTAINER [PS OPTIONS]), got 0');
    const { titles, rows } = await listProcesses(cx.paths, args, flags);
    for (const line of await linesOf(titles, rows, flags.format)) cx.io.stdout(line);
    return 0;
  },
});

async function linesOf(titles: string[], rows: string[][], format: string | undefined): Promise<string[]> {
  if (format === undefined)
    return alignColumns(
      [titles, ...rows].map((row) => row.join('\t')),
      20,
    );
  const { formatList } = await import('../cli/format.ts');
  const names = titles.length === 0 ? TOP_TITLES : titles;
  return formatList(
    rows,
    {
      table: `table ${names.map((name) => `{{index . ${JSON.stringify(name)}}}`).join('\\t')}`,
      fields: Object.fromEntries(
        names.map((name, i) => [name, { header: name, value: (row: string[]) => row[i] ?? '' }]),
      ),
    },
    format,
  );
}
