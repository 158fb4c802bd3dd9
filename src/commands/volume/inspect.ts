// `skiff volume inspect`: everything about volumes as JSON.

import { defineCommand } from '../../cli/command.ts';
import { formatInspect } from '../../cli/format.ts';
import { forEachTarget } from '../../cli/targets.ts';
import { inspectVolume, type VolumeInspect } from '../../volume/inspect.ts';
import { getVolume } from '../../volume/records.ts';

export default defineCommand({
  name: 'volume inspect',
  summary: 'Show everything about volumes',
  args: 'VOLUME...',
  minArgs: 1,
  flags: {
    format: { type: 'string', short: 'f', value: 'TEMPLATE', help: 'a Go template, or json' },
  },
  examples: ['volume inspect data', "volume inspect -f '{{.Mountpoint}}' data"],
  async run({ args, flags, cx }) {
    const found: VolumeInspect[] = [];
    try {
      return await forEachTarget(
        cx,
        args,
        (name) => void found.push(inspectVolume(getVolume(cx.paths, name))),
      );
    } finally {
      // As docker: an array even when it is empty, so that whoever parses it gets JSON.
      const lines =
        found.length === 0 && flags.format !== undefined ? [] : formatInspect(found, flags.format);
      for (const line of lines) cx.io.stdout(line);
    }
  },
});
