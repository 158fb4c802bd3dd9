// `skiff history`: the steps that made an image.

import { defineCommand } from '../cli/command.ts';
import { formatList, type ListFormat } from '../cli/format.ts';
import { humanAgo, humanSize } from '../cli/human.ts';
import { imageHistory, type HistoryStep } from '../image/history.ts';
import { shortId } from '../image/names.ts';

export default defineCommand({
  name: 'history',
  group: 'image',
  summary: 'Show the steps that made an image',
  args: 'IMAGE',
  minArgs: 1,
  maxArgs: 1,
  flags: {
    format: { type: 'string', value: 'TEMPLATE', help: 'table, json or a Go template' },
    human: { type: 'boolean', short: 'H', default: true, help: 'sizes and times as people say them' },
    'no-trunc': { type: 'boolean', help: 'do not shorten' },
    quiet: { type: 'boolean', short: 'q', help: 'print ids alone' },
  },
  examples: ['history debian', "history --no-trunc --format '{{.CreatedBy}}' debian"],
  run({ args, flags, cx }) {
    const steps = imageHistory(cx.paths, args[0] as string);
    const list = historyFormat({ long: flags['no-trunc'] === true, human: flags.human, nowMs: Date.now() });
    const format = flags.quiet === true && (flags.format ?? '') === '' ? '{{.ID}}' : flags.format;
    for (const line of formatList(steps, list, format)) cx.io.stdout(line);
    return 0;
  },
});

const CREATED_BY_WIDTH = 45;

function historyFormat(shown: { long: boolean; human: boolean; nowMs: number }): ListFormat<HistoryStep> {
  const { long, human, nowMs } = shown;
  const time = ({ createdMs }: HistoryStep): string =>
    Number.isNaN(createdMs) ? 'N/A' : new Date(createdMs).toISOString().replace('.000', '');
  const shorten = (text: string): string =>
    long || text.length <= CREATED_BY_WIDTH ? text : `${text.slice(0, CREATED_BY_WIDTH - 1)}…`;
  return {
    table: 'table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}',
    fields: {
      ID: { header: 'IMAGE', value: ({ id }) => (long || id === '<missing>' ? id : shortId(id)) },
      CreatedSince: {
        header: human ? 'CREATED' : 'CREATED AT',
        value: (step) =>
          human && !Number.isNaN(step.createdMs) ? humanAgo(step.createdMs, nowMs) : time(step),
      },
      CreatedAt: { header: 'CREATED AT', value: time },
      CreatedBy: { header: 'CREATED BY', value: ({ createdBy }) => shorten(createdBy) },
      Size: {
        header: 'SIZE',
        value: ({ sizeBytes }) => (human ? humanSize(sizeBytes) : String(sizeBytes)),
      },
      Comment: { header: 'COMMENT', value: ({ comment }) => comment },
      Tags: { header: 'TAGS', value: ({ tags }) => tags.join(','), notInJson: true },
    },
  };
}
