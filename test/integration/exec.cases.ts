// What `skiff exec` says and exits with. `web` runs as root, `app` as the user of that name; `%` stands for anything.

export interface ExecCase {
  name: string;
  /** Words after `exec`. */
  args: string[];
  status: number;
  stdout?: string;
  /** Exact unless it has `%`; nothing when missing. */
  stderr?: string;
  stdin?: string;
  /** Streams are not told apart, or the words have a -d: left out with -t. */
  withoutTty?: boolean;
}

const show = (text: string): string[] => ['sh', '-c', text];

export const EXEC_CASES: ExecCase[] = [
  { name: 'success', args: ['web', 'true'], status: 0 },
  { name: 'failure', args: ['web', 'false'], status: 1 },
  { name: 'any status', args: ['web', ...show('exit 42')], status: 42 },
  { name: "the command's own 125", args: ['web', ...show('exit 125')], status: 125 },
  { name: "the command's own 126", args: ['web', ...show('exit 126')], status: 126 },
  { name: "the command's own 127", args: ['web', ...show('exit 127')], status: 127 },
  { name: 'killed by SIGKILL', args: ['web', ...show('kill -9 $$')], status: 137 },
  { name: 'killed by SIGTERM', args: ['web', ...show('kill $$')], status: 143 },
  { name: 'a flag of the command', args: ['web', 'echo', '-n', '-e', 'x\\n'], status: 0, stdout: 'x\n' },

  { name: 'no such container', args: ['nosuch', 'true'], status: 1, stderr: '%o such container: nosuch%' },
  { name: 'stopped', args: ['stopped', 'true'], status: 1, stderr: '%ontainer % is not running%' },
  { name: 'a name with a slash', args: ['../web', 'true'], status: 1, stderr: '%o such container: ../web%' },
  { name: 'no command', args: ['web'], status: 125, stderr: '%"web": no command specified%' },
  { name: 'no container', args: [], status: 125, stderr: '%CONTAINER%' },
  { name: 'unknown flag', args: ['--no-such-flag', 'web', 'true'], status: 125, stderr: '%--no-such-flag%' },
  { name: 'flag without a value', args: ['web', '-u'], status: 127, stderr: '%"-u"%' },
  {
    name: 'unknown detach key',
    args: ['--detach-keys', 'ctrl-7', 'web', 'true'],
    status: 125,
    stderr: '%--detach-keys%"ctrl-7"%',
  },
  { name: 'not found in PATH', args: ['web', 'nosuchcommand'], status: 127, stderr: '%"nosuchcommand"%' },
  { name: 'not found by path', args: ['web', '/no/such'], status: 127, stderr: '%"/no/such"%' },
  { name: 'a directory', args: ['web', '/etc'], status: 126, stderr: '%"/etc"%is a directory%' },
  { name: 'not executable', args: ['web', '/etc/not-executable'], status: 126, stderr: '%not-executable%' },
  { name: 'wrong format', args: ['web', '/etc/bad-format'], status: 126, stderr: '%exec format error%' },
  {
    name: 'empty command',
    args: ['web', ''],
    status: 127,
    stderr: '%the command is an empty string%',
  },

  {
    name: 'default user',
    args: ['web', 'id'],
    status: 0,
    stdout: 'uid=0(root) gid=0(root) groups=0(root)\n',
  },
  {
    name: "the container's user",
    args: ['app', 'id'],
    status: 0,
    stdout: 'uid=1000(app) gid=1000(app) groups=29(audio),1000(app),2000(extra)\n',
  },
  {
    name: 'a user by name',
    args: ['-u', 'app', 'web', 'id'],
    status: 0,
    stdout: 'uid=1000(app) gid=1000(app) groups=29(audio),1000(app),2000(extra)\n',
  },
  {
    name: 'a user by number that has an entry',
    args: ['-u', '1000', 'web', 'id'],
    status: 0,
    stdout: 'uid=1000(app) gid=1000(app) groups=29(audio),1000(app),2000(extra)\n',
  },
  {
    name: 'a user by number without one',
    args: ['--user', '4321', 'web', 'id'],
    status: 0,
    stdout: 'uid=4321 gid=0(root) groups=0(root)\n',
  },
  {
    name: 'user and group',
    args: ['-u', '1:29', 'web', 'id'],
    status: 0,
    stdout: 'uid=1(daemon) gid=29(audio) groups=29(audio)\n',
  },
  {
    name: 'root where the container is not',
    args: ['-u', 'root', 'app', 'id', '-u'],
    status: 0,
    stdout: '0\n',
  },
  {
    name: 'unknown user',
    args: ['-u', 'nobodyknows', 'web', 'id'],
    status: 125,
    stderr: '%unable to find user nobodyknows%',
  },
  {
    name: 'unknown group',
    args: ['-u', '0:nogroups', 'web', 'id'],
    status: 125,
    stderr: '%unable to find group nogroups%',
  },
  {
    name: 'an id beyond the range',
    args: ['-u', '2000000', 'web', 'id'],
    status: 125,
    stderr: '%"2000000"%',
  },
  { name: 'a user added later', args: ['-u', 'late', 'web', 'id', '-u'], status: 0, stdout: '777\n' },
  {
    name: 'HOME of the user',
    args: ['-u', 'app', 'web', ...show('echo $HOME')],
    status: 0,
    stdout: '/home/app\n',
  },
  { name: 'HOME by default', args: ['web', ...show('echo $HOME')], status: 0, stdout: '/root\n' },
  {
    name: 'HOME that was set',
    args: ['-u', 'app', '-e', 'HOME=/x', 'web', ...show('echo $HOME')],
    status: 0,
    stdout: '/x\n',
  },

  { name: "the container's directory", args: ['app', 'pwd'], status: 0, stdout: '/home/app\n' },
  { name: 'another directory', args: ['-w', '/usr/bin', 'web', 'pwd'], status: 0, stdout: '/usr/bin\n' },
  { name: 'a missing directory', args: ['-w', '/nope', 'web', 'pwd'], status: 126, stderr: '%"/nope"%' },
  {
    name: 'a relative directory',
    args: ['-w', 'tmp', 'web', 'pwd'],
    status: 125,
    stderr: '%"tmp"%absolute path%',
  },
  {
    name: "the container's environment",
    args: ['app', ...show('echo $OWN')],
    status: 0,
    stdout: 'of the container\n',
  },
  {
    name: 'a variable',
    args: ['-e', 'OWN=mine', '-e', 'B=b', 'app', ...show('echo $OWN $B')],
    status: 0,
    stdout: 'mine b\n',
  },
  {
    name: "the caller's variable",
    args: ['-e', 'FROM_CALLER', 'web', ...show('echo $FROM_CALLER')],
    status: 0,
    stdout: 'yes\n',
  },
  {
    name: 'a variable nobody has',
    args: ['-e', 'OWN', 'app', ...show('echo ${OWN-gone}')],
    status: 0,
    stdout: 'gone\n',
  },
  { name: 'a variable without a name', args: ['-e', '=x', 'web', 'true'], status: 125, stderr: '%"=x"%' },
  {
    name: 'a file of variables',
    args: ['--env-file', '{dir}/vars', 'web', ...show('echo $A,$B')],
    status: 0,
    stdout: '1,two words\n',
  },
  {
    name: 'a missing file of variables',
    args: ['--env-file', '/nope', 'web', 'true'],
    status: 125,
    stderr: '%--env-file "/nope": no such file%',
  },
  {
    name: '-e wins over the file',
    args: ['-e', 'A=9', '--env-file', '{dir}/vars', 'web', ...show('echo $A')],
    status: 0,
    stdout: '9\n',
  },

  {
    name: 'capabilities',
    args: ['web', 'grep', 'CapEff', '/proc/self/status'],
    status: 0,
    stdout: 'CapEff:\t00000000a80425fb\n',
  },
  {
    name: 'capabilities of a user',
    args: ['-u', 'app', 'web', 'grep', 'CapEff', '/proc/self/status'],
    status: 0,
    stdout: 'CapEff:\t0000000000000000\n',
  },
  {
    name: '--privileged',
    args: ['--privileged', 'web', ...show('grep CapEff /proc/self/status | grep -c ffffffff')],
    status: 0,
    stdout: '1\n',
  },
  {
    name: 'the filter',
    args: ['web', 'grep', 'Seccomp:', '/proc/self/status'],
    status: 0,
    stdout: 'Seccomp:\t2\n',
  },
  {
    name: 'no filter where the container has none',
    args: ['app', 'grep', 'Seccomp:', '/proc/self/status'],
    status: 0,
    stdout: 'Seccomp:\t0\n',
  },
  {
    name: 'no_new_privs',
    args: ['app', 'grep', 'NoNewPrivs:', '/proc/self/status'],
    status: 0,
    stdout: 'NoNewPrivs:\t1\n',
  },
  { name: 'limits', args: ['app', ...show('ulimit -n')], status: 0, stdout: '123\n' },
  { name: 'OOM score', args: ['app', 'cat', '/proc/self/oom_score_adj'], status: 0, stdout: '321\n' },

  {
    name: 'stdin',
    args: ['-i', 'web', 'cat'],
    stdin: 'hello\n',
    status: 0,
    stdout: 'hello\n',
    withoutTty: true,
  },
  { name: 'no stdin without -i', args: ['web', 'cat'], stdin: 'hello\n', status: 0, withoutTty: true },
  {
    name: 'both streams',
    args: ['web', ...show('echo out; echo err >&2')],
    status: 0,
    stdout: 'out\n',
    stderr: 'err\n',
  },
  { name: '-d', args: ['-d', 'web', 'sleep', '0.1'], status: 0, withoutTty: true },
  { name: '-d is not told how it ended', args: ['-d', 'web', 'false'], status: 0, withoutTty: true },
  {
    name: '-d, not found',
    args: ['-d', 'web', 'nosuch'],
    status: 127,
    stderr: '%"nosuch"%',
    withoutTty: true,
  },
  { name: '-d, a directory', args: ['-d', 'web', '/etc'], status: 126, stderr: '%"/etc"%', withoutTty: true },
  {
    name: '-d, stopped',
    args: ['-d', 'stopped', 'true'],
    status: 1,
    stderr: '%is not running%',
    withoutTty: true,
  },
  { name: '-d -t', args: ['-dt', 'web', 'sh', '-c', 'yes | head -c 300000'], status: 0, withoutTty: true },
  { name: '--cidfile', args: ['--cidfile', '{dir}/cid', 'hostname'], status: 0, stdout: 'webhost\n' },
  {
    name: '--cidfile that is missing',
    args: ['--cidfile', '/nope', 'hostname'],
    status: 125,
    stderr: '%--cidfile "/nope"%',
  },
  { name: 'as container exec', args: ['web', 'hostname'], status: 0, stdout: 'webhost\n' },
];
