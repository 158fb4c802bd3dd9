// Seccomp profiles in docker's form, which is runtime-spec config-linux.md "Seccomp" plus archMap, includes and excludes.
// Parsing checks everything, so that what compiles does so without surprises; an error names the JSON path.

import { EngineError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { ReaderAt } from './read-json.ts';

export const ACTIONS = {
  SCMP_ACT_KILL: 0x0000_0000,
  SCMP_ACT_KILL_THREAD: 0x0000_0000,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
} as const;

export type Action = keyof typeof ACTIONS;

export const OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;

/** One comparison of a system call's argument, unsigned 64 bit. MASKED_EQ: (argument & value) == valueTwo. */
export interface ArgRule {
  index: number;
  value: bigint;
  valueTwo: bigint;
  op: (typeof OPERATORS)[number];
}

/** docker's conditions: caps as CAP_X, arches by Go's names, minKernel as [major, minor]. */
export interface Condition {
  caps: string[];
  arches: string[];
  minKernel: [number, number] | undefined;
}

export interface SyscallRule {
  names: string[];
  action: Action;
  errnoRet: number | undefined;
  args: ArgRule[];
  includes: Condition;
  excludes: Condition;
}

export interface SeccompProfile {
  defaultAction: Action;
  defaultErrnoRet: number | undefined;
  /** SCMP_ARCH_* names, without the native one when it came from archMap. Empty: the native architecture alone. */
  architectures: string[];
  archMap: { architecture: string; subArchitectures: string[] }[];
  syscalls: SyscallRule[];
}

/**
 * what: names the file in errors. Unknown keys are passed over, as docker does; keys that ask for something we cannot do
 * (listenerPath, SCMP_ACT_NOTIFY) are errors.
 * @throws USAGE naming the file and the JSON path
 */
export function parseSeccompProfile(text: string, what: string): SeccompProfile {
  // JSON numbers above 2^53 lose digits; masks are that large. Strings are matched first, hence left alone.
  const exact = text.replace(/("(?:[^"\\]|\\.)*")|-?\d{16,}(?![\d.eE])/g, (match, string?: string) =>
    string === undefined ? `"${match}"` : match,
  );
  const root = new ReaderAt(
    parseJson(exact, `seccomp profile ${JSON.stringify(what)}`, 'USAGE'),
    '',
    (path, problem) => {
      const at = path === '' ? '' : `${path}: `;
      return new EngineError('USAGE', `reading seccomp profile ${JSON.stringify(what)}: ${at}${problem}`);
    },
  );
  const listener = root.get('listenerPath').string('');
  if (listener !== '') throw root.get('listenerPath').error('a listener is not supported');
  const architectures = root.get('architectures').array((arch) => arch.string());
  const archMap = root.get('archMap').array((entry) => ({
    architecture: entry.get('architecture').string(),
    subArchitectures: entry.get('subArchitectures').array((arch) => arch.string()),
  }));
  if (architectures.length > 0 && archMap.length > 0) {
    throw root.get('archMap').error('use either architectures or archMap');
  }
  return {
    defaultAction: action(root.get('defaultAction')),
    defaultErrnoRet: errno(root.get('defaultErrnoRet')),
    architectures,
    archMap,
    syscalls: root.get('syscalls').array(syscallRule),
  };
}

function syscallRule(rule: ReaderAt): SyscallRule {
  const names = rule.get('names').array((name) => name.string());
  const name = rule.get('name').string('');
  if (name !== '' && names.length > 0) throw rule.get('name').error('use either name or names');
  if (name !== '') names.push(name);
  return {
    names,
    action: action(rule.get('action')),
    errnoRet: errno(rule.get('errnoRet')),
    args: rule.get('args').array((arg) => ({
      index: arg.get('index').integer(0n, 5n, 0n),
      value: arg.get('value').bigint(0n),
      valueTwo: arg.get('valueTwo').bigint(0n),
      op: arg.get('op').oneOf(OPERATORS, 'a comparison'),
    })),
    includes: condition(rule.get('includes')),
    excludes: condition(rule.get('excludes')),
  };
}

function condition(at: ReaderAt): Condition {
  const kernel = at.get('minKernel').string('');
  const match = /^(\d{1,4})\.(\d{1,4})$/.exec(kernel);
  if (kernel !== '' && match === null)
    throw at.get('minKernel').error(`${JSON.stringify(kernel)} is not MAJOR.MINOR`);
  return {
    caps: at.get('caps').array((cap) => cap.string()),
    arches: at.get('arches').array((arch) => arch.string()),
    minKernel: match === null ? undefined : [Number(match[1]), Number(match[2])],
  };
}

function action(at: ReaderAt): Action {
  if (at.value === 'SCMP_ACT_NOTIFY') throw at.error('SCMP_ACT_NOTIFY is not supported: nobody would answer');
  return at.oneOf(Object.keys(ACTIONS) as Action[], 'an action');
}

function errno(at: ReaderAt): number | undefined {
  return at.value === undefined || at.value === null ? undefined : at.integer(0n, 4095n);
}
