// --security-opt and --privileged: what is said, what is done, what cannot be honoured. (pure)

import { EngineError } from '../../core/errors.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../../runtime/mounts.ts';

export interface SecurityChoice {
  noNewPrivileges: boolean;
  /** undefined: the default filter (none with --privileged); else 'unconfined' or the path of a profile. */
  seccomp: string | undefined;
  maskedPaths: string[];
  readonlyPaths: string[];
  notes: string[];
}

/** @throws USAGE for an option nobody knows */
export function chooseSecurity(options: readonly string[], privileged: boolean): SecurityChoice {
  const choice: SecurityChoice = {
    noNewPrivileges: false,
    seccomp: privileged ? 'unconfined' : undefined,
    maskedPaths: privileged ? [] : [...MASKED_PATHS],
    readonlyPaths: privileged ? [] : [...READONLY_PATHS],
    notes: [],
  };
  for (const option of options) applyOption(choice, option);
  return choice;
}

function applyOption(choice: SecurityChoice, option: string): void {
  const match = /^([a-z-]+)(?:[=:](.*))?$/s.exec(option);
  const key = match?.[1];
  const value = match?.[2];
  switch (key) {
    case 'no-new-privileges':
      choice.noNewPrivileges = booleanValue(option, value ?? 'true');
      return;
    case 'seccomp':
      if (value === undefined || value === '')
        throw bad(option, 'expected seccomp=FILE or seccomp=unconfined');
      choice.seccomp = value === 'builtin' || value === 'default' ? undefined : value;
      return;
    case 'systempaths':
      if (value !== 'unconfined') throw bad(option, 'expected systempaths=unconfined');
      choice.maskedPaths = [];
      choice.readonlyPaths = [];
      return;
    case 'unmask':
      unmask(choice, value ?? '');
      return;
    case 'mask':
      choice.maskedPaths.push(...(value ?? '').split(':').filter((path) => path.startsWith('/')));
      return;
    case 'apparmor':
    case 'label':
      // skiff loads no profiles and sets no labels, so "unconfined" and "disable" are what happens anyway.
      if (value !== 'unconfined' && value !== 'disable')
        choice.notes.push(
          `--security-opt ${option} is not honoured: skiff sets no ${key === 'label' ? 'SELinux labels' : 'AppArmor profile'}`,
        );
      return;
    default:
      throw bad(
        option,
        'unknown option; known: no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined, mask=, unmask=, apparmor=, label=',
      );
  }
}

/** podman's unmask=ALL or a list of paths, the last part of which may hold a `*`. */
function unmask(choice: SecurityChoice, value: string): void {
  const paths = value.split(':');
  const isUnmasked = (path: string): boolean =>
    paths.some(
      (wanted) =>
        wanted === 'ALL' ||
        wanted === path ||
        (wanted.endsWith('/*') && path.startsWith(wanted.slice(0, -1))),
    );
  choice.maskedPaths = choice.maskedPaths.filter((path) => !isUnmasked(path));
  choice.readonlyPaths = choice.readonlyPaths.filter((path) => !isUnmasked(path));
}

function booleanValue(option: string, value: string): boolean {
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw bad(option, 'expected true or false');
}

function bad(option: string, cause: string): EngineError {
  return new EngineError('USAGE', `invalid --security-opt ${JSON.stringify(option)}: ${cause}`);
}
