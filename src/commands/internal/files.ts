// Hidden: the child that src/container/files starts. Its one argument is a request; data goes by stdin and stdout, the
// reply to stderr.

import { defineCommand } from '../../cli/command.ts';
import { serveFiles } from '../../container/files/serve.ts';

export default defineCommand({
  name: '__files',
  summary: "work on a container's files (internal)",
  args: 'REQUEST',
  minArgs: 1,
  maxArgs: 1,
  hidden: true,
  flags: {},
  async run({ args, cx }) {
    return await serveFiles(args[0] as string, {
      input: process.stdin,
      write: (chunk) => cx.io.stdoutBytes(chunk),
    });
  },
});
