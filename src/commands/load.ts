// `skiff load`: images from an archive or an OCI folder.

import { defineCommand } from '../cli/command.ts';
import { openProgress } from '../cli/progress.ts';
import { EngineError } from '../core/errors.ts';
import { loadImages, type LoadSource } from '../image/load.ts';
import { displayReference } from '../image/names.ts';
import { hostPlatform, platformFromFlags } from '../core/platform.ts';
import { defaultIdMap } from '../system/default-idmap.ts';

export default defineCommand({
  name: 'load',
  group: 'image',
  summary: 'Load images from an archive or an OCI layout folder',
  args: '[FILE]',
  maxArgs: 1,
  flags: {
    input: { type: 'string', short: 'i', value: 'FILE', help: 'read a file or folder instead of stdin' },
    platform: {
      type: 'string',
      value: 'OS/ARCH[/VARIANT]',
      help: 'of images of several platforms, this one alone',
    },
    quiet: { type: 'boolean', short: 'q', help: 'no progress', default: false },
  },
  examples: ['load -i image.tar', 'load <app.tar', 'load ./oci-layout'],
  async run({ args, flags, cx }) {
    const source = sourceOf(flags.input ?? args[0], cx.io.stdinIsTerminal);
    const progress = await openProgress({ io: cx.io, quiet: flags.quiet });
    try {
      const platform = platformFromFlags({ platform: flags.platform }, hostPlatform(process.arch));
      const options = { idMap: defaultIdMap(cx), platform, onEvent: progress.onEvent };
      for (const { references, image } of await loadImages(cx, source, options)) {
        progress.close();
        for (const name of references) cx.io.stdout(`Loaded image: ${displayReference(name)}`);
        if (references.length === 0) cx.io.stdout(`Loaded image ID: ${image.index ?? image.imageId}`);
      }
      return 0;
    } finally {
      progress.close();
    }
  },
});

function sourceOf(path: string | undefined, stdinIsTerminal: boolean): LoadSource {
  if (path !== undefined && path !== '-') return { path };
  if (!stdinIsTerminal) return { stream: process.stdin };
  throw new EngineError('USAGE', 'loading from stdin: it is a terminal', {
    hint: 'name a file ("skiff load -i FILE") or pipe an archive into the command',
  });
}
