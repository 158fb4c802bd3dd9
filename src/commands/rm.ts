// `skiff rm`: removes containers by id, id prefix or name.

import { defineCommand } from '../cli/command.ts';
import { checkTime } from '../cli/stop-flags.ts';
import { TARGET_FLAGS } from '../cli/target-flags.ts';
import { removeByReference } from '../container/rm.ts';
import { filteredTargets, targetsOf } from '../container/targets.ts';

export default defineCommand({
  name: 'rm',
  group: 'container',
  aliases: ['container remove'],
  summary: 'Remove one or more containers',
  args: 'CONTAINER...',
  flags: {
    ...TARGET_FLAGS,
    filter: { type: 'list', value: 'KEY=VALUE', help: 'those that match, as for ps' },
    force: { type: 'boolean', short: 'f', help: 'kill running containers first; missing ones are no error' },
    ignore: { type: 'boolean', short: 'i', help: 'missing containers are no error' },
    time: {
      type: 'number',
      short: 't',
      value: 'SECONDS',
      help: 'with --force: time to stop before it is killed (0); -1: never killed',
    },
    volumes: { type: 'boolean', short: 'v', help: 'remove anonymous volumes of the containers too' },
  },
  examples: ['rm web', 'rm --force --volumes --all'],
  async run({ args, flags, cx }) {
    checkTime(flags.time);
    const request = {
      stopTimeS: flags.time,
      cancel: cx.signal,
      force: flags.force === true,
      ignore: flags.ignore === true,
      volumes: flags.volumes === true,
    };
    const targets =
      flags.filter.length > 0
        ? await filteredTargets(cx.paths, args, flags, 'rm')
        : targetsOf(cx.paths, args, flags, 'rm');
    return await removeByReference(cx.paths, targets, request, {
      removed: (reference) => cx.io.stdout(reference),
      failed: (text) => cx.io.stderr(text),
    });
  },
});
