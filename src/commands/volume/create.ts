// `skiff volume create`: makes a volume, or finds that it is there.

import { defineCommand } from '../../cli/command.ts';
import { makeVolume } from '../../volume/create.ts';

export default defineCommand({
  name: 'volume create',
  summary: 'Create a volume',
  args: '[VOLUME]',
  maxArgs: 1,
  flags: {
    driver: {
      type: 'string',
      short: 'd',
      value: 'DRIVER',
      default: 'local',
      help: 'the driver; local is the only one',
    },
    ignore: { type: 'boolean', hidden: true, help: 'accepted for podman: an existing volume is no error' },
    label: { type: 'list', short: 'l', value: 'KEY[=VALUE]', help: 'add a label' },
    name: { type: 'string', value: 'NAME', hidden: true, help: 'name of the volume' },
    opt: {
      type: 'list',
      short: 'o',
      value: 'KEY=VALUE',
      help: 'driver option: type=none, o=bind and device=DIR for a directory of the host; type=tmpfs',
    },
  },
  examples: [
    'volume create data',
    'volume create -o type=none -o o=bind -o device=/srv/data data',
    'volume create -o type=tmpfs -o device=tmpfs -o o=size=64m scratch',
  ],
  run({ args, flags, cx }) {
    const { driver, label: labels, opt: options } = flags;
    cx.io.stdout(makeVolume(cx, { name: args[0], flagName: flags.name, driver, labels, options }));
    return 0;
  },
});
