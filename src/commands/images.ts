// `skiff images`: what is in the store.

import { defineCommand } from '../cli/command.ts';
import { formatList, type ListFormat } from '../cli/format.ts';
import { goTime, humanAgo, humanSize } from '../cli/human.ts';
import { listImageRows, type ImageRow } from '../image/list.ts';
import { shortId } from '../image/names.ts';

export default defineCommand({
  name: 'images',
  aliases: ['image ls', 'image list'],
  summary: 'List images',
  args: '[REPOSITORY[:TAG]]',
  maxArgs: 1,
  flags: {
    all: {
      type: 'boolean',
      short: 'a',
      help: 'accepted for docker: there are no intermediate images',
      default: false,
    },
    digests: { type: 'boolean', help: 'show the digests of the registry', default: false },
    filter: {
      type: 'list',
      short: 'f',
      value: 'KEY=VALUE',
      help: 'show only images that match: dangling, label, before, since, reference, id',
    },
    format: { type: 'string', value: 'TEMPLATE', help: 'table, json or a Go template' },
    'no-trunc': { type: 'boolean', help: 'show whole ids', default: false },
    noheading: { type: 'boolean', short: 'n', help: 'no table header', default: false },
    quiet: { type: 'boolean', short: 'q', help: 'show ids alone', default: false },
  },
  examples: [
    'images',
    'images --filter dangling=true -q',
    'images --format "{{.Repository}}:{{.Tag}} {{.Size}}"',
  ],
  run({ args, flags, cx }) {
    const rows = listImageRows(cx, { name: args[0], filters: flags.filter, digests: flags.digests });
    const list = imageFormat(flags['no-trunc'], flags.digests, Date.now());
    if (flags.quiet && (flags.format ?? '') === '') {
      const ids = rows.map((row) => (flags['no-trunc'] ? row.id : shortId(row.id)));
      for (const id of new Set(ids)) cx.io.stdout(id);
      return 0;
    }
    for (const line of formatList(rows, list, flags.format, { noHeading: flags.noheading }))
      cx.io.stdout(line);
    return 0;
  },
});

function imageFormat(wholeIds: boolean, digests: boolean, nowMs: number): ListFormat<ImageRow> {
  const created = (row: ImageRow): string => (row.createdMs === 0 ? 'N/A' : humanAgo(row.createdMs, nowMs));
  return {
    fields: {
      Containers: { header: 'CONTAINERS', value: () => 'N/A' },
      CreatedAt: {
        header: 'CREATED AT',
        value: (row) => (row.createdMs === 0 ? 'N/A' : goTime(row.createdMs)),
      },
      CreatedSince: { header: 'CREATED', value: created },
      Digest: { header: 'DIGEST', value: (row) => row.digest },
      ID: { header: 'IMAGE ID', value: (row) => (wholeIds ? row.id : shortId(row.id)) },
      Repository: { header: 'REPOSITORY', value: (row) => row.repository },
      SharedSize: { header: 'SHARED SIZE', value: () => 'N/A' },
      Size: { header: 'SIZE', value: (row) => humanSize(row.sizeBytes) },
      Tag: { header: 'TAG', value: (row) => row.tag },
      UniqueSize: { header: 'UNIQUE SIZE', value: () => 'N/A' },
      VirtualSize: { header: 'SIZE', value: (row) => humanSize(row.sizeBytes) },
    },
    table: digests
      ? 'table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}'
      : 'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}',
  };
}
