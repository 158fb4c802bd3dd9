// Hidden: the child that src/image/layer/diff.ts and changes.ts start. Its one argument is a request; data goes to stdout,
// the reply to stderr.

import { defineCommand } from '../../cli/command.ts';
import { serveLayer } from '../../image/layer/serve-diff.ts';

export default defineCommand({
  name: '__layer',
  summary: 'pack one layer (internal)',
  args: 'REQUEST',
  minArgs: 1,
  maxArgs: 1,
  hidden: true,
  flags: {},
  async run({ args, cx }) {
    return await serveLayer(args[0] as string, (chunk) => cx.io.stdoutBytes(chunk));
  },
});
