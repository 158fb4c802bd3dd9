// `skiff manifest inspect`: an image or index of a registry, as it is there.

import { defineCommand } from '../../cli/command.ts';
import { REGISTRY_FLAGS, registryOptions } from '../../cli/registry-flags.ts';
import { inspectRemoteManifest } from '../../image/remote-manifest.ts';

export default defineCommand({
  name: 'manifest inspect',
  summary: 'Show the manifest of an image in a registry, or its index',
  args: 'IMAGE',
  minArgs: 1,
  maxArgs: 1,
  flags: {
    insecure: {
      type: 'boolean',
      help: 'the registry may speak HTTP or have any certificate',
      default: false,
    },
    verbose: {
      type: 'boolean',
      short: 'v',
      help: 'with platform and digest, and of an index the manifests that it names',
      default: false,
    },
    ...REGISTRY_FLAGS,
  },
  examples: ['manifest inspect debian:12', 'manifest inspect -v registry.example.com/team/app:1'],
  async run({ args, flags, cx }) {
    const given = registryOptions(flags);
    const registry = flags.insecure ? { ...given, tlsVerify: false } : given;
    const { bytes, images } = await inspectRemoteManifest(cx, args[0] ?? '', {
      verbose: flags.verbose,
      registry,
    });
    const value: unknown = images ?? JSON.parse(Buffer.from(bytes).toString());
    cx.io.stdout(JSON.stringify(value, undefined, '\t'));
    return 0;
  },
});
