// The line of /proc/PID/stat: proc_pid_stat(5). (pure)

export interface ProcStat {
  pid: number;
  /** Of the command, as the process itself has set it. */
  name: string;
  /** By its number in the manual, from 3 on; '' for one that this kernel does not have. */
  field: (number: number) => string;
}

export function parseProcStat(line: string): ProcStat {
  // The name is in parentheses and may hold anything, parentheses and spaces too: fields are counted from the last one.
  const end = line.lastIndexOf(')');
  const fields = line.slice(end + 2).split(' ');
  return {
    pid: Number.parseInt(line, 10),
    name: line.slice(line.indexOf('(') + 1, end),
    field: (number) => fields[number - 3] ?? '',
  };
}
