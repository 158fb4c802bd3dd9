// `skiff image inspect`: everything about images as JSON.

import { defineCommand } from '../../cli/command.ts';
import { formatInspect } from '../../cli/format.ts';
import { forEachTarget } from '../../cli/targets.ts';
import { inspectImage, type ImageInspect } from '../../image/inspect.ts';

export default defineCommand({
  name: 'image inspect',
  summary: 'Show everything about images',
  args: 'IMAGE...',
  minArgs: 1,
  flags: {
    format: { type: 'string', short: 'f', value: 'TEMPLATE', help: 'a Go template, or json' },
  },
  examples: ['image inspect debian', "image inspect -f '{{.Config.Env}}' debian"],
  async run({ args, flags, cx }) {
    const found: ImageInspect[] = [];
    const status = await forEachTarget(cx, args, (name) => void found.push(inspectImage(cx.paths, name)));
    if (found.length > 0 || flags.format === undefined) {
      for (const line of formatInspect(found, flags.format)) cx.io.stdout(line);
    }
    return status;
  },
});
