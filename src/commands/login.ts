// `skiff login`: the password comes from stdin, from the terminal, or from a flag that everybody can see.

import { defineCommand } from '../cli/command.ts';
import { REGISTRY_FLAGS, registryOptions } from '../cli/registry-flags.ts';
import { askLine, readStdin } from '../cli/secret.ts';
import { EngineError } from '../core/errors.ts';
import { logIn, registryNamed } from '../image/login.ts';

export default defineCommand({
  name: 'login',
  group: 'image',
  summary: 'Log in to a registry',
  args: '[REGISTRY]',
  maxArgs: 1,
  flags: {
    username: { type: 'string', short: 'u', value: 'NAME', help: 'user name' },
    password: {
      type: 'string',
      short: 'p',
      value: 'PASSWORD',
      help: 'password; others see it: use --password-stdin',
    },
    'password-stdin': { type: 'boolean', help: 'take the password from stdin', default: false },
    authfile: REGISTRY_FLAGS.authfile,
    'cert-dir': REGISTRY_FLAGS['cert-dir'],
    'tls-verify': REGISTRY_FLAGS['tls-verify'],
  },
  examples: ['login -u alice registry.example.com', 'login -u alice --password-stdin < password'],
  async run({ args, flags, cx }) {
    const registry = registryNamed(args[0]);
    const fromStdin = flags['password-stdin'];
    if (fromStdin && flags.password !== undefined)
      throw usage('--password and --password-stdin are mutually exclusive');
    if (fromStdin && (flags.username ?? '') === '')
      throw usage('must provide --username with --password-stdin');
    if (flags.password !== undefined)
      cx.io.stderr('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    const username = flags.username ?? (await askLine(cx.io, 'Username: ', { hidden: false }));
    const password = fromStdin
      ? (await readStdin()).replace(/\r?\n$/, '')
      : (flags.password ?? (await askLine(cx.io, 'Password: ', { hidden: true })));
    if (username === '') throw usage('username is empty');
    if (password === '') throw usage('password is empty');
    const options = registryOptions({
      ...flags,
      creds: undefined,
      retry: undefined,
      'retry-delay': undefined,
    });
    const file = await logIn(cx, registry, { username, password }, options);
    if (file !== undefined)
      cx.io.stderr(
        `WARNING! Your password will be stored unencrypted in ${file}.\nConfigure a credential helper to remove this warning.`,
      );
    cx.io.stdout('Login Succeeded');
    return 0;
  },
});

function usage(message: string): EngineError {
  return new EngineError('USAGE', message, { exitCode: 1 });
}
