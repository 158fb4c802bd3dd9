// `skiff rename`: gives a container another name.

import { defineCommand } from '../cli/command.ts';
import { findContainer } from '../container/records.ts';
import { renameContainer } from '../container/rename.ts';

export default defineCommand({
  name: 'rename',
  group: 'container',
  summary: 'Rename a container',
  args: 'CONTAINER NAME',
  minArgs: 2,
  maxArgs: 2,
  flags: {},
  examples: ['rename brave_sloop web'],
  async run({ args, cx }) {
    const [reference = '', name = ''] = args;
    await renameContainer(cx.paths, findContainer(cx.paths, reference), name);
    return 0;
  },
});
