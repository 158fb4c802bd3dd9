// `skiff push`. What docker prints goes to stdout, or with --quiet the full reference alone; signs of life to stderr.

import { defineCommand } from '../cli/command.ts';
import { printPush } from '../cli/push-output.ts';
import { REGISTRY_FLAGS, registryOptions } from '../cli/registry-flags.ts';
import { writeAll } from '../core/fs.ts';
import { openOutputFile } from '../core/output-file.ts';
import { chooseCompression, COMPRESSIONS, type LayerCompression } from '../image/compress.ts';
import { hostPlatform, platformFromFlags } from '../core/platform.ts';
import { pushImage } from '../image/push.ts';
import { listLocalTags } from '../image/push-source.ts';
import { MANIFEST_FORMATS, type ManifestFormat } from '../image/push-manifest.ts';

export default defineCommand({
  name: 'push',
  group: 'image',
  summary: 'Upload an image to a registry',
  args: 'IMAGE [DESTINATION]',
  minArgs: 1,
  maxArgs: 2,
  flags: {
    'all-tags': { type: 'boolean', short: 'a', help: 'push every tag of the repository', default: false },
    'compression-format': {
      type: 'string',
      value: 'FORMAT',
      choices: COMPRESSIONS,
      default: 'gzip',
      help: 'how layers are compressed that are not yet: gzip or zstd',
    },
    'compression-level': {
      type: 'number',
      value: 'N',
      help: 'gzip: 1 to 9 (default 6); zstd: 1 to 20 (default 3)',
    },
    digestfile: { type: 'string', value: 'FILE', help: 'write the digest of the pushed image to a file' },
    format: {
      type: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: MANIFEST_FORMATS,
      help: 'manifest type: oci, or v2s2 (docker’s); default: that of the image',
    },
    platform: {
      type: 'string',
      value: 'OS/ARCH[/VARIANT]',
      help: 'of an image of several platforms, this one alone',
    },
    quiet: { type: 'boolean', short: 'q', help: 'print the full reference alone', default: false },
    'remove-signatures': { type: 'boolean', help: 'accepted for podman; signatures are never pushed along' },
    'disable-content-trust': {
      type: 'boolean',
      hidden: true,
      help: 'accepted for docker; there is nothing to disable',
    },
    ...REGISTRY_FLAGS,
  },
  examples: [
    'push registry.example.com/team/app:1',
    'push app registry.example.com/team/app:1',
    'push --all-tags registry.example.com/team/app',
    'push --compression-format zstd localhost:5000/app',
  ],
  async run({ args, flags, cx }) {
    const [name = '', destination] = args;
    const names = flags['all-tags'] ? listLocalTags(cx.paths, name) : [name];
    const platform = platformFromFlags({ platform: flags.platform }, hostPlatform(process.arch));
    const format = flags['compression-format'] as LayerCompression;
    const compression = chooseCompression(format, flags['compression-level']);
    const digestFile = flags.digestfile === undefined ? undefined : openOutputFile(flags.digestfile);
    const view = printPush(cx.io, flags.quiet);
    try {
      let digest = '';
      for (const one of names)
        digest = await pushImage(cx, one, {
          destination,
          compression,
          platform,
          format: flags.format as ManifestFormat | undefined,
          registry: registryOptions(flags),
          onEvent: view.onEvent,
        });
      if (digestFile !== undefined) writeAll(digestFile.fd, Buffer.from(digest));
      digestFile?.commit();
    } finally {
      view.close();
      digestFile?.discard();
    }
    return 0;
  },
});
