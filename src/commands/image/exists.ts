// `skiff image exists`: the answer is the exit status.

import { defineCommand } from '../../cli/command.ts';
import { imageExists } from '../../image/get.ts';

export default defineCommand({
  name: 'image exists',
  summary: 'Tell by the exit status whether an image is in the store (0 yes, 1 no)',
  args: 'IMAGE',
  minArgs: 1,
  maxArgs: 1,
  flags: {},
  run({ args, cx }) {
    return imageExists(cx.paths, args[0] ?? '') ? 0 : 1;
  },
});
