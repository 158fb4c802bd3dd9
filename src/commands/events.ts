// `skiff events`: what happens to containers, images and volumes, as it happens.

import { defineCommand } from '../cli/command.ts';
import { eventJson, eventLine } from '../cli/event-text.ts';
import { lineFormatter } from '../cli/format.ts';
import { NO_EVENT, type Event } from '../system/event.ts';
import { processStartNs, readEvents, requestEvents } from '../system/events.ts';

export default defineCommand({
  name: 'events',
  group: 'system',
  summary: 'Show what happens to containers, images and volumes',
  args: '',
  maxArgs: 0,
  flags: {
    filter: { type: 'list', short: 'f', value: 'KEY=VALUE', help: 'show those that match' },
    format: { type: 'string', value: 'FORMAT', help: "'json', or a Go template" },
    'no-trunc': { type: 'boolean', hidden: true, help: 'nothing is ever shortened' },
    since: {
      type: 'string',
      value: 'TIME',
      help: 'begin in the past: 10m, 2026-01-02T15:04:05Z or Unix seconds',
    },
    stream: { type: 'boolean', default: true, help: 'go on when all that has happened was shown' },
    until: { type: 'string', value: 'TIME', help: 'end at that time' },
  },
  examples: [
    'events --filter event=start',
    'events --since 1h --until 0s',
    "events --format '{{json .}}' --filter label=ci",
  ],
  async run({ flags, cx }) {
    const request = requestEvents(flags, processStartNs());
    const text: (event: Event) => string =
      (flags.format ?? '') === '' ? eventLine : lineFormatter(flags.format as string, eventJson);
    text(NO_EVENT); // an unknown field is an error now, and not at the first event
    for await (const event of readEvents(cx.paths, request, { signal: cx.signal, outputFd: 1 }))
      cx.io.stdout(text(event));
    return 0;
  },
});
