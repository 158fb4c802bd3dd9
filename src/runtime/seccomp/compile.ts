// A seccomp profile becomes classic BPF: architecture, then a search tree over numbers, then argument comparisons where
// a rule has some. Calls that are always allowed touch number and architecture alone, so that the kernel (5.11 and
// newer) puts them in its bitmap and never runs the filter for them. (pure)
//
// Decided here, where libseccomp leaves room:
//   - x32 calls (bit 30 of the number) and architectures outside of the profile get ENOSYS.
//   - Numbers above all that the profile names get ENOSYS when its default is an errno: the C library then falls back to
//     an older call, where EPERM would make it give up.
//   - Several comparisons in one rule must all hold; those that name the same argument twice are alternatives (as in runc).

import { EngineError } from '../../core/errors.ts';
import { ARCHITECTURES, type Abi, type Architecture, type ArchitectureName } from './architectures.ts';
import { argumentChain, type Case } from './arguments.ts';
import {
  branch,
  encode,
  JEQ,
  load,
  MAX_INSTRUCTIONS,
  OFFSET_ARCH,
  OFFSET_NR,
  ret,
  searchTree,
  type Instruction,
  type Range,
} from './bpf.ts';
import { ACTIONS, type Action, type ArgRule, type SeccompProfile, type SyscallRule } from './profile.ts';
import { multiplexed } from './multiplexed.ts';
import { SYSCALL_TABLES } from './syscalls.ts';

export interface CompileOptions {
  arch: ArchitectureName;
  /** `CAP_X` names the container may have: its bounding set. */
  capabilities: ReadonlySet<string>;
  /** Of the kernel, for minKernel. */
  kernel: readonly [major: number, minor: number];
}

const EPERM = 1;
const ENOSYS = 38;
const ENOSYS_VERDICT = ACTIONS.SCMP_ACT_ERRNO | ENOSYS;
const X32_BIT = 0x4000_0000;

/**
 * Array of struct sock_filter, little endian.
 * @throws USAGE when the filter would be longer than the kernel takes
 */
export function compileSeccomp(profile: SeccompProfile, options: CompileOptions): Uint8Array {
  const native: Architecture = ARCHITECTURES[options.arch];
  const rules = profile.syscalls.filter((rule) => applies(rule, native, options));
  let program: Instruction[] = [ret(ENOSYS_VERDICT)];
  for (const abi of [...compatAbis(profile, native), native]) {
    program = branch(JEQ, abi.audit, [load(OFFSET_NR), ...searchTree(ranges(profile, rules, abi))], program);
  }
  program = [load(OFFSET_ARCH), ...program];
  if (program.length > MAX_INSTRUCTIONS) {
    throw new EngineError(
      'USAGE',
      `compiling the seccomp profile: ${program.length} instructions, the kernel takes ${MAX_INSTRUCTIONS}`,
    );
  }
  return encode(program);
}

/** docker's rules for includes and excludes. */
function applies(
  { includes, excludes }: SyscallRule,
  { goName }: Architecture,
  options: CompileOptions,
): boolean {
  const has = (cap: string): boolean => options.capabilities.has(cap);
  if (excludes.arches.includes(goName) || excludes.caps.some(has)) return false;
  if (excludes.minKernel !== undefined && isAtLeast(options.kernel, excludes.minKernel)) return false;
  if (includes.arches.length > 0 && !includes.arches.includes(goName)) return false;
  if (!includes.caps.every(has)) return false;
  return includes.minKernel === undefined || isAtLeast(options.kernel, includes.minKernel);
}

function isAtLeast(
  [major, minor]: readonly [number, number],
  [wantMajor, wantMinor]: [number, number],
): boolean {
  return major > wantMajor || (major === wantMajor && minor >= wantMinor);
}

function compatAbis({ architectures, archMap }: SeccompProfile, native: Architecture): Abi[] {
  const listed = new Set([
    ...architectures,
    ...archMap
      .filter(({ architecture }) => architecture === native.scmp)
      .flatMap((entry) => entry.subArchitectures),
  ]);
  return native.compat.filter(({ scmp }) => listed.has(scmp));
}

