// `skiff tag`: another name for an image.

import { defineCommand } from '../cli/command.ts';
import { tagImage } from '../image/tag.ts';

export default defineCommand({
  name: 'tag',
  group: 'image',
  summary: 'Give an image another name',
  args: 'IMAGE NAME[:TAG]...',
  minArgs: 2,
  flags: {},
  examples: ['tag debian:12 registry.example.com/team/base:1'],
  async run({ args, cx }) {
    const [source = '', ...targets] = args;
    await tagImage(cx.paths, source, targets);
    return 0;
  },
});
