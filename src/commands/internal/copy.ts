// Hidden: the child that src/builder/copy starts. Its one argument is a request; data comes by stdin, the reply goes to stderr.

import { serveCopy } from '../../builder/copy/serve.ts';
import { defineCommand } from '../../cli/command.ts';

export default defineCommand({
  name: '__copy',
  summary: 'select or copy files for a build (internal)',
  args: 'REQUEST',
  minArgs: 1,
  maxArgs: 1,
  hidden: true,
  flags: {},
  async run({ args }) {
    return await serveCopy(args[0] as string, process.stdin);
  },
});