interface Decision {
  cases: Case[];
  /** Of the first rule without comparisons. */
  verdict: number | undefined;
}

function ranges(profile: SeccompProfile, rules: readonly SyscallRule[], abi: Abi): Range[] {
  const table = numbersOf(abi);
  const fallback = verdictOf(profile.defaultAction, profile.defaultErrnoRet);
  const decisions = new Map<number, Decision>();
  for (const rule of rules) {
    const verdict = verdictOf(rule.action, rule.errnoRet);
    for (const name of rule.names) {
      for (const { call, args } of [{ call: name, args: rule.args }, ...multiplexed(abi, name, rule.args)]) {
        const number = table.get(call);
        if (number !== undefined) add(decisions, number, alternatives(args), verdict);
      }
    }
  }
  const named = profile.syscalls.flatMap(({ names }) => names.map((name) => table.get(name) ?? -1));
  const newest = named.reduce((most, number) => Math.max(most, number), -1);
  const beyond = profile.defaultAction === 'SCMP_ACT_ERRNO' && newest >= 0 ? ENOSYS_VERDICT : fallback;
  return mergedRanges(decisions, fallback, newest + 1, beyond, abi);
}

function mergedRanges(
  decisions: ReadonlyMap<number, Decision>,
  fallback: number,
  beyondFrom: number,
  beyond: number,
  abi: Abi,
): Range[] {
  const out: (Range & { verdict: number | undefined })[] = [];
  const put = (from: number, verdict: number | undefined, block: Instruction[]): void => {
    const last = out.at(-1);
    if (last?.from === from) out.pop();
    if (verdict !== undefined && out.at(-1)?.verdict === verdict) return;
    out.push({ from, verdict, block });
  };
  put(0, fallback, [ret(fallback)]);
  for (const [number, { cases, verdict = fallback }] of [...decisions].sort(([a], [b]) => a - b)) {
    const constant = cases.every((each) => each.verdict === verdict) ? verdict : undefined;
    put(number, constant, constant === undefined ? argumentChain(cases, verdict) : [ret(verdict)]);
    put(number + 1, fallback, [ret(fallback)]);
  }
  put(beyondFrom, beyond, [ret(beyond)]);
  if (abi.table === 'x86_64') put(X32_BIT, ENOSYS_VERDICT, [ret(ENOSYS_VERDICT)]);
  return out;
}

function add(
  decisions: Map<number, Decision>,
  number: number,
  choices: readonly (readonly ArgRule[])[],
  verdict: number,
): void {
  let decision = decisions.get(number);
  if (decision === undefined) decisions.set(number, (decision = { cases: [], verdict: undefined }));
  if (choices.length === 0) decision.verdict ??= verdict;
  for (const args of choices) decision.cases.push({ args, verdict });
}

/** No comparison: none. One argument compared twice: one alternative each, as runc does, since libseccomp refuses it. */
function alternatives(args: readonly ArgRule[]): (readonly ArgRule[])[] {
  if (args.length === 0) return [];
  const distinct = new Set(args.map(({ index }) => index)).size === args.length;
  return distinct ? [args] : args.map((arg) => [arg]);
}

function verdictOf(action: Action, errnoRet: number | undefined): number {
  // TRACE hands the number to the tracer in place of an errno.
  const data = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? (errnoRet ?? EPERM) : 0;
  return ACTIONS[action] | data;
}

const tables = new Map<string, ReadonlyMap<string, number>>();

function numbersOf({ table }: Abi): ReadonlyMap<string, number> {
  let numbers = tables.get(table);
  if (numbers === undefined) {
    const pairs = SYSCALL_TABLES[table].trim().split(/\s+/);
    numbers = new Map(
      pairs.map((pair) => {
        const colon = pair.indexOf(':');
        return [pair.slice(0, colon), Number(pair.slice(colon + 1))];
      }),
    );
    tables.set(table, numbers);
  }
  return numbers;
}
