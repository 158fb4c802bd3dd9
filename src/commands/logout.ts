// `skiff logout`: forgets a login, here and in the credential helper.

import { defineCommand } from '../cli/command.ts';
import { REGISTRY_FLAGS } from '../cli/registry-flags.ts';
import { logOut, registryNamed } from '../image/login.ts';

export default defineCommand({
  name: 'logout',
  group: 'image',
  summary: 'Forget the login of a registry',
  args: '[REGISTRY]',
  maxArgs: 1,
  flags: {
    all: { type: 'boolean', short: 'a', help: 'of all registries', default: false },
    authfile: REGISTRY_FLAGS.authfile,
  },
  examples: ['logout registry.example.com'],
  async run({ args, flags, cx }) {
    const done = await logOut(cx, registryNamed(args[0]), { authFile: flags.authfile, all: flags.all });
    for (const { registry, had } of done)
      cx.io.stdout(had ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`);
    return 0;
  },
});
