// `skiff logs`: what a container wrote, each stream to its own.

import { defineCommand } from '../cli/command.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { oneTarget } from '../container/targets.ts';
import { printLogs } from '../container/logs/print-logs.ts';

export default defineCommand({
  name: 'logs',
  group: 'container',
  summary: 'Show the output of a container',
  args: 'CONTAINER',
  flags: {
    ...ONE_TARGET_FLAGS,
    details: { type: 'boolean', help: 'show extra details given to the log driver (there are none)' },
    follow: { type: 'boolean', short: 'f', help: 'go on until the container ends' },
    since: {
      type: 'string',
      value: 'TIME',
      help: 'only newer entries: 10m, 2026-01-02T15:04:05Z or Unix seconds',
    },
    tail: { type: 'string', short: 'n', value: 'N', default: 'all', help: 'only the last n entries' },
    timestamps: { type: 'boolean', short: 't', help: 'begin each line with its time' },
    until: { type: 'string', value: 'TIME', help: 'only older entries' },
  },
  examples: ['logs web', 'logs --tail 20 --follow web'],
  async run({ args, flags, cx }) {
    const { target } = oneTarget(cx.paths, { name: 'logs', args: 'CONTAINER' }, args, flags);
    await printLogs(cx, target, flags, {
      stdout: (bytes) => cx.io.stdoutBytes(bytes),
      stderr: (bytes) => cx.io.stderrBytes(bytes),
    });
    return 0;
  },
});
