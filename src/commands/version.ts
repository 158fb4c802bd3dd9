// `skiff version`: client and engine are one program; both sections exist because scripts read docker's.

import { defineCommand } from '../cli/command.ts';
import { formatObject } from '../cli/format.ts';
import { VERSION } from '../core/version.ts';

export default defineCommand({
  name: 'version',
  summary: 'Show the version',
  args: '',
  maxArgs: 0,
  flags: {
    format: { type: 'string', short: 'f', value: 'TEMPLATE', help: 'print by a Go template, or json' },
  },
  examples: ['version', "version --format '{{.Server.Version}}'"],
  run({ flags, cx }) {
    const client = facts();
    const value = { Client: client, Server: { ...client, Rootless: cx.hostUid !== 0 } };
    cx.io.stdout(
      formatObject(value, flags.format, () =>
        [
          'Client: skiff',
          ...lines(value.Client),
          '',
          'Server: skiff (the same program)',
          ...lines(value.Server),
        ].join('\n'),
      ),
    );
    return 0;
  },
});

/** SKIFF_BUILD_COMMIT is put in by scripts/build.mjs. The API version is docker's whose output we follow. */
function facts(): Record<string, unknown> {
  const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return {
    Version: VERSION,
    ApiVersion: '1.47',
    GitCommit: process.env['SKIFF_BUILD_COMMIT'] ?? '',
    Os: 'linux',
    Arch: architectures[process.arch] ?? process.arch,
  };
}

function lines(values: Record<string, unknown>): string[] {
  const names: Readonly<Record<string, string>> = { ApiVersion: 'API version', GitCommit: 'Git commit' };
  const { Os, Arch, ...rest } = values;
  const rows = [...Object.entries(rest), ['OS/Arch', `${String(Os)}/${String(Arch)}`] as const];
  return rows.map(([key, value]) => ` ${`${names[key] ?? key}:`.padEnd(20)}${String(value)}`);
}
