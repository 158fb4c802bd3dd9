// `skiff image inspect`: everything about images as JSON.

import { defineCommand } from '../../cli/command.ts';
import { formatInspect } from '../../cli/format.ts';
import { hostPlatform, platformFromFlags } from '../../core/platform.ts';
import { forEachTarget } from '../../cli/targets.ts';
import { inspectImage, type ImageInspect } from '../../image/inspect.ts';

export default defineCommand({
  name: 'image inspect',
  summary: 'Show everything about images',
  args: 'IMAGE...',
  minArgs: 1,
  flags: {
    format: { type: 'string', short: 'f', value: 'TEMPLATE', help: 'a Go template, or json' },
    platform: {
      type: 'string',
      value: 'OS/ARCH[/VARIANT]',
      help: 'which one of an image of several platforms',
    },
  },
  examples: ['image inspect debian', "image inspect -f '{{.Config.Env}}' debian"],
  async run({ args, flags, cx }) {
    const found: ImageInspect[] = [];
    const platform = platformFromFlags({ platform: flags.platform }, hostPlatform(process.arch));
    let status = 0;
    try {
      status = await forEachTarget(
        cx,
        args,
        (name) => void found.push(inspectImage(cx.paths, name, platform)),
      );
    } finally {
      // As docker: an array even when it is empty, so that whoever parses it gets JSON.
      const lines =
        found.length === 0 && flags.format !== undefined ? [] : formatInspect(found, flags.format);
      for (const line of lines) cx.io.stdout(line);
    }
    return status;
  },
});
