// --chmod of COPY and ADD (pure): octal, or symbolic as chmod(1) has it, without a umask.

import { EngineError } from '../../core/errors.ts';

/** Gives the new mode of a file with that mode. */
export type Chmod = (mode: number, isDirectory: boolean) => number;

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/;

/** @throws USAGE (exit status 1) */
export function parseChmod(text: string): Chmod {
  if (/^[0-7]+$/.test(text)) {
    const mode = parseInt(text, 8);
    if (text.length > 6 || mode > 0o7777) throw invalid(text, 'octal modes are 0 to 07777');
    return () => mode;
  }
  if (/^\d+$/.test(text)) throw invalid(text, 'octal modes are 0 to 07777');
  const clauses = text.split(',').map((clause) => parseClause(clause, text));
  return (mode, isDirectory) =>
    clauses.reduce((changed, clause) => clause(changed, isDirectory), mode & 0o7777);
}

function parseClause(clause: string, text: string): Chmod {
  const [, who = '', actions] = CLAUSE.exec(clause) ?? [];
  if (actions === undefined) throw invalid(text, 'expected an octal mode, or something like u=rwX,go=rX');
  const reach = (who === '' ? ['a'] : [...who]).reduce((bits, one) => bits | (WHO[one] as number), 0);
  const steps = actions.match(/[-+=][^-+=]*/g) ?? [];
  return (mode, isDirectory) =>
    steps.reduce((changed, step) => apply(step, changed, isDirectory, reach), mode);
}

function apply(step: string, mode: number, isDirectory: boolean, reach: number): number {
  const bits = bitsOf(step.slice(1), mode, isDirectory) & reach;
  if (step.startsWith('+')) return mode | bits;
  if (step.startsWith('-')) return mode & ~bits;
  // As chmod(1): "=" leaves setuid and setgid of directories alone.
  const kept = isDirectory ? reach & 0o777 : reach & ~(reach === WHO['a'] ? 0 : 0o1000);
  return (mode & ~kept) | bits;
}

function bitsOf(permissions: string, mode: number, isDirectory: boolean): number {
  let bits = 0;
  for (const one of permissions) {
    if (one === 'r') bits |= 0o444;
    else if (one === 'w') bits |= 0o222;
    else if (one === 'x' || (one === 'X' && (isDirectory || (mode & 0o111) !== 0))) bits |= 0o111;
    else if (one === 's') bits |= 0o6000;
    else if (one === 't') bits |= 0o1000;
    else if (one === 'u') bits |= spread((mode >> 6) & 7);
    else if (one === 'g') bits |= spread((mode >> 3) & 7);
    else if (one === 'o') bits |= spread(mode & 7);
  }
  return bits;
}

function spread(three: number): number {
  return (three << 6) | (three << 3) | three;
}

function invalid(text: string, why: string): EngineError {
  return new EngineError('USAGE', `--chmod=${text}: ${why}`, { exitCode: 1 });
}
