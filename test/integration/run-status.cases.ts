// Exit statuses of `run` (docker's contract, podman-run(1) "Exit Status"). `%` in stderr stands for anything.

export interface StatusCase {
  name: string;
  flags?: string[];
  image?: string;
  command?: string[];
  status: number;
  stdout?: string;
  /** Exact unless it has `%`; nothing when missing. */
  stderr?: string;
}

export const STATUS_CASES: StatusCase[] = [
  { name: 'success', command: ['true'], status: 0 },
  { name: 'failure', command: ['false'], status: 1 },
  { name: 'any status of the child', command: ['sh', '-c', 'exit 42'], status: 42 },
  { name: "the child's own 125", command: ['sh', '-c', 'exit 125'], status: 125 },
  { name: "the child's own 126", command: ['sh', '-c', 'exit 126'], status: 126 },
  { name: "the child's own 127", command: ['sh', '-c', 'exit 127'], status: 127 },
  { name: 'the highest status', command: ['sh', '-c', 'exit 255'], status: 255 },
  { name: 'killed inside by SIGKILL', flags: ['--init'], command: ['sh', '-c', 'kill -9 $$'], status: 137 },
  { name: 'killed inside by SIGTERM', flags: ['--init'], command: ['sh', '-c', 'kill $$'], status: 143 },
  { name: 'a status that looks like a signal', command: ['sh', '-c', 'exit 137'], status: 137 },
  { name: 'output before the end', command: ['echo', 'said'], status: 0, stdout: 'said\n' },
  {
    name: 'unknown flag',
    flags: ['--no-such-flag'],
    command: ['true'],
    status: 125,
    stderr: '%--no-such-flag%',
  },
  {
    name: 'flag without its value',
    flags: ['--name'],
    image: '',
    command: [],
    status: 125,
    stderr: '%name%',
  },
  { name: 'no image', image: '', command: [], status: 125, stderr: '%IMAGE%' },
  {
    name: 'image not there',
    image: 'nosuchimage',
    flags: ['--pull', 'never'],
    command: ['true'],
    status: 125,
    stderr: '%nosuchimage%',
  },
  {
    name: 'image name not valid',
    image: 'UPPER/case',
    flags: ['--pull', 'never'],
    command: ['true'],
    status: 125,
    stderr: '%UPPER/case%',
  },
  { name: 'bad value', flags: ['--memory-swappiness', 'x'], command: ['true'], status: 125, stderr: '%' },
  {
    name: 'bad mount',
    flags: ['-v', '/no/such/dir-on-host:/x'],
    command: ['true'],
    status: 125,
    stderr: '%/no/such/dir-on-host%',
  },
  {
    name: 'unknown user',
    flags: ['-u', 'nobodyknows'],
    command: ['true'],
    status: 125,
    stderr: '%nobodyknows%',
  },
  {
    name: 'unknown network',
    flags: ['--network', 'nosuchnet'],
    command: ['true'],
    status: 125,
    stderr: '%nosuchnet%',
  },
  { name: 'not executable', command: ['/etc/not-executable'], status: 126, stderr: '%/etc/not-executable%' },
  { name: 'a directory', command: ['/etc'], status: 126, stderr: '%/etc%' },
  { name: 'wrong format', command: ['/etc/bad-format'], status: 126, stderr: '%/etc/bad-format%' },
  { name: 'not found by path', command: ['/no/such/command'], status: 127, stderr: '%/no/such/command%' },
  { name: 'not found in PATH', command: ['nosuchcommand'], status: 127, stderr: '%nosuchcommand%' },
  {
    name: 'entrypoint not found',
    flags: ['--entrypoint', '/nope'],
    command: [],
    status: 127,
    stderr: '%/nope%',
  },
];
