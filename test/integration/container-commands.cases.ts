// Commands on containers by name: what each says to a wrong state, a missing container, a bad flag. `up` runs, `down` has
// ended, `made` was created; ids begin with `abc1` and `abc2` for two more, so that `abc` is ambiguous.

export interface CommandCase {
  args: string[];
  status: number;
  stdout?: string | RegExp;
  stderr?: string | RegExp;
}

const MISSING = /^Error: no such container: nope\n/;
const AMBIGUOUS = /^Error: container "abc": the id fits 2 containers\n/;
const UNKNOWN_FLAG = /--wrong/;

/** Words of a command that takes containers, less its containers. */
const VERBS: string[][] = [
  ['start'],
  ['stop'],
  ['kill'],
  ['restart'],
  ['wait'],
  ['attach'],
  ['port'],
  ['logs'],
  ['rename'],
  ['pause'],
  ['unpause'],
  ['update', '--restart', 'no'],
  ['rm'],
  ['top'],
  ['diff'],
  ['export'],
  ['exec'],
  ['commit'],
  ['generate', 'systemd'],
];

/** They are found below the noun too. */
const isOfContainer = ([first]: string[]): boolean => first !== 'generate';

const rest = (verb: string | undefined): string[] =>
  verb === 'rename' ? ['new-name'] : verb === 'exec' ? ['true'] : [];

