// The use case behind `skiff build`: reads what is built from, builds, and writes the files that were asked for.

import { isatty } from 'node:tty';
import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { writeFileAtomic } from '../core/fs.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import { idOf, targetOf } from '../store/images.ts';
import { storeIo } from '../store/io.ts';
import { buildImage, type BuildRequest } from './build.ts';
import type { OnBuildEvent } from './events.ts';
import type { BuildParts } from './parts.ts';
import { exportCaches } from './cache-transfer/export.ts';
import type { CacheChoice } from './cache-transfer/flags.ts';
import { CacheImports } from './cache-transfer/imports.ts';
import { checkBuild, refuseWarnings, warningsOf } from './check.ts';
import { ArrivedContexts } from './arrivals.ts';
import { commitTime } from './context/commit-time.ts';
import { readInput, type BuildInput } from './input.ts';
import { pushBuilt } from './push.ts';
import { folderOf, writeOutput, type BuiltPlatform, type Output, type OutputParts } from './outputs.ts';
import { BuildKeeper } from './report/keep.ts';
import { fixedCreated } from './times.ts';
import { verifyBuild } from './verify/verify.ts';

export interface BuildCommand extends Omit<
  BuildRequest,
  'input' | 'created' | 'fetchContext' | 'onContext' | 'pass' | 'cache'
> {
  /** Undefined: of the commit that the context comes from, else the fixed time. */
  created: string | undefined;
  /** --cache-from, --cache-to */
  cache: CacheChoice;
  /** PATH, URL or `-`. */
  context: string;
  file: string | undefined;
  ignoreFile: string | undefined;
  /** --iidfile, --metadata-file */
  idFile: string | undefined;
  metadataFile: string | undefined;
  outputs: readonly Output[];
  /** Of all names. */
  push: boolean;
  /** --verify-repro */
  verifyRepro: boolean;
  /** When nothing more will be told, before an error is; with the path of the build's picture, if it has one. */
  onEnd: (timeline: string | undefined) => void;
}

/**
 * warnings: what the checks of the Dockerfile find, in a few lines.
 * @throws with exit status 1, as docker build has it
 */
export async function runBuild(
  parts: OutputParts,
  command: BuildCommand,
): Promise<{ imageId: Digest; warnings: string | undefined; proof: string | undefined }> {
  const { context, file, ignoreFile, idFile, metadataFile, outputs, push, verifyRepro, onEnd, ...asked } =
    command;
  const { cache, ...request } = asked;
  const { registry } = request.pull;
  const imports = new CacheImports(parts, cache.from, registry);
  const keeper = new BuildKeeper(parts, Date.now());
  const outcome: Parameters<BuildKeeper['keep']>[0] = {
    result: 'failed',
    dockerfile: file ?? 'Dockerfile',
    ...(request.target === undefined ? {} : { target: request.target }),
    tags: request.tags,
  };
  let vertices = 0;
  const onEvent: OnBuildEvent = (event) => {
    vertices = Math.max(vertices, event.vertex);
    keeper.onEvent(event);
    request.onEvent(event);
  };
  const arrivals = arrivalsFor(parts, request, onEvent);
  try {
    const input = await readInput({ context, file, ignoreFile, cwd: process.cwd(), stdin, arrivals });
    refuseWarnings({ ...request, input });
    outcome.dockerfile = input.dockerfile.file;
    outcome.context = input.name;
    const full: BuildRequest = {
      ...{ ...request, input, onEvent },
      created: request.created ?? fixedCreated(await contextTime(parts, input)),
      cache: { imports, isExported: cache.to.length > 0, inline: cache.inline },
      onContext: (event) => keeper.onContext(event),
      fetchContext: (source, vertex) => arrivals.named(source, vertex),
    };
    const { image, platforms, caches, proof } = verifyRepro
      ? await verifyBuild(parts, full)
      : { ...(await buildImage(parts, full)), proof: undefined };
    const built = platforms.map((one, i): BuiltPlatform => {
      const platform = request.platforms[i];
      const isOnly = platforms.length === 1 || platform === undefined;
      return { image: one, folder: isOnly ? undefined : folderOf(platform) };
    });
    for (const output of outputs)
      await writeOutput(parts, output, image, { parts: built, names: request.tags });
    if (push)
      await pushBuilt(parts, { references: request.tags, registry }, { vertex: vertices + 1, onEvent });
    if (caches.length > 0)
      await exportCaches(parts, cache.to, caches, {
        ...{ registry, imports, onEvent, nextNumber: () => vertices + 1 },
        idMap: chooseIdMap(readIdMapInput(parts, undefined)).idMap,
      });
    if (idFile !== undefined) writeResult(idFile, idOf(image));
    if (metadataFile !== undefined)
      writeResult(
        metadataFile,
        `${JSON.stringify(
          {
            ...(image.index === undefined ? { 'containerimage.config.digest': image.imageId } : {}),
            'containerimage.digest': targetOf(image),
            ...(request.tags.length === 0 ? {} : { 'image.name': request.tags.join(',') }),
          },
          null,
          2,
        )}\n`,
      );
    outcome.image = { id: idOf(image), digest: targetOf(image) };
    outcome.result = 'done';
    return { imageId: idOf(image), warnings: warningsOf({ ...request, input }), proof };
  } catch (error) {
    if (parts.signal.aborted) outcome.result = 'canceled';
    else outcome.error = error instanceof Error ? error.message : String(error);
    throw withStatus(error);
  } finally {
    imports.close();
    await arrivals.remove();
    onEnd(keeper.keep(outcome));
  }
}

async function contextTime(parts: BuildParts, { context, timeSec }: BuildInput): Promise<number | undefined> {
  if (timeSec !== undefined || context === undefined || context.isForeign === true) return timeSec;
  return await commitTime(parts, context.path);
}

/** `--check`: nothing is built. @throws with exit status 1 */
export async function runCheck(
  parts: BuildParts,
  command: Pick<BuildCommand, 'context' | 'file' | 'ignoreFile' | 'target' | 'buildArgs' | 'platforms'>,
): Promise<{ text: string; exitCode: number }> {
  const arrivals = arrivalsFor(parts, command, () => {});
  try {
    const input = await readInput({ ...command, cwd: process.cwd(), stdin, arrivals });
    return checkBuild({ ...command, input });
  } catch (error) {
    throw withStatus(error);
  } finally {
    await arrivals.remove();
  }
}

function arrivalsFor(
  parts: BuildParts,
  { buildArgs }: Pick<BuildCommand, 'buildArgs'>,
  onEvent: OnBuildEvent,
): ArrivedContexts {
  const keep = buildArgs.get('BUILDKIT_CONTEXT_KEEP_GIT_DIR');
  return new ArrivedContexts(parts, { keepGitDir: keep === '1' || keep === 'true', onEvent });
}

function withStatus(error: unknown): unknown {
  if (!(error instanceof EngineError) || error.exitCode !== 125) return error;
  const { code, message, hint, detail, cause } = error;
  return new EngineError(code, message, { hint, detail, cause, exitCode: 1 });
}

function writeResult(path: string, text: string): void {
  storeIo('writing', path, () => writeFileAtomic(path, text));
}

/** @throws USAGE for a terminal */
async function* stdin(): AsyncGenerator<Uint8Array> {
  if (isatty(0))
    throw new EngineError('USAGE', 'reading from stdin: it is a terminal', {
      exitCode: 1,
      hint: 'pipe a Dockerfile or a tar into it: skiff build - < Dockerfile',
    });
  yield* process.stdin as AsyncIterable<Uint8Array>;
}
