// `skiff pull`. The full reference of each image, or with --quiet its id, goes to stdout, all the rest to stderr.

import { defineCommand } from '../cli/command.ts';
import { openProgress } from '../cli/progress.ts';
import { forEachTarget } from '../cli/targets.ts';
import { ensureImage, PULL_POLICIES, type PullPolicy } from '../image/ensure-image.ts';
import { fullReference } from '../image/names.ts';
import { hostPlatform, platformFromFlags } from '../core/platform.ts';
import { listAllTags } from '../image/pull-all.ts';
import { REGISTRY_FLAGS, registryOptions } from '../cli/registry-flags.ts';
import { defaultIdMap } from '../system/default-idmap.ts';

export default defineCommand({
  name: 'pull',
  group: 'image',
  summary: 'Fetch images from a registry',
  args: 'IMAGE...',
  minArgs: 1,
  flags: {
    'all-tags': { type: 'boolean', short: 'a', help: 'fetch every tag of the repository', default: false },
    platform: { type: 'string', value: 'OS/ARCH[/VARIANT]', help: 'fetch the image for another platform' },
    quiet: { type: 'boolean', short: 'q', help: 'print the image id alone', default: false },
    policy: {
      type: 'string',
      value: 'POLICY',
      choices: PULL_POLICIES,
      default: 'always',
      help: 'when to ask the registry: always, missing, newer or never',
    },
    arch: { type: 'string', value: 'ARCH', help: 'architecture instead of this machine’s' },
    os: { type: 'string', value: 'OS', help: 'operating system instead of this machine’s' },
    variant: { type: 'string', value: 'VARIANT', help: 'variant of the architecture' },
    'disable-content-trust': {
      type: 'boolean',
      hidden: true,
      help: 'accepted for docker; there is nothing to disable',
    },
    ...REGISTRY_FLAGS,
  },
  examples: [
    'pull debian',
    'pull --platform linux/arm64 alpine:3',
    'pull -q registry.example.com/team/app@sha256:…',
  ],
  async run({ args, flags, cx }) {
    const platform = platformFromFlags(flags, hostPlatform(process.arch));
    const registry = registryOptions(flags);
    const progress = await openProgress({ io: cx.io, quiet: flags.quiet });
    const options = { idMap: defaultIdMap(cx), platform, registry, onEvent: progress.onEvent };
    try {
      const names = flags['all-tags'] ? await listAllTags(cx, args, registry) : args;
      return await forEachTarget(cx, names, async (name) => {
        const image = await ensureImage(cx, name, flags.policy as PullPolicy, options);
        cx.io.stdout(flags.quiet ? image.imageId.slice('sha256:'.length) : fullReference(name));
      });
    } finally {
      progress.close();
    }
  },
});
