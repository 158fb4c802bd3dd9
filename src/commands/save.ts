// `skiff save`: images as an archive.

import { defineCommand } from '../cli/command.ts';
import { withOutput } from '../cli/output.ts';
import { hostPlatform, platformFromFlags } from '../core/platform.ts';
import { ARCHIVE_FORMATS, saveImages, type ArchiveFormat } from '../image/save.ts';

export default defineCommand({
  name: 'save',
  group: 'image',
  summary: 'Write images to an archive that load, docker, podman and skopeo read',
  args: 'IMAGE...',
  minArgs: 1,
  flags: {
    format: {
      type: 'string',
      value: 'FORMAT',
      choices: ARCHIVE_FORMATS,
      default: 'docker-archive',
      help: 'docker-archive (an OCI layout too) or oci-archive',
    },
    output: { type: 'string', short: 'o', value: 'FILE', help: 'write to a file instead of stdout' },
    platform: {
      type: 'string',
      value: 'OS/ARCH[/VARIANT]',
      help: 'of an image of several platforms, this one alone',
    },
    quiet: { type: 'boolean', short: 'q', help: 'print nothing, as always' },
    'multi-image-archive': { type: 'boolean', short: 'm', help: 'several images in one archive, as always' },
  },
  examples: ['save -o app.tar app:1 db:2', 'save app | zstd > app.tar.zst'],
  async run({ args, flags, cx }) {
    const format = flags.format as ArchiveFormat;
    const platform = platformFromFlags({ platform: flags.platform }, hostPlatform(process.arch));
    await withOutput(flags.output, cx.io, ({ write }) => saveImages(cx, args, format, write, platform));
    return 0;
  },
});
