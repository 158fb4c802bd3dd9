// `skiff system df`: room taken by what is in the store.

import { defineCommand } from '../../cli/command.ts';
import type { Context } from '../../cli/context.ts';
import { dfTables, type DfDetails } from '../../cli/df-tables.ts';
import { formatList, type ListFormat } from '../../cli/format.ts';
import { humanAgo, humanSize } from '../../cli/human.ts';
import { listContainers, writableBytes } from '../../container/list.ts';
import { commandText, statusText } from '../../container/text.ts';
import { imageUsage, volumeUsage } from '../../system/df-details.ts';
import { diskUsage, type DfRow } from '../../system/df.ts';

export default defineCommand({
  name: 'system df',
  summary: 'Show how much room the store takes',
  args: '',
  maxArgs: 0,
  flags: {
    format: { type: 'string', value: 'TEMPLATE', help: 'table, json or a Go template' },
    verbose: { type: 'boolean', short: 'v', help: 'show each image, container and volume' },
  },
  examples: ['system df', 'system df -v', "system df -v --format '{{json .Volumes}}'"],
  async run({ flags, cx }) {
    if (flags.verbose === true) {
      const nowMs = Date.now();
      for (const line of dfTables(await detailsOf(cx, nowMs), flags.format, nowMs)) cx.io.stdout(line);
      return 0;
    }
    for (const line of formatList(diskUsage(cx.paths), FORMAT, flags.format)) cx.io.stdout(line);
    return 0;
  },
});

async function detailsOf(cx: Context, nowMs: number): Promise<DfDetails> {
  const containers = await listContainers(cx.paths, { all: true, last: -1, filters: [] });
  return {
    images: imageUsage(cx),
    containers: containers.map((container) => ({
      ...container,
      sizeBytes: writableBytes(cx.paths, container.spec),
      command: commandText(container.spec),
      status: statusText(container.state, container.health, (ms) => humanAgo(ms, nowMs)),
    })),
    volumes: volumeUsage(cx.paths),
  };
}

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
