// `skiff port`: the published ports of a container.

import { defineCommand } from '../cli/command.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { oneTarget } from '../container/targets.ts';
import { portLines } from '../container/port.ts';
import { findContainer } from '../container/records.ts';
import { readState } from '../container/state.ts';

export default defineCommand({
  name: 'port',
  group: 'container',
  summary: 'Show the published ports of a container',
  args: 'CONTAINER [PORT[/PROTO]]',
  flags: ONE_TARGET_FLAGS,
  examples: ['port web', 'port web 80'],
  run({ args, flags, cx }) {
    const usage = { name: 'port', args: 'CONTAINER [PORT[/PROTO]]', max: 1 };
    const { target, rest } = oneTarget(cx.paths, usage, args, flags);
    const spec = findContainer(cx.paths, target);
    const runs = readState(cx.paths, spec.id).status === 'running';
    const shown = runs ? spec : { ...spec, network: { ...spec.network, ports: [] } };
    for (const line of portLines(shown, rest[0])) cx.io.stdout(line);
    return 0;
  },
});
