// Rules about the instructions of a stage, with the variables they see. (pure)

import { posix } from 'node:path';
import type { Instruction } from '../ast.ts';
import { quoteShort } from '../errors.ts';
import { expandWord } from '../expand.ts';
import type { Step } from '../scope.ts';
import { nearest } from '../suggest.ts';
import type { LintReport } from './report.ts';

/** What a stage hands on to the ones FROM it. */
export interface Inherited {
  /** A SHELL of its own: shell forms are meant. */
  readonly hasShell: boolean;
  readonly hasWorkdir: boolean;
  /** False: the base image's variables are not known, so nothing can be called undefined. */
  readonly knowsEnv: boolean;
}

export interface StageRulesOptions {
  readonly escape: string;
  /** Left out of the context by .dockerignore; path: relative, normalised. */
  readonly isIgnored: ((path: string) => boolean) | undefined;
}

export class StageRules {
  private readonly report: LintReport;
  private readonly options: StageRulesOptions;
  private state: Inherited;
  private readonly single = new Map<string, Instruction>();

  constructor(report: LintReport, options: StageRulesOptions, inherited: Inherited) {
    this.report = report;
    this.options = options;
    this.state = inherited;
  }

  get inherited(): Inherited {
    return this.state;
  }

  /** written: the instruction before its words were replaced. */
  check(step: Step, written: Instruction): void {
    this.checkVariables(step);
    const { instruction } = step;
    switch (instruction.kind) {
      case 'cmd':
      case 'entrypoint':
        if (instruction.command.form === 'shell' && !this.state.hasShell) {
          this.report.add(
            'JSONArgsRecommended',
            instruction,
            `JSON arguments recommended for ${instruction.keyword} to prevent unintended behavior related to OS signals`,
          );
        }
        this.checkSingle(instruction);
        return;
      case 'healthcheck':
        this.checkSingle(instruction);
        return;
      case 'shell':
        this.state = { ...this.state, hasShell: true };
        return;
      case 'workdir':
        if (!this.state.hasWorkdir && !instruction.path.startsWith('/')) {
          this.report.add(
            'WorkdirRelativePath',
            instruction,
            `Relative workdir ${quoteShort(instruction.path)} can have unexpected results if the base image changes`,
          );
        }
        this.state = { ...this.state, hasWorkdir: true };
        return;
      case 'env':
        for (const { name } of instruction.pairs) this.checkSecret('ENV', name, instruction);
        return;
      case 'arg':
        for (const { name } of instruction.args) this.checkSecret('ARG', name, instruction);
        return;
      case 'copy':
      case 'add':
        this.checkSources(instruction);
        return;
      case 'expose':
        if (written.kind === 'expose') this.checkPorts(written.ports, step);
        return;
      case 'label':
      case 'maintainer':
      case 'onbuild':
      case 'run':
      case 'stopsignal':
      case 'user':
      case 'volume':
    }
  }

  private checkVariables({ instruction, missing, args, env }: Step): void {
    if (!this.state.knowsEnv) return;
    for (const name of missing) {
      if (args.has(name)) continue;
      const suggestion = nearest(name, env.keys());
      this.report.add(
        'UndefinedVar',
        instruction,
        `Usage of undefined variable '$${name}'${suggestion === undefined ? '' : ` (did you mean $${suggestion}?)`}`,
      );
    }
  }

  /** The earlier one is told, which is the one without effect. */
  private checkSingle(instruction: Instruction): void {
    const earlier = this.single.get(instruction.kind);
    if (earlier !== undefined) {
      const name = instruction.keyword;
      this.report.add(
        'MultipleInstructionsDisallowed',
        earlier,
        `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`,
      );
    }
    this.single.set(instruction.kind, instruction);
  }

  private checkSecret(keyword: string, name: string, instruction: Instruction): void {
    if (!SECRET.test(name) || NO_SECRET.test(name)) return;
    this.report.add(
      'SecretsUsedInArgOrEnv',
      instruction,
      `Do not use ARG or ENV instructions for sensitive data (${keyword} ${quoteShort(name)})`,
    );
  }

  private checkSources(instruction: Extract<Instruction, { kind: 'copy' | 'add' }>): void {
    const { isIgnored } = this.options;
    if (isIgnored === undefined || (instruction.kind === 'copy' && instruction.from !== undefined)) return;
    for (const source of instruction.sources) {
      if (instruction.kind === 'add' && /^(?:https?|git|ssh):\/\/|^git@/i.test(source)) continue;
      const path = posix.normalize(`/${source}`).slice(1).replace(/\/$/, '');
      if (path === '' || !isIgnored(path)) continue;
      const verb = instruction.kind === 'add' ? 'Add' : 'Copy';
      this.report.add(
        'CopyIgnoredFile',
        instruction,
        `Attempting to ${verb} file ${quoteShort(path)} that is excluded by .dockerignore`,
      );
    }
  }

  private checkPorts(ports: readonly string[], { env, instruction }: Step): void {
    const { escape } = this.options;
    for (const port of ports.flatMap((word) => expandWord(word, env, { escape }).words)) {
      const protocol = port.split('/', 2)[1] ?? '';
      if (protocol !== protocol.toLowerCase()) {
        this.report.add(
          'ExposeProtoCasing',
          instruction,
          `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
        );
      }
      if (port.includes(':')) {
        this.report.add(
          'ExposeInvalidFormat',
          instruction,
          `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
        );
      }
    }
  }
}

const SECRET = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;
