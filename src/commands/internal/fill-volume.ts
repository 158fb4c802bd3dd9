// Hidden: the child that src/container/volumes.ts starts. Its one argument is a request; its stdin is the volume's lock,
// which it keeps from being free while it works; its stdout gets one line with the reply.

import { defineCommand } from '../../cli/command.ts';
import { serveFill } from '../../container/copy-up.ts';

export default defineCommand({
  name: '__fill-volume',
  summary: 'fill one volume (internal)',
  args: 'REQUEST',
  minArgs: 1,
  maxArgs: 1,
  hidden: true,
  flags: {},
  run({ args, cx }) {
    const { reply, status } = serveFill(args[0] as string);
    cx.io.stdout(reply);
    return status;
  },
});
