// `skiff import`: an image from the tar of a file system.

import { defineCommand } from '../cli/command.ts';
import { EngineError } from '../core/errors.ts';
import { importImage, type ImportSource } from '../image/import.ts';
import { hostPlatform, platformFromFlags } from '../core/platform.ts';
import { defaultIdMap } from '../system/default-idmap.ts';

export default defineCommand({
  name: 'import',
  group: 'image',
  summary: 'Make an image of the tar archive of a file system',
  args: 'FILE|URL|- [REPOSITORY[:TAG]]',
  minArgs: 1,
  maxArgs: 2,
  flags: {
    change: {
      type: 'list',
      short: 'c',
      value: 'INSTRUCTION',
      help: 'apply a Dockerfile instruction to the new image, such as \'CMD ["sh"]\'',
    },
    message: { type: 'string', short: 'm', value: 'TEXT', help: 'comment for the history' },
    platform: { type: 'string', value: 'OS/ARCH[/VARIANT]', help: 'what the files are for' },
    quiet: { type: 'boolean', short: 'q', help: 'print the id alone, as always' },
  },
  description: 'Plain, gzip or zstd; xz and bzip2 where those programs are installed.',
  examples: ['import root.tar.gz base:1', `import -c 'CMD ["sh"]' https://example.com/root.tar.xz base`],
  async run({ args, flags, cx }) {
    const [text = '', name] = args;
    const host = hostPlatform(process.arch);
    const platform = platformFromFlags({ platform: flags.platform }, host) ?? host;
    const source = sourceOf(text, cx.io.stdinIsTerminal);
    const { change: changes, message } = flags;
    cx.io.stdout(
      await importImage(cx, source, { name, message, changes, platform, idMap: defaultIdMap(cx) }),
    );
    return 0;
  },
});

function sourceOf(text: string, stdinIsTerminal: boolean): ImportSource {
  if (/^https?:\/\//i.test(text)) {
    try {
      return { url: new URL(text) };
    } catch {
      throw new EngineError('USAGE', `importing ${JSON.stringify(text)}: it is no valid URL`);
    }
  }
  if (text !== '-') return { path: text };
  if (!stdinIsTerminal) return { stream: process.stdin };
  throw new EngineError('USAGE', 'importing from stdin: it is a terminal', {
    hint: 'name a file or pipe an archive into the command',
  });
}
