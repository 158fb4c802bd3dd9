// `skiff build`: an image from a Dockerfile.

import { openBuildProgress, PROGRESS_MODES, type ProgressMode } from '../cli/build-progress.ts';
import { besideProgress } from '../cli/beside-progress.ts';
import { debugTerminal } from '../cli/debug-terminal.ts';
import { defineCommand } from '../cli/command.ts';
import { REGISTRY_FLAGS, registryOptions } from '../cli/registry-flags.ts';
import { requestFromFlags } from '../builder/from-flags.ts';
import { runBuild, runCheck } from '../builder/command.ts';

export default defineCommand({
  name: 'build',
  group: 'image',
  aliases: ['builder build', 'buildx build', 'buildx b'],
  summary: 'Build an image from a Dockerfile',
  args: 'PATH | URL | -',
  maxArgs: 1,
  flags: {
    ...REGISTRY_FLAGS,
    'add-host': { type: 'list', value: 'NAME:IP', help: 'add a line to /etc/hosts of every RUN' },
    allow: {
      type: 'list',
      value: 'WHAT',
      commaSeparated: true,
      help: 'let steps have network.host or security.insecure',
    },
    annotation: {
      type: 'list',
      value: 'KEY=VALUE',
      help: 'add an annotation to the manifest, or with index: in front to the index',
    },
    'build-arg': { type: 'list', value: 'NAME[=VALUE]', help: 'give an ARG its value' },
    'build-context': {
      type: 'list',
      value: 'NAME=DIR|URL',
      help: 'more for --from and FROM: a directory, git or tar URL, docker-image://IMAGE, oci-layout://DIR',
    },
    cache: {
      type: 'list',
      value: 'REF|DIR',
      help: 'take the cache from there, and put it there, with all stages and cache mounts',
    },
    'cache-from': {
      type: 'list',
      value: 'REF|type=TYPE[,…]',
      help: 'also look for results of steps in a registry, or a directory (type=local,src=DIR)',
    },
    'cache-to': {
      type: 'list',
      value: 'REF|type=TYPE[,…]',
      help: 'put the cache into a registry, a directory (type=local,dest=DIR) or the image (type=inline)',
    },
    call: {
      type: 'string',
      value: 'METHOD',
      default: 'build',
      choices: ['build', 'check'],
      help: 'build, or check the Dockerfile alone',
    },
    check: { type: 'boolean', help: 'check the Dockerfile, and build nothing (--call check)' },
    compress: {
      type: 'boolean',
      hidden: true,
      help: 'accepted for docker; layers are compressed when they are pushed',
    },
    'debug-shell': {
      type: 'boolean',
      help: 'open a shell on the terminal in a RUN that fails',
    },
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      help: 'the Dockerfile (PATH/Dockerfile); - reads stdin',
    },
    'force-rm': { type: 'boolean', hidden: true, help: 'accepted for docker; nothing is left of steps' },
    iidfile: { type: 'string', value: 'FILE', help: 'write the id of the image to a file' },
    ignorefile: { type: 'string', value: 'FILE', help: 'instead of .dockerignore' },
    jobs: {
      type: 'number',
      value: 'N',
      help: 'run so many steps at the same time (processors); 0: no limit',
    },
    label: { type: 'list', value: 'KEY=VALUE', help: 'add a label to the image' },
    layers: { type: 'boolean', default: true, help: 'false: as podman, --squash and --no-cache' },
    load: { type: 'boolean', hidden: true, help: 'accepted for docker; images are always in the store' },
    'metadata-file': { type: 'string', value: 'FILE', help: 'write what came of the build to a JSON file' },
    network: { type: 'string', value: 'MODE', help: 'network of RUN: default, none or host' },
    'no-cache': { type: 'boolean', help: 'run every step' },
    'no-cache-filter': {
      type: 'list',
      value: 'STAGE',
      commaSeparated: true,
      help: 'run every step of these stages',
    },
    output: {
      type: 'list',
      short: 'o',
      value: 'DIR|type=TYPE[,dest=PATH]',
      help: 'write local files, a tar, an oci or docker archive, or to a registry',
    },
    platform: {
      type: 'list',
      value: 'PLATFORM',
      commaSeparated: true,
      help: 'os/architecture to build for; several make one image of them all',
    },
    progress: {
      type: 'string',
      value: 'MODE',
      default: 'auto',
      choices: PROGRESS_MODES,
      help: 'auto, tty (a live picture), plain, quiet or rawjson',
    },
    pull: {
      type: 'string',
      value: 'POLICY',
      bare: 'always',
      help: 'pull base images: always, missing, newer or never',
    },
    push: { type: 'boolean', help: 'push the image under all of its names' },
    quiet: { type: 'boolean', short: 'q', help: 'print the id of the image alone' },
    rm: {
      type: 'boolean',
      default: true,
      hidden: true,
      help: 'accepted for docker; nothing is left of steps',
    },
    secret: { type: 'list', value: 'id=ID[,src=FILE|,env=NAME]', help: 'what RUN --mount=type=secret gets' },
    'shm-size': { type: 'string', value: 'SIZE', help: 'size of /dev/shm of RUN (64m)' },
    squash: { type: 'boolean', help: 'make one layer of those that this build adds' },
    'squash-all': { type: 'boolean', help: 'make one layer of all, those of the base image too' },
    ssh: { type: 'list', value: 'default|ID[=SOCKET]', help: 'agent for RUN --mount=type=ssh' },
    tag: { type: 'list', short: 't', value: 'NAME[:TAG]', help: 'name the image' },
    target: { type: 'string', value: 'STAGE', help: 'build this stage' },
    timestamp: {
      type: 'string',
      value: 'WHEN',
      help: 'seconds since 1970, a date, or now (the time of the commit)',
    },
    ulimit: { type: 'list', value: 'NAME=SOFT[:HARD]', help: 'limit of every RUN' },
    unsetenv: { type: 'list', value: 'NAME', help: 'leave a variable out of the image' },
    unsetlabel: { type: 'list', value: 'KEY', help: 'leave a label out of the image' },
    'verify-repro': {
      type: 'boolean',
      help: 'build twice, and name the first step that does not come to the same',
    },
  },
  examples: [
    'build -t app .',
    'build -f docker/app.Dockerfile --target test .',
    'build --build-arg VERSION=2 -q .',
    'build --cache registry.example.com/team/app:cache -t app .',
    'build --check .',
  ],
  async run({ args, flags, cx }) {
    const request = requestFromFlags(flags, {
      env: cx.env,
      cwd: process.cwd(),
      registry: registryOptions(flags),
    });
    const source = { context: args[0] ?? '.', file: flags.file, ignoreFile: flags.ignorefile };
    if (flags.check === true || flags.call === 'check') {
      const { text, exitCode } = await runCheck(cx, { ...request, ...source });
      cx.io.stdout(text);
      return exitCode;
    }
    const mode = flags.quiet === true ? 'quiet' : (flags.progress as ProgressMode);
    const progress = await openBuildProgress(cx.io, mode, cx.env);
    const log = besideProgress(cx.log, progress);
    const parts = {
      ...cx,
      log,
      signal: cx.signal,
      stdoutBytes: (bytes: Uint8Array) => cx.io.stdoutBytes(bytes),
    };
    const { imageId, warnings, proof } = await runBuild(parts, {
      ...request,
      ...source,
      idFile: flags.iidfile,
      metadataFile: flags['metadata-file'],
      verifyRepro: flags['verify-repro'] === true,
      debug: flags['debug-shell'] === true ? debugTerminal(progress, log, cx.signal) : undefined,
      onEvent: (event) => progress.onEvent(event),
      onEnd: (timeline) => progress.close(timeline === undefined ? undefined : `timeline: ${timeline}`),
    });
    const isStdoutTaken = request.outputs.some((output) => 'dest' in output && output.dest === undefined);
    if (proof !== undefined) cx.log.info(proof);
    if (flags.quiet === true) {
      if (!isStdoutTaken) cx.io.stdout(imageId);
    } else if (warnings !== undefined) cx.log.info(warnings);
    return 0;
  },
});
