// `skiff rmi`: takes names away, and removes what nobody needs any more.

import { defineCommand } from '../cli/command.ts';
import { forEachTarget } from '../cli/targets.ts';
import { EngineError } from '../core/errors.ts';
import { allImageIds, removeImage, type Removed } from '../image/rm.ts';
import { defaultIdMap } from '../system/default-idmap.ts';

export default defineCommand({
  name: 'rmi',
  aliases: ['image rm', 'image remove'],
  summary: 'Remove images',
  args: 'IMAGE...',
  flags: {
    all: { type: 'boolean', short: 'a', help: 'remove all images', default: false },
    force: {
      type: 'boolean',
      short: 'f',
      help: 'also when stopped containers use it or it has several names',
      default: false,
    },
    ignore: { type: 'boolean', short: 'i', help: 'no error for images that are missing', default: false },
    'no-prune': {
      type: 'boolean',
      hidden: true,
      help: 'accepted for docker: parents are never removed by themselves',
    },
    quiet: { type: 'boolean', hidden: true, help: 'print nothing but errors', default: false },
  },
  examples: ['rmi debian:12', 'rmi -f $(skiff images -q)'],
  async run({ args, flags, cx }) {
    if (args.length === 0 && !flags.all) {
      throw new EngineError('USAGE', 'removing images: no image named', {
        hint: 'name images, or give --all',
      });
    }
    const options = { force: flags.force, everyName: flags.all, idMap: defaultIdMap(cx) };
    const targets = flags.all ? allImageIds(cx.paths) : args;
    return await forEachTarget(cx, targets, async (target) => {
      try {
        const removed = await removeImage(cx, target, options);
        if (!flags.quiet) for (const line of removedLines(removed)) cx.io.stdout(line);
      } catch (error) {
        // docker's --force, too, makes a missing image no error.
        const ignored =
          error instanceof EngineError && error.code === 'IMAGE_NOT_FOUND' && (flags.ignore || flags.force);
        if (!ignored) throw error;
      }
    });
  },
});

function removedLines({ untagged, deleted }: Removed): string[] {
  return [...untagged.map((name) => `Untagged: ${name}`), ...deleted.map((digest) => `Deleted: ${digest}`)];
}
