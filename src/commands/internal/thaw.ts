// Hidden: the child that src/container/hold-paused.ts starts. Its argument is a group, which it thaws when its stdin ends.

import { defineCommand } from '../../cli/command.ts';
import { serveThaw } from '../../container/hold-paused.ts';

export default defineCommand({
  name: '__thaw',
  summary: 'let a container go on (internal)',
  args: 'GROUP',
  minArgs: 1,
  maxArgs: 1,
  hidden: true,
  flags: {},
  async run({ args, cx }) {
    // A Ctrl-C is for who started us, and comes to us all the same.
    cx.signal.addEventListener('abort', () => undefined);
    return await serveThaw(args[0] as string, process.stdin);
  },
});
