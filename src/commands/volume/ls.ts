// `skiff volume ls`: which volumes there are.

import { defineCommand } from '../../cli/command.ts';
import { formatList, type ListFormat } from '../../cli/format.ts';
import { filterVolumes } from '../../volume/list.ts';
import { dataDir, type Volume } from '../../volume/records.ts';

export default defineCommand({
  name: 'volume ls',
  aliases: ['volume list'],
  summary: 'List volumes',
  args: '',
  maxArgs: 0,
  flags: {
    filter: {
      type: 'list',
      short: 'f',
      value: 'KEY=VALUE',
      help: 'show only volumes that match: dangling, driver, label, name',
    },
    format: { type: 'string', value: 'TEMPLATE', help: 'table, json or a Go template' },
    noheading: { type: 'boolean', short: 'n', help: 'no table header', default: false },
    quiet: { type: 'boolean', short: 'q', help: 'show names alone', default: false },
  },
  examples: ['volume ls', 'volume ls -q --filter dangling=true', 'volume ls --filter label=app=web'],
  run({ flags, cx }) {
    const volumes = filterVolumes(cx.paths, flags.filter);
    const quiet = flags.quiet && flags.format === undefined;
    const lines = quiet
      ? volumes.map(({ name }) => name)
      : formatList(volumes, FORMAT, flags.format, { noHeading: flags.noheading });
    for (const line of lines) cx.io.stdout(line);
    return 0;
  },
});

const FORMAT: ListFormat<Volume> = {
  fields: {
    Availability: { header: 'AVAILABILITY', value: () => 'N/A' },
    Driver: { header: 'DRIVER', value: () => 'local' },
    Group: { header: 'GROUP', value: () => 'N/A' },
    Label: {
      header: 'LABEL',
      value:
        ({ labels }) =>
        (key: unknown) =>
          labels[String(key)] ?? '',
      notInJson: true,
    },
    Labels: { header: 'LABELS', value: ({ labels }) => labelText(labels) },
    Links: { header: 'LINKS', value: () => 'N/A' },
    Mountpoint: { header: 'MOUNTPOINT', value: dataDir },
    Name: { header: 'VOLUME NAME', value: ({ name }) => name },
    Scope: { header: 'SCOPE', value: () => 'local' },
    Size: { header: 'SIZE', value: () => 'N/A' },
    Status: { header: 'STATUS', value: () => 'N/A' },
  },
  table: 'table {{.Driver}}\t{{.Name}}',
};

function labelText(labels: Volume['labels']): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}
