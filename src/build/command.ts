// The use case behind `skiff build`: reads what is built from, builds, and writes the files that were asked for.

import { isatty } from 'node:tty';
import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { writeFileAtomic } from '../core/fs.ts';
import { storeIo } from '../store/io.ts';
import { buildImage, type BuildRequest } from './build.ts';
import { lintDockerfile, lintFailure, type LintOptions } from './dockerfile/lint/lint.ts';
import { renderLint, shortWarning } from './dockerfile/lint/render.ts';
import { hostPlatform } from '../image/platform.ts';
import { readInput, type BuildInput } from './input.ts';
import { writeOutput, type Output, type OutputParts } from './outputs.ts';

export interface BuildCommand extends Omit<BuildRequest, 'input'> {
  /** PATH, or `-`. */
  context: string;
  file: string | undefined;
  ignoreFile: string | undefined;
  /** --iidfile, --metadata-file */
  idFile: string | undefined;
  metadataFile: string | undefined;
  outputs: readonly Output[];
  /** When nothing more will be told, before an error is. */
  onEnd: () => void;
}

export interface BuildResult {
  imageId: Digest;
  /** What is said about the Dockerfile, a line each. */
  warnings: string[];
}

/** @throws with exit status 1, as docker build has it */
export async function runBuild(parts: OutputParts, command: BuildCommand): Promise<BuildResult> {
  const { context, file, ignoreFile, idFile, metadataFile, outputs, onEnd, ...request } = command;
  try {
    const input = await readInput({ context, file, ignoreFile, cwd: process.cwd(), readStdin });
    const { warnings } = checked(input, request);
    const { image } = await buildImage(parts, { ...request, input });
    for (const output of outputs) await writeOutput(parts, output, image, request.tags);
    if (idFile !== undefined) writeResult(idFile, image.imageId);
    if (metadataFile !== undefined)
      writeResult(
        metadataFile,
        `${JSON.stringify(
          {
            'containerimage.config.digest': image.imageId,
            'containerimage.digest': image.manifestDigest,
            ...(request.tags.length === 0 ? {} : { 'image.name': request.tags.join(',') }),
          },
          null,
          2,
        )}\n`,
      );
    return { imageId: image.imageId, warnings };
  } catch (error) {
    throw withStatus(error);
  } finally {
    onEnd();
  }
}

/**
 * `build --check`: what can be said of the Dockerfile without building it.
 * @throws what reading it throws
 */
export async function checkBuild(
  command: Pick<BuildCommand, 'context' | 'file' | 'ignoreFile'> & LintRequest,
): Promise<{ text: string; isClean: boolean }> {
  const { context, file, ignoreFile } = command;
  const input = await readInput({ context, file, ignoreFile, cwd: process.cwd(), readStdin });
  const result = lintDockerfile(input.dockerfile, lintOptions(command));
  const isClean = result.warnings.length === 0 && result.error === undefined;
  return { text: renderLint(input.dockerfile, result), isClean };
}

type LintRequest = Pick<BuildRequest, 'buildArgs' | 'platform'>;

function lintOptions({ buildArgs, platform }: LintRequest): LintOptions {
  const host = hostPlatform(process.arch);
  return { buildArgs, buildPlatform: host, targetPlatform: platform ?? host, targetStage: undefined };
}

/** @throws DockerfileError where `# check=error=true` makes errors of warnings */
function checked({ dockerfile }: BuildInput, request: LintRequest): { warnings: string[] } {
  const { warnings } = lintDockerfile(dockerfile, lintOptions(request));
  const failure = lintFailure(dockerfile, request.buildArgs, warnings);
  if (failure !== undefined) throw failure;
  return { warnings: warnings.map(shortWarning) };
}

function withStatus(error: unknown): unknown {
  if (!(error instanceof EngineError) || error.exitCode !== 125) return error;
  const { code, message, hint, detail, cause } = error;
  return new EngineError(code, message, { hint, detail, cause, exitCode: 1 });
}

function writeResult(path: string, text: string): void {
  storeIo('writing', path, () => writeFileAtomic(path, text));
}

async function readStdin(): Promise<Uint8Array> {
  if (isatty(0))
    throw new EngineError('USAGE', 'reading from stdin: it is a terminal', {
      exitCode: 1,
      hint: 'pipe a Dockerfile into it: skiff build - < Dockerfile',
    });
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
