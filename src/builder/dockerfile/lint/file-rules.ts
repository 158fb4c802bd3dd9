// Rules about what stands in the file, whatever variables are worth. (pure)

import type { ArgInstruction, Dockerfile, Source, Stage } from '../ast.ts';
import { quoteShort } from '../errors.ts';
import type { LintReport } from './report.ts';

const RESERVED = ['context', 'scratch'];

export function checkFile(dockerfile: Dockerfile, report: LintReport): void {
  for (const range of dockerfile.emptyContinuations) {
    report.add('NoEmptyContinuation', range, 'Empty continuation line');
  }
  for (const stage of dockerfile.stages) checkStageHead(stage, report);
  checkStageNames(dockerfile, report);
  checkCasing(dockerfile, report);
  checkDescriptions(dockerfile, report);
}

function checkStageHead(stage: Stage, report: LintReport): void {
  const { keyword, asKeyword, typedName } = stage;
  if (typedName !== undefined && typedName !== typedName.toLowerCase()) {
    report.add('StageNameCasing', stage, `Stage name '${typedName}' should be lowercase`);
  }
  const isLower = keyword === keyword.toLowerCase();
  if (
    asKeyword !== undefined &&
    asKeyword !== (isLower ? asKeyword.toLowerCase() : asKeyword.toUpperCase())
  ) {
    report.add('FromAsCasing', stage, `'${asKeyword}' and '${keyword}' keywords' casing do not match`);
  }
  for (const instruction of stage.instructions) {
    if (instruction.kind === 'maintainer') {
      report.add(
        'MaintainerDeprecated',
        instruction,
        'Maintainer instruction is deprecated in favor of using label',
      );
    }
    if ((instruction.kind === 'env' || instruction.kind === 'label') && instruction.legacy) {
      const name = instruction.keyword;
      report.add(
        'LegacyKeyValueFormat',
        instruction,
        `"${name} key=value" should be used instead of legacy "${name} key value" format`,
      );
    }
  }
}

function checkStageNames({ stages }: Dockerfile, report: LintReport): void {
  const seen = new Set<string>();
  for (const stage of stages) {
    const { name } = stage;
    if (name === undefined) continue;
    if (RESERVED.includes(name)) {
      report.add(
        'ReservedStageName',
        stage,
        `Stage name should not use the same name as reserved stage ${quoteShort(name)}`,
      );
    }
    if (seen.has(name)) {
      report.add(
        'DuplicateStageName',
        stage,
        `Duplicate stage name ${quoteShort(name)}, stage names should be unique`,
      );
    }
    seen.add(name);
  }
}

/** One casing throughout: that of the majority, upper case when they are as many. Mixed ones count for neither. */
function checkCasing({ stages }: Dockerfile, report: LintReport): void {
  const all: Source[] = stages.flatMap((stage) => [stage, ...stage.instructions]);
  const lower = all.filter(({ keyword }) => keyword === keyword.toLowerCase()).length;
  const upper = all.filter(({ keyword }) => keyword === keyword.toUpperCase()).length;
  const wanted = lower > upper ? 'lowercase' : 'uppercase';
  for (const node of all) {
    const right = lower > upper ? node.keyword.toLowerCase() : node.keyword.toUpperCase();
    if (node.keyword === right) continue;
    report.add(
      'ConsistentInstructionCasing',
      node,
      `Command '${node.keyword}' should match the case of the command majority (${wanted})`,
    );
  }
}

/** A comment right above a stage or an ARG describes it, and begins with its name. */
function checkDescriptions({ stages, globalArgs }: Dockerfile, report: LintReport): void {
  const args: ArgInstruction[] = [
    ...globalArgs,
    ...stages.flatMap((stage) => stage.instructions.filter((instruction) => instruction.kind === 'arg')),
  ];
  for (const arg of args) {
    checkDescription(
      'ARG',
      arg.args.map(({ name }) => name),
      '<arg_key>',
      arg,
      report,
    );
  }
  for (const stage of stages) {
    if (stage.name !== undefined) checkDescription('FROM', [stage.name], stage.name, stage, report);
  }
}

function checkDescription(
  keyword: string,
  names: readonly string[],
  severalNames: string,
  node: Source,
  report: LintReport,
): void {
  const comment = node.comments.at(-1);
  if (comment === undefined) return;
  if (names.includes(comment.split(' ', 1)[0] as string)) return;
  const [first = ''] = names;
  const shown = names.length > 1 ? severalNames : first;
  report.add(
    'InvalidDefinitionDescription',
    node,
    `Comment for ${keyword} should follow the format: \`# ${shown} <description>\``,
  );
}
