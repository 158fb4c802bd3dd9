// `skiff buildx version`: tools ask it to find out whether, and how, they may build. They take the first x.y.z of the line
// for docker's plugin and expect the flags of that version; ours stands behind it as build metadata.

import { defineCommand } from '../../cli/command.ts';
import { VERSION } from '../../core/version.ts';

/** The buildx whose flags `build` follows. */
const BUILDX_VERSION = '0.24.0';

export default defineCommand({
  name: 'buildx version',
  summary: 'Show the version of buildx that builds are compatible with',
  args: '',
  maxArgs: 0,
  flags: {},
  examples: ['buildx version'],
  run({ cx }) {
    const commit = process.env['SKIFF_BUILD_COMMIT'] ?? '';
    cx.io.stdout(
      `github.com/docker/buildx v${BUILDX_VERSION}+skiff.${VERSION}${commit === '' ? '' : ` ${commit}`}`,
    );
    return 0;
  },
});
