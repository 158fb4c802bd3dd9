// `skiff run`: a new container in the foreground.

import { defineCommand } from '../cli/command.ts';
import { lazyProgress } from '../cli/lazy-progress.ts';
import { REGISTRY_FLAGS, registryOptions } from '../cli/registry-flags.ts';
import { givenOptions } from '../container/options.ts';
import { runContainer } from '../container/run.ts';

export default defineCommand({
  name: 'run',
  group: 'container',
  summary: 'Create and run a new container from an image',
  args: 'IMAGE [COMMAND] [ARG...]',
  minArgs: 1,
  stopAtFirstArg: true,
  flags: {
    'add-host': {
      type: 'list',
      value: 'NAME:IP',
      help: 'add a line to /etc/hosts; the IP may be host-gateway',
    },
    annotation: { type: 'list', value: 'KEY=VALUE', help: 'add an OCI annotation to the container' },
    attach: { type: 'list', short: 'a', value: 'STREAM', help: 'attach to stdin, stdout or stderr' },
    'cap-add': { type: 'list', value: 'CAP', help: 'add a capability, or ALL' },
    'cap-drop': { type: 'list', value: 'CAP', help: 'drop a capability, or ALL' },
    cgroupns: { type: 'string', value: 'MODE', help: 'cgroup namespace: private or host' },
    cidfile: {
      type: 'string',
      value: 'FILE',
      help: 'write the container id to a file that does not exist yet',
    },
    device: {
      type: 'list',
      value: 'HOST[:CONTAINER][:rwm]',
      help: 'give a device of the host to the container',
    },
    'disable-content-trust': {
      type: 'boolean',
      default: true,
      help: 'accepted for docker; skiff verifies digests always',
      hidden: true,
    },
    dns: { type: 'list', value: 'IP', help: 'DNS server' },
    'dns-option': { type: 'list', value: 'OPTION', aliases: ['dns-opt'], help: 'resolver option' },
    'dns-search': { type: 'list', value: 'DOMAIN', help: 'DNS search domain' },
    domainname: { type: 'string', value: 'NAME', help: 'NIS domain name' },
    entrypoint: {
      type: 'string',
      value: 'COMMAND',
      help: 'replace the ENTRYPOINT of the image; "" removes it',
    },
    env: {
      type: 'list',
      short: 'e',
      value: 'NAME[=VALUE]',
      help: "set a variable, or take over the caller's",
    },
    'env-file': { type: 'list', value: 'FILE', help: 'read variables from a file' },
    'env-host': { type: 'boolean', help: "take over all of the caller's environment" },
    expose: { type: 'list', value: 'PORT[/PROTO]', help: 'declare a port, for --publish-all' },
    'group-add': {
      type: 'list',
      value: 'GROUP',
      help: 'add a supplementary group; keep-groups keeps those of the caller',
    },
    hostname: { type: 'string', short: 'h', value: 'NAME', help: 'host name of the container' },
    'http-proxy': { type: 'boolean', default: true, help: "take over the caller's proxy variables" },
    init: { type: 'boolean', help: 'run an init as pid 1 that forwards signals and reaps processes' },
    interactive: { type: 'boolean', short: 'i', help: 'keep stdin open' },
    ipc: { type: 'string', value: 'MODE', help: 'IPC namespace: private, shareable, host or container:NAME' },
    label: { type: 'list', short: 'l', value: 'KEY=VALUE', help: 'add a label' },
    'label-file': { type: 'list', value: 'FILE', help: 'read labels from a file' },
    'log-driver': { type: 'string', value: 'DRIVER', help: 'json-file, none or passthrough' },
    mount: { type: 'list', value: 'type=TYPE,...', help: 'mount a directory, a volume or a tmpfs' },
    name: { type: 'string', value: 'NAME', help: 'name of the container' },
    network: {
      once: true,
      type: 'string',
      aliases: ['net'],
      value: 'MODE',
      help: 'none, host, pasta, slirp4netns, default or container:NAME',
    },
    'no-hostname': { type: 'boolean', help: "leave the image's /etc/hostname alone" },
    'no-hosts': { type: 'boolean', help: "leave the image's /etc/hosts alone" },
    'oom-score-adj': { type: 'number', value: 'N', help: 'preference for the OOM killer, -1000 to 1000' },
    pid: { type: 'string', value: 'MODE', help: 'PID namespace: private, host or container:NAME' },
    pidfile: {
      type: 'string',
      value: 'FILE',
      help: "write the host pid of the container's process to a file",
    },
    plan: {
      type: 'string',
      value: 'FORMAT',
      bare: 'text',
      choices: ['text', 'json'],
      help: 'print what would be done, and do nothing',
    },
    platform: { type: 'string', value: 'OS/ARCH', help: 'platform of the image' },
    privileged: { type: 'boolean', help: 'all capabilities and devices, no seccomp filter, no masks' },
    publish: {
      type: 'list',
      short: 'p',
      value: '[[IP:]PORT:]PORT[/PROTO]',
      help: 'publish a port of the container',
    },
    'publish-all': { type: 'boolean', short: 'P', help: 'publish all exposed ports to random ports' },
    pull: { type: 'string', value: 'WHEN', default: 'missing', help: 'always, missing, newer or never' },
    quiet: { type: 'boolean', short: 'q', help: 'no progress while pulling' },
    'read-only': { type: 'boolean', help: 'read-only root filesystem' },
    replace: { type: 'boolean', help: 'remove another container that has the name' },
    rm: { type: 'boolean', help: 'remove the container when it ends' },
    rootfs: { type: 'boolean', help: 'the first argument is a directory, not an image' },
    'security-opt': {
      type: 'list',
      value: 'OPTION',
      help: 'no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined',
    },
    'shm-size': { type: 'string', value: 'SIZE', help: 'size of /dev/shm (64m)' },
    'sig-proxy': { type: 'boolean', default: true, help: 'forward signals to the container' },
    'stop-signal': { type: 'string', value: 'SIGNAL', help: 'signal that stops the container' },
    'stop-timeout': { type: 'number', value: 'SECONDS', help: 'time to stop before it is killed' },
    sysctl: { type: 'list', value: 'NAME=VALUE', help: 'set a kernel parameter of the container' },
    timeout: { type: 'number', value: 'SECONDS', help: 'kill the container after that time' },
    tmpfs: { type: 'list', value: 'PATH[:OPTIONS]', help: 'mount a tmpfs' },
    tty: { type: 'boolean', short: 't', help: 'give the container a terminal' },
    ulimit: { type: 'list', value: 'NAME=SOFT[:HARD]', help: 'set a limit' },
    unsetenv: { type: 'list', value: 'NAME', help: 'take away a default or image variable' },
    'unsetenv-all': { type: 'boolean', help: 'take away all default and image variables' },
    user: {
      type: 'string',
      short: 'u',
      value: 'USER[:GROUP]',
      help: 'name or number of the user, and group',
    },
    userns: { type: 'string', value: 'MODE', help: 'user namespace: private, host or keep-id[:uid=N,gid=N]' },
    uts: { type: 'string', value: 'MODE', help: 'UTS namespace: private or host' },
    volume: {
      type: 'list',
      short: 'v',
      value: '[SOURCE:]TARGET[:OPTIONS]',
      help: 'mount a directory of the host (/DIR or ./DIR), a volume (NAME), or a new volume',
    },
    'volumes-from': {
      type: 'list',
      value: 'CONTAINER[:ro]',
      help: 'mount what another container mounts: its volumes and directories',
    },
    workdir: { type: 'string', short: 'w', value: 'DIR', help: 'working directory' },
    ...REGISTRY_FLAGS,
  },
  examples: [
    'run --rm -it debian bash',
    'run --rm -v "$PWD:/work" -w /work alpine ls',
    'run --rm -p 8080:80 nginx',
    'run --plan debian',
  ],
  async run({ args, flags, cx }) {
    const [what = '', ...words] = args;
    const progress = lazyProgress(cx.io, flags.quiet === true);
    const request = {
      what,
      words,
      options: givenOptions(flags),
      registry: registryOptions(flags),
      onImageEvent: progress.onEvent,
      onImageReady: () => progress.close(),
    };
    if (flags.plan !== undefined) {
      const { planLines, planRun } = await import('../container/show-plan.ts');
      const plan = await planRun(cx, request);
      for (const line of flags.plan === 'json' ? [JSON.stringify(plan, null, 2)] : planLines(plan))
        cx.io.stdout(line);
      return 0;
    }
    try {
      return await runContainer(cx, request);
    } finally {
      progress.close();
    }
  },
});
