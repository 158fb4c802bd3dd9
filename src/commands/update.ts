// `skiff update`: other limits, and another restart policy, for containers that are there.

import { defineCommand } from '../cli/command.ts';
import { LIMIT_FLAGS } from '../cli/limit-flags.ts';
import { LATEST_FLAG } from '../cli/target-flags.ts';
import { forEachTarget } from '../cli/targets.ts';
import { findContainer } from '../container/records.ts';
import { targetsOf } from '../container/targets.ts';
import { parseUpdate, updateContainer } from '../container/update.ts';

export default defineCommand({
  name: 'update',
  group: 'container',
  summary: 'Change the limits of one or more containers, or their restart policy',
  args: 'CONTAINER...',
  flags: {
    ...LATEST_FLAG,
    ...LIMIT_FLAGS,
    restart: { type: 'string', value: 'POLICY', help: 'no, on-failure[:N], always or unless-stopped' },
  },
  examples: ['update --memory 512m --cpus 1.5 web', 'update --restart unless-stopped web db'],
  description:
    'A container that runs has the new limits at once, else they count from its next start. All of the changes are made, or ' +
    'none. Without --memory-swap, that stays twice --memory unless it was given as something else.',
  async run({ args, flags, cx }) {
    const targets = targetsOf(cx.paths, args, { latest: flags.latest }, 'update');
    const { update, notes } = parseUpdate(flags);
    for (const note of notes) cx.log.warn(note);
    return await forEachTarget(cx, targets, (target) => {
      updateContainer(cx.paths, findContainer(cx.paths, target), update);
      cx.io.stdout(target);
    });
  },
});
