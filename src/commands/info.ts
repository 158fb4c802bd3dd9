// `skiff info`: the store, what is in it, and how containers are isolated here.

import { defineCommand } from '../cli/command.ts';
import { formatObject } from '../cli/format.ts';
import { humanMemory } from '../cli/human.ts';
import { readInfo, type Info } from '../system/info.ts';

export default defineCommand({
  name: 'info',
  group: 'system',
  summary: 'Show the store, its contents and how containers are isolated',
  args: '',
  maxArgs: 0,
  flags: {
    format: { type: 'string', short: 'f', value: 'TEMPLATE', help: 'print by a Go template, or json' },
  },
  examples: ['info', "info --format '{{.DockerRootDir}}'", 'info --format json'],
  run({ flags, cx }) {
    const info = readInfo(cx);
    cx.io.stdout(formatObject(info, flags.format, () => infoText(info)));
    for (const warning of flags.format === undefined ? info.Warnings : []) cx.log.warn(warning);
    return 0;
  },
});

/** docker's layout: one line a fact, details indented. */
function infoText(info: Info): string {
  const { Isolation: isolation, RunRoot, NetworkProgram, Offline } = info.Skiff;
  const mirrors = Object.entries(info.RegistryConfig.Mirrors).map(
    ([name, hosts]) => `${name}: ${hosts.join(', ')}`,
  );
  return [
    `Containers: ${info.Containers}`,
    ` Running: ${info.ContainersRunning}`,
    ` Paused: ${info.ContainersPaused}`,
    ` Stopped: ${info.ContainersStopped}`,
    `Images: ${info.Images}`,
    `Server Version: ${info.ServerVersion}`,
    `Storage Driver: ${info.Driver}`,
    `Storage Root: ${info.DockerRootDir}`,
    `Volatile Root: ${RunRoot}`,
    `Isolation: ${isolation.Mode}`,
    ...isolation.UidMap.map((map) => ` Uid Map: ${map}`),
    ...isolation.GidMap.map((map) => ` Gid Map: ${map}`),
    `Cgroup Driver: ${info.CgroupDriver}`,
    `Cgroup Version: ${info.CgroupVersion}`,
    `Default Network: ${NetworkProgram === '' ? 'none (neither pasta nor slirp4netns is installed)' : NetworkProgram}`,
    'Security Options:',
    ...info.SecurityOptions.map(
      (option) => `  ${option.replace(/^name=/, '').replace(/,(\w+)=/g, '\n   $1: ')}`,
    ),
    `Kernel Version: ${info.KernelVersion}`,
    `Operating System: ${info.OperatingSystem}`,
    `OSType: ${info.OSType}`,
    `Architecture: ${info.Architecture}`,
    `CPUs: ${info.NCPU}`,
    `Total Memory: ${humanMemory(info.MemTotal)}`,
    `Name: ${info.Name}`,
    ...(info.HttpProxy === '' ? [] : [`HTTP Proxy: ${info.HttpProxy}`]),
    ...(info.HttpsProxy === '' ? [] : [`HTTPS Proxy: ${info.HttpsProxy}`]),
    ...(info.NoProxy === '' ? [] : [`No Proxy: ${info.NoProxy}`]),
    ...(mirrors.length === 0 ? [] : ['Registry Mirrors:', ...mirrors.map((line) => `  ${line}`)]),
    ...(info.RegistryConfig.InsecureRegistries.length === 0
      ? []
      : ['Insecure Registries:', ...info.RegistryConfig.InsecureRegistries.map((name) => `  ${name}`)]),
    ...(Offline ? ['Offline: true'] : []),
  ].join('\n');
}
