// --debug-shell: a shell where a RUN has failed, with all that the command had and what it left.

import { setImmediate } from 'node:timers/promises';
import type { EngineError } from '../../core/errors.ts';
import { traceInRoot } from '../../runtime/root-file.ts';
import type { RunVertex } from '../graph.ts';
import type { BuildParts } from '../parts.ts';
import { execute } from './execute.ts';
import { isOpaque, planOf, type RunStep } from './step.ts';

/** The caller's terminal, while something else may be shown on it. */
export interface DebugTerminal {
  /**
   * Calls `work` with a descriptor of the terminal after the lines of `banner`; whoever shows the build is quiet meanwhile.
   * Where there is none it says so, and does nothing.
   */
  lend(vertex: number, banner: readonly string[], work: (fd: number) => Promise<void>): Promise<void>;
  /** The user's: what else fails leaves a shell that is open alone. */
  signal: AbortSignal;
}

/** One shell at a time. */
export class DebugShells {
  readonly #terminal: DebugTerminal;
  #last: Promise<void> = Promise.resolve();

  constructor(terminal: DebugTerminal) {
    this.#terminal = terminal;
  }

  /**
   * Resolves when the user has left; at once if another failure has ended the build.
   * @param step as it was for the command, with fresh `lower`, `work` and `containerDir`
   */
  async open(parts: BuildParts, number: number, failure: EngineError, step: () => RunStep): Promise<void> {
    const turn = this.#last.then(async () => {
      await setImmediate(); // whose shell was left just now stops the build
      if (!parts.signal.aborted) await this.#open(parts, number, failure, step());
    });
    this.#last = turn.catch(() => {});
    await turn;
  }

  async #open(parts: BuildParts, number: number, failure: EngineError, step: RunStep): Promise<void> {
    const { signal } = this.#terminal;
    try {
      const shell = shellIn(step.vertex, [step.upper, ...step.trees()]);
      if (shell === undefined) {
        parts.log.warn('--debug-shell: no shell is opened: there is none in the image');
        return;
      }
      const plan = await planOf(parts, step, shell);
      await this.#terminal.lend(number, bannerOf(failure, shell), async (fd) => {
        const onStarted = (): void => step.lower.close();
        await execute({ plan, dirs: step.lower.dirs, onStarted, stdio: fd, signal });
      });
    } catch (error) {
      if (signal.aborted) throw error;
      parts.log.warn(`--debug-shell: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      step.lower.close();
    }
  }
}

function bannerOf({ message }: EngineError, shell: string): string[] {
  return [
    message,
    `This is ${shell} where that was run, with what it left. Leave by "exit" or Ctrl-D: the build fails then, and no image gets any of this.`,
  ];
}

/** SHELL's program, else /bin/sh: the first that is there. */
function shellIn({ shell, env }: RunVertex, trees: readonly string[]): string | undefined {
  const isThere = (path: string): boolean => {
    const end = traceInRoot({ trees, isOpaque }, path).at(-1);
    return end?.hostPath !== undefined;
  };
  const folders = (env.find((entry) => entry.startsWith('PATH=')) ?? 'PATH=')
    .slice('PATH='.length)
    .split(':');
  const isCommand = (name: string): boolean =>
    name.includes('/') ? isThere(name) : folders.some((folder) => isThere(`${folder}/${name}`));
  return [shell, '/bin/sh'].find((name) => name !== undefined && isCommand(name));
}
