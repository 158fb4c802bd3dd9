// `skiff system df`: room taken by what is in the store.

import { defineCommand } from '../../cli/command.ts';
import { formatList, type ListFormat } from '../../cli/format.ts';
import { humanSize } from '../../cli/human.ts';
import { diskUsage, type DfRow } from '../../system/df.ts';

export default defineCommand({
  name: 'system df',
  summary: 'Show how much room the store takes',
  args: '',
  maxArgs: 0,
  flags: {
    format: { type: 'string', value: 'TEMPLATE', help: 'table, json or a Go template' },
  },
  run({ flags, cx }) {
    for (const line of formatList(diskUsage(cx.paths), FORMAT, flags.format)) cx.io.stdout(line);
    return 0;
  },
});

const FORMAT: ListFormat<DfRow> = {
  fields: {
    Active: { header: 'ACTIVE', value: (row) => String(row.active) },
    Reclaimable: { header: 'RECLAIMABLE', value: reclaimable },
    Size: { header: 'SIZE', value: (row) => humanSize(row.sizeBytes) },
    TotalCount: { header: 'TOTAL', value: (row) => String(row.total) },
    Type: { header: 'TYPE', value: (row) => row.type },
  },
  table: 'table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
};

function reclaimable({ sizeBytes, reclaimableBytes }: DfRow): string {
  const share =
    sizeBytes === 0 ? '' : ` (${Math.min(100, Math.floor((reclaimableBytes * 100) / sizeBytes))}%)`;
  return `${humanSize(reclaimableBytes)}${share}`;
}
