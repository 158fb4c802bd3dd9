// `skiff volume exists`: the answer is the exit status.

import { defineCommand } from '../../cli/command.ts';
import { findVolume } from '../../volume/records.ts';

export default defineCommand({
  name: 'volume exists',
  summary: 'Tell by the exit status whether there is a volume (0 yes, 1 no)',
  args: 'VOLUME',
  minArgs: 1,
  maxArgs: 1,
  flags: {},
  run({ args, cx }) {
    return findVolume(cx.paths, args[0] ?? '') === undefined ? 1 : 0;
  },
});
