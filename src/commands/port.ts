// `skiff port`: the published ports of a container.

import { defineCommand } from '../cli/command.ts';
import { portLines } from '../container/port.ts';
import { findContainer } from '../container/records.ts';
import { readState } from '../container/state.ts';

export default defineCommand({
  name: 'port',
  group: 'container',
  summary: 'Show the published ports of a container',
  args: 'CONTAINER [PORT[/PROTO]]',
  minArgs: 1,
  maxArgs: 2,
  flags: {},
  examples: ['port web', 'port web 80'],
  run({ args, cx }) {
    const [reference = '', wanted] = args;
    const spec = findContainer(cx.paths, reference);
    const runs = readState(cx.paths, spec.id).status === 'running';
    const shown = runs ? spec : { ...spec, network: { ...spec.network, ports: [] } };
    for (const line of portLines(shown, wanted)) cx.io.stdout(line);
    return 0;
  },
});