export const REFUSED: CommandCase[] = [
  ...VERBS.flatMap((words): CommandCase[] => [
    { args: [...words, 'nope', ...rest(words[0])], status: 1, stdout: '', stderr: MISSING },
    ...(isOfContainer(words)
      ? [{ args: ['container', ...words, 'nope', ...rest(words[0])], status: 1, stdout: '', stderr: MISSING }]
      : []),
    { args: [...words, 'abc', ...rest(words[0])], status: 1, stdout: '', stderr: AMBIGUOUS },
    { args: [...words, '--wrong', 'up', ...rest(words[0])], status: 125, stdout: '', stderr: UNKNOWN_FLAG },
    { args: words, status: 125, stdout: '', stderr: /needs (at least|exactly) \d argument/ },
  ]),
  ...['run', 'create'].flatMap((verb): CommandCase[] => [
    { args: [verb, '--wrong', 'busybox'], status: 125, stdout: '', stderr: UNKNOWN_FLAG },
    { args: [verb], status: 125, stdout: '', stderr: /needs at least 1 argument/ },
    {
      args: [verb, '--name', 'up', 'busybox'],
      status: 125,
      stdout: '',
      stderr: /name "up" is already in use by container [0-9a-f]{64}/,
    },
  ]),
  // Whoever reads JSON gets some.
  { args: ['inspect', 'nope'], status: 1, stdout: '[]\n', stderr: 'Error: no such object: nope\n' },
  { args: ['container', 'inspect', 'nope'], status: 1, stdout: '[]\n', stderr: MISSING },
  {
    args: ['container', 'inspect', 'busybox'],
    status: 1,
    stdout: '[]\n',
    stderr: /no such container: busybox/,
  },
  { args: ['inspect', '--type', 'image', 'up'], status: 1, stdout: '[]\n', stderr: /no such image: up/ },
  { args: ['inspect', 'abc'], status: 1, stdout: '', stderr: AMBIGUOUS },
  { args: ['inspect', '--wrong', 'up'], status: 125, stdout: '', stderr: UNKNOWN_FLAG },
  { args: ['inspect', '-f', '{{.Nope}}', 'up'], status: 125, stdout: '', stderr: /Nope/ },
  { args: ['container', 'exists', 'nope'], status: 1, stdout: '', stderr: '' },
  { args: ['container', 'exists', 'abc'], status: 1, stdout: '', stderr: AMBIGUOUS },
  { args: ['cp', 'nope:/x', '/tmp/x'], status: 1, stdout: '', stderr: MISSING },
  { args: ['cp', 'abc:/x', '/tmp/x'], status: 1, stdout: '', stderr: AMBIGUOUS },
  { args: ['cp', '--wrong', 'up:/x', '/tmp/x'], status: 125, stdout: '', stderr: UNKNOWN_FLAG },
  ...['container', 'image', 'system', 'volume'].map((noun): CommandCase => ({
    args: [noun, 'prune', '--wrong'],
    status: 125,
    stdout: '',
    stderr: UNKNOWN_FLAG,
  })),
  { args: ['ps', '--wrong'], status: 125, stdout: '', stderr: UNKNOWN_FLAG },
  { args: ['ps', 'up'], status: 125, stdout: '', stderr: /takes no arguments/ },
  { args: ['ps', '--filter', 'colour=red'], status: 125, stdout: '', stderr: /invalid filter/ },
  { args: ['ps', '--sort', 'beauty'], status: 125, stdout: '', stderr: /is none of command, created/ },
  // Wrong state.
  {
    args: ['kill', 'down'],
    status: 1,
    stdout: '',
    stderr: /^Error: cannot kill container: down: container [0-9a-f]{64} is not running\n/,
  },
  { args: ['kill', 'made'], status: 1, stdout: '', stderr: /is not running/ },
  {
    args: ['attach', 'down'],
    status: 1,
    stdout: '',
    stderr: 'Error: You cannot attach to a stopped container, start it first\n',
  },
  {
    args: ['attach', 'made'],
    status: 1,
    stdout: '',
    stderr: /^Error: You cannot attach to a stopped container/,
  },
  {
    args: ['pause', 'down'],
    status: 1,
    stdout: '',
    stderr: /^Error: cannot pause container: down: container [0-9a-f]{64} is not running\n/,
  },
  { args: ['pause', 'made'], status: 1, stdout: '', stderr: /is not running/ },
  {
    args: ['unpause', 'up'],
    status: 1,
    stdout: '',
    stderr: /^Error: cannot unpause container: up: container [0-9a-f]{64} is not paused\n/,
  },
  { args: ['unpause', 'down'], status: 1, stdout: '', stderr: /is not running/ },
  { args: ['stats', '--no-stream', 'nope'], status: 1, stdout: '', stderr: MISSING },
  { args: ['container', 'stats', '--no-stream', 'up', 'nope'], status: 1, stdout: '', stderr: MISSING },
  { args: ['stats', '--no-stream', 'abc'], status: 1, stdout: '', stderr: AMBIGUOUS },
  { args: ['stats', '--wrong'], status: 125, stdout: '', stderr: UNKNOWN_FLAG },
  { args: ['stats', '--format', '{{.Nope}}'], status: 125, stdout: '', stderr: /unknown field ".Nope"/ },
  { args: ['stats', '-i', '0'], status: 125, stdout: '', stderr: /--interval 0: expected a positive number/ },
  {
    args: ['update', 'up'],
    status: 1,
    stdout: '',
    stderr: /^Error: you must provide one or more flags when using this command\n/,
  },
  { args: ['update', '--memory', 'much', 'made'], status: 125, stdout: '', stderr: /--memory "much"/ },
  {
    args: ['update', '--memory', '1m', 'made'],
    status: 125,
    stdout: '',
    stderr: /minimum memory limit allowed is 6MB/,
  },
  {
    args: ['update', '--memory', '64m', '--memory-swap', '32m', 'made'],
    status: 125,
    stdout: '',
    stderr: /must be larger than --memory/,
  },
  {
    args: ['update', '--cpus', '1000', 'made'],
    status: 125,
    stdout: '',
    stderr: /range of CPUs is from 0.01/,
  },
  { args: ['update', '--restart', 'often', 'up'], status: 125, stdout: '', stderr: /invalid restart policy/ },
  {
    args: ['rm', 'up'],
    status: 2,
    stdout: '',
    stderr: /^Error: cannot remove container "up": container is running/,
  },
  ...['down', 'made'].flatMap((name): CommandCase[] => [
    {
      args: ['exec', name, 'true'],
      status: 1,
      stdout: '',
      stderr: new RegExp(`^Error: container ${name}: container [0-9a-f]{64} is not running\\n`),
    },
    { args: ['top', name], status: 1, stdout: '', stderr: /is not running/ },
  ]),
  {
    args: ['rm', '--filter', 'name=up', 'down'],
    status: 125,
    stdout: '',
    stderr: /exclude each other/,
  },
  { args: ['rm', '--filter', 'colour=red'], status: 125, stdout: '', stderr: /invalid filter/ },
  { args: ['rm', '-f', '-t', '0.5', 'up'], status: 125, stdout: '', stderr: /whole number/ },
  {
    args: ['rename', 'up', 'down'],
    status: 125,
    stdout: '',
    stderr: /name "down" is already in use by container [0-9a-f]{64}/,
  },
  { args: ['rename', 'up', 'up'], status: 1, stdout: '', stderr: /same name as its current name/ },
  { args: ['rename', 'up', '../x'], status: 125, stdout: '', stderr: /invalid container name/ },
  {
    args: ['port', 'up', '80'],
    status: 1,
    stdout: '',
    stderr: "Error: no public port '80/tcp' published for up\n",
  },
  { args: ['port', 'up', 'http'], status: 125, stdout: '', stderr: /invalid port/ },
  // Wrong values.
  { args: ['kill', '-s', 'NOPE', 'up'], status: 125, stdout: '', stderr: /"NOPE": not a signal/ },
  { args: ['kill', '-s', '0', 'up'], status: 125, stdout: '', stderr: /"0": not a signal/ },
  { args: ['stop', '-s', 'NOPE', 'up'], status: 125, stdout: '', stderr: /"NOPE": not a signal/ },
  { args: ['stop', '-t', 'x', 'up'], status: 125, stdout: '', stderr: /flag -t: "x" is not a number/ },
  { args: ['stop', '-t', '1.5', 'up'], status: 125, stdout: '', stderr: /expected a whole number/ },
  { args: ['wait', '--condition', 'happy', 'up'], status: 125, stdout: '', stderr: /invalid condition/ },
  {
    args: ['start', '-a', 'up', 'down'],
    status: 1,
    stdout: '',
    stderr: /cannot start and attach multiple containers at once/,
  },
  { args: ['stop', '--latest', 'up'], status: 125, stdout: '', stderr: /exclude each other/ },
  {
    args: ['stop', '--cidfile', '/nowhere'],
    status: 125,
    stdout: '',
    stderr: /--cidfile "\/nowhere": cannot be read/,
  },
  { args: ['attach', '--detach-keys', 'xyz', 'up'], status: 125, stdout: '', stderr: /unknown key "xyz"/ },
  {
    args: ['create', '--restart', 'always', '--rm', 'busybox'],
    status: 125,
    stdout: '',
    stderr: /--restart and --rm/,
  },
  {
    args: ['create', '--restart', 'often', 'busybox'],
    status: 125,
    stdout: '',
    stderr: /invalid restart policy/,
  },
  { args: ['create', '--log-opt', 'x=y', 'busybox'], status: 125, stdout: '', stderr: /unknown log opt 'x'/ },
  {
    args: ['run', '-d', '--log-driver', 'passthrough', 'busybox'],
    status: 125,
    stdout: '',
    stderr: /passthrough/,
  },
  {
    args: ['run', '-d', '-a', 'stdout', 'busybox'],
    status: 125,
    stdout: '',
    stderr: /conflicting options: -a and -d/,
  },
  { args: ['run', '--scope', 'moon', 'busybox'], status: 125, stdout: '', stderr: /--scope/ },
];

