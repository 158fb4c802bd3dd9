// Hidden: the child that src/image/layer/unpack.ts starts. Its one argument is a request, its stdin the layer, its stdout
// one line with the reply.

import { defineCommand } from '../../cli/command.ts';
import { serveUnpack } from '../../image/layer/serve.ts';

export default defineCommand({
  name: '__unpack',
  summary: 'unpack one layer (internal)',
  args: 'REQUEST',
  minArgs: 1,
  maxArgs: 1,
  hidden: true,
  flags: {},
  async run({ args, cx }) {
    const { reply, status } = await serveUnpack(args[0] as string, process.stdin);
    cx.io.stdout(reply);
    return status;
  },
});
