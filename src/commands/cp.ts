// `skiff cp`: files between a container and the host.

import { defineCommand } from '../cli/command.ts';
import { humanSize } from '../cli/human.ts';
import { EngineError } from '../core/errors.ts';
import { parseCopyEnd } from '../container/files/copy-end.ts';
import { copyFiles } from '../container/files/copy.ts';

export default defineCommand({
  name: 'cp',
  group: 'container',
  aliases: ['container copy'],
  summary: 'Copy files between a container and the host',
  args: 'CONTAINER:SOURCE DESTINATION|- | SOURCE|- CONTAINER:DESTINATION',
  minArgs: 2,
  maxArgs: 2,
  flags: {
    archive: { type: 'boolean', short: 'a', help: 'keep the owners of the files', default: false },
    'follow-link': {
      type: 'boolean',
      short: 'L',
      help: 'copy what a symbolic link as SOURCE points to',
      default: false,
    },
    quiet: { type: 'boolean', short: 'q', help: 'do not say how much was copied' },
  },
  description:
    'The container need not run. A directory is copied into an existing one; "SOURCE/." means what is in it. Without --archive, files in a container belong to its root, and files on the host to you.\n\n"-" is a tar archive on stdin or stdout.',
  examples: ['cp web:/etc/nginx ./nginx', 'cp index.html web:/srv/', 'cp web:/var/log - | tar -tv'],
  async run({ args, flags, cx }) {
    const [source = '', destination = ''] = args;
    const [from, to] = [parseCopyEnd(source), parseCopyEnd(destination)];
    if (to.kind === 'stream' && from.kind === 'container' && cx.io.stdoutIsTerminal)
      throw new EngineError('USAGE', 'cowardly refusing to write an archive to a terminal', { exitCode: 1 });
    const options = { archive: flags.archive, followLink: flags['follow-link'] };
    const bytes = await copyFiles(cx, from, to, options);
    // As docker: for people, not for scripts.
    if (bytes !== undefined && !(flags.quiet ?? !cx.io.stdoutIsTerminal))
      cx.io.stderr(`Successfully copied ${humanSize(bytes)} to ${destination}`);
    return 0;
  },
});
