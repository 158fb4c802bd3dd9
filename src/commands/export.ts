// `skiff export`: a container's file system as a tar.

import { defineCommand } from '../cli/command.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { oneTarget } from '../container/targets.ts';
import { withOutput } from '../cli/output.ts';
import { exportContainer } from '../container/files/export.ts';

export default defineCommand({
  name: 'export',
  group: 'container',
  summary: "Write a container's file system as a tar archive",
  args: 'CONTAINER',
  flags: {
    ...ONE_TARGET_FLAGS,
    output: { type: 'string', short: 'o', value: 'FILE', help: 'write to a file instead of stdout' },
  },
  description: 'What is in volumes and other mounts is not part of it.',
  examples: ['export web -o web.tar', 'export web | tar -tv'],
  async run({ args, flags, cx }) {
    const { target } = oneTarget(cx.paths, { name: 'export', args: 'CONTAINER' }, args, flags);
    await withOutput(flags.output, cx.io, ({ fd }) => exportContainer(cx, target, fd));
    return 0;
  },
});
