// `skiff rename`: gives a container another name.

import { defineCommand } from '../cli/command.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { oneTarget } from '../container/targets.ts';
import { findContainer } from '../container/records.ts';
import { renameContainer } from '../container/rename.ts';

export default defineCommand({
  name: 'rename',
  group: 'container',
  summary: 'Rename a container',
  args: 'CONTAINER NAME',
  flags: ONE_TARGET_FLAGS,
  examples: ['rename brave_sloop web'],
  async run({ args, flags, cx }) {
    const usage = { name: 'rename', args: 'CONTAINER NAME', min: 1 };
    const { target, rest } = oneTarget(cx.paths, usage, args, flags);
    await renameContainer(cx.paths, findContainer(cx.paths, target), rest[0] as string);
    return 0;
  },
});
