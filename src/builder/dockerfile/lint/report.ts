// Collects what the rules find, less what `check=skip=…` leaves out. (pure)

import type { CheckDirective, Dockerfile, Source, SourceRange } from '../ast.ts';
import { parseCheck } from '../directives.ts';
import { located } from '../errors.ts';
import { RULES } from './rules.ts';
import type { Rule, RuleName } from './rules.ts';

export interface LintWarning {
  readonly rule: RuleName;
  readonly description: string;
  readonly detail: string;
  readonly range: SourceRange;
}

export class LintReport {
  private readonly dockerfile: Dockerfile;
  private readonly check: CheckDirective;
  private readonly found: LintWarning[] = [];

  constructor(dockerfile: Dockerfile, check: CheckDirective) {
    this.dockerfile = dockerfile;
    this.check = check;
  }

  /** place: an instruction, whose own `# check=skip=…` above it counts too. */
  add(rule: RuleName, place: Source | SourceRange, detail: string): void {
    const checks = 'range' in place ? [this.check, ...this.ownChecks(place)] : [this.check];
    if (!checks.some((check) => isAsked(rule, check)) || checks.some((check) => isSkipped(rule, check)))
      return;
    const range = 'range' in place ? place.range : place;
    this.found.push({ rule, description: RULES[rule].description, detail, range });
  }

  /** By line; what one instruction has, in the order of the rules. */
  warnings(): LintWarning[] {
    return this.found.toSorted((a, b) => a.range.line - b.range.line);
  }

  private ownChecks({ comments, range }: Source): CheckDirective[] {
    return comments.flatMap((comment) => {
      const text = /^check\s*=\s*(.+)$/.exec(comment)?.[1];
      return text === undefined ? [] : [located(this.dockerfile, range, () => parseCheck(text))];
    });
  }
}

function isAsked(name: RuleName, { experimental, experimentalAll }: CheckDirective): boolean {
  const rule: Rule = RULES[name];
  return rule.experimental !== true || experimentalAll || experimental.includes(name);
}

/** An experimental rule is left out by not asking for it: `skip=all;experimental=X` runs X alone. */
function isSkipped(name: RuleName, { skip, skipAll }: CheckDirective): boolean {
  const rule: Rule = RULES[name];
  return rule.experimental !== true && (skipAll || skip.includes(name));
}