/** In order, on the same containers: what is printed is what was typed. */
export const ACCEPTED: CommandCase[] = [
  { args: ['start', 'up'], status: 0, stdout: 'up\n' }, // runs already
  { args: ['exec', 'up', 'echo', 'x'], status: 0, stdout: 'x\n' },
  { args: ['top', 'up'], status: 0, stdout: /^UID +PID[^\n]*\n[^\n]*sleep 1000\n$/ },
  { args: ['diff', 'down'], status: 0, stdout: '' },
  { args: ['container', 'exists', 'made'], status: 0, stdout: '' },
  {
    args: ['generate', 'systemd', 'down'],
    status: 0,
    stdout: /^# container-[0-9a-f]{64}\.service\n[^]*\[Install\]/,
  },
  {
    args: ['ps', '-a', '--sort', 'names', '--format', '{{.Names}}'],
    status: 0,
    stdout: 'down\nmade\ntwin1\ntwin2\nup\n',
  },
  {
    args: ['inspect', '-f', '{{.Name}}', 'up', 'nope', 'down'],
    status: 1,
    stdout: '/up\n/down\n',
    stderr: 'Error: no such object: nope\n',
  },
  { args: ['stop', 'down', 'made'], status: 0, stdout: 'down\nmade\n' }, // does not run
  { args: ['stop', '--ignore', 'nope', 'down'], status: 0, stdout: 'down\n' },
  { args: ['wait', 'down', 'made'], status: 0, stdout: '3\n0\n' },
  { args: ['wait', '--condition', 'running', 'up'], status: 0, stdout: '-1\n' },
  { args: ['wait', 'down', 'nope'], status: 1, stdout: '3\n', stderr: MISSING },
  { args: ['port', 'down'], status: 0, stdout: '' },
  {
    args: ['kill', 'down', 'up', 'nope'],
    status: 1,
    stdout: 'up\n',
    stderr: /down is not|not running[^]*nope/,
  },
  { args: ['start', 'nope', 'up'], status: 1, stdout: 'up\n', stderr: MISSING },
  { args: ['stop', 'nope', 'up'], status: 1, stdout: 'up\n', stderr: MISSING },
  { args: ['update', '--restart', 'on-failure:2', 'up', 'down'], status: 0, stdout: 'up\ndown\n' },
  { args: ['update', '--restart', 'no', 'nope', 'up'], status: 1, stdout: 'up\n', stderr: MISSING },
  {
    args: ['inspect', '-f', '{{json .HostConfig.RestartPolicy}}', 'up', 'down'],
    status: 0,
    stdout: '{"Name":"no","MaximumRetryCount":0}\n{"Name":"on-failure","MaximumRetryCount":2}\n',
  },
  { args: ['update', '-m', '64m', '--cpus', '0.5', 'made'], status: 0, stdout: 'made\n' },
  { args: ['update', '-m', '128m', 'made'], status: 0, stdout: 'made\n' }, // with what follows from it
  {
    args: ['inspect', '-f', '{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.NanoCpus}}{{end}}', 'made'],
    status: 0,
    stdout: '134217728 268435456 500000000\n',
  },
  { args: ['update', '--memory-swap', '200m', 'made'], status: 0, stdout: 'made\n' },
  {
    args: ['update', '-m', '1g', 'made'],
    status: 1,
    stdout: '',
    stderr: /memory limit should be smaller than already set memoryswap limit/,
  },
  {
    args: ['update', '--cpu-quota', '50000', 'made'],
    status: 1,
    stdout: '',
    stderr: /--cpu-quota cannot be updated as --cpus has already been set/,
  },
  {
    args: ['stats', '--no-stream', '--format', '{{.Container}} {{.CPUPerc}}', 'made'],
    status: 0,
    stdout: 'made --\n',
  },
  { args: ['unpause', '--all'], status: 0, stdout: '' },
  { args: ['restart', 'up'], status: 0, stdout: 'up\n' },
  { args: ['kill', '-s', 'SIGTERM', 'up'], status: 0, stdout: 'up\n' },
  { args: ['wait', 'up'], status: 0, stdout: '143\n' },
  { args: ['container', 'restart', '-t', '0', 'up'], status: 0, stdout: 'up\n' },
  { args: ['kill', '--signal=9', 'up'], status: 0, stdout: 'up\n' },
  { args: ['wait', 'up'], status: 0, stdout: '137\n' },
  { args: ['rename', 'up', 'high'], status: 0, stdout: '' },
  { args: ['start', 'high'], status: 0, stdout: 'high\n' },
  { args: ['rename', 'high', 'up'], status: 0, stdout: '' }, // while it runs
  { args: ['stop', 'up'], status: 0, stdout: 'up\n' },
  {
    args: ['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'up'],
    status: 0,
    stdout: 'exited 143\n',
  },
];
