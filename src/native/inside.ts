// Work inside a container's ids: skiff itself, started again as root of the user namespace, does what a hidden command's
// request says. stdin and stdout carry data; stderr ends with one JSON line, the reply. (The unpacker of layers is older
// and has a protocol of its own: image/layer/messages.ts.)

import type { Readable, Writable } from 'node:stream';
import { EngineError, errnoOf, type ErrorCode } from '../core/errors.ts';
import { writeAll } from '../core/fs.ts';
import { addon } from './addon.ts';
import type { MountedRoot } from './encode-plan.ts';
import { runInUserNamespace } from './launch.ts';
import type { IdMap } from './plan.ts';
import { selfCommand } from './self.ts';

export interface InsideOptions {
  /** First words of errors: `exporting container "web"`. */
  doing: string;
  /** Hidden command of ours. */
  command: string;
  /** Its argument, as JSON: at most 128 KiB. */
  request: object;
  idMap: IdMap | undefined;
  /** Path of the user namespace to join instead of making one with that map. */
  joined?: string | undefined;
  /** Mounted for the child alone. */
  root?: MountedRoot | undefined;
  /** Descriptors of directories that `root` names by inheritedPath(). */
  dirs?: readonly number[] | undefined;
  /** Default: nothing to read. */
  stdin?: 'pipe' | 'ignore' | number;
  /** Default: 'pipe'. */
  stdout?: 'pipe' | 'ignore' | number;
  /** Gets each line that the child writes to stderr before its reply. */
  onNews?: ((line: string) => void) | undefined;
}

export interface Inside {
  /** null unless 'pipe' was asked for. */
  stdin: Writable | null;
  stdout: Readable | null;
  /**
   * What the child's work returned. Read stdout to its end as well: the child waits for that. Rejects with what the child
   * reports.
   */
  reply: Promise<unknown>;
  /** `reply` rejects then. Idempotent. */
  kill(): void;
}

type Answer =
  { ok: unknown } | { error: { code: ErrorCode; message: string; hint?: string; exitCode?: number } };

/** Dies with us. The root, if any, goes away with the child's mount namespace. */
export function startInside(options: InsideOptions): Inside {
  const {
    doing,
    command,
    request,
    idMap,
    joined,
    root,
    dirs,
    stdin = 'ignore',
    stdout = 'pipe',
    onNews,
  } = options;
  const child = runInUserNamespace({
    idMap,
    joined,
    root,
    ...(dirs === undefined ? {} : { dirs }),
    argv: [...selfCommand(doing), command, JSON.stringify({ ...request, parent: process.pid })],
    stdio: [stdin, stdout, 'pipe'],
  });
  const said: Buffer[] = [];
  child.stderr?.on('data', (part: Buffer) => {
    said.push(part);
    if (onNews !== undefined && part.includes(10))
      for (const line of part.toString().split('\n').slice(0, -1)) onNews(line);
  });
  // A child that gives up early closes its end: its reply says why, the EPIPE does not.
  child.stdin?.on('error', () => {});
  const reply = child.result.then(({ status }) =>
    parseAnswer(Buffer.concat(said).toString().trimEnd(), status, doing),
  );
  reply.catch(() => {}); // the caller may look at it later
  return { stdin: child.stdin, stdout: child.stdout, reply, kill: () => child.kill('SIGKILL') };
}

function parseAnswer(text: string, status: number, doing: string): unknown {
  let answer: Answer;
  try {
    answer = JSON.parse(text.slice(text.lastIndexOf('\n') + 1)) as Answer;
  } catch {
    // The helper could not start it, and says so in words; or it was killed.
    const words = text.replace(/^Error: /, '');
    throw new EngineError(
      'IO',
      `${doing}: ${words === '' ? `its process ended with status ${status}` : words}`,
    );
  }
  if ('ok' in answer) return answer.ok;
  const { code, message, ...rest } = answer.error;
  throw new EngineError(code, `${doing}: ${message}`, rest);
}

/**
 * The child's side: does `work` and answers. Never throws; returns the exit status.
 * @param text the hidden command's argument, which comes from ourselves: its shape is not checked again
 */
export async function serveInside(
  text: string,
  work: (request: unknown) => Promise<unknown>,
): Promise<number> {
  let answer: Answer;
  try {
    const request = JSON.parse(text) as { parent: number };
    // What the helper sets is cleared by the change of ids when it enters a user namespace.
    if (!addon().dieWithParent(request.parent)) throw new EngineError('CANCELLED', 'nobody waits for it');
    answer = { ok: (await work(request)) ?? null };
  } catch (error) {
    answer = { error: describe(error) };
  }
  writeAll(2, Buffer.from(`${JSON.stringify(answer)}\n`));
  return 'ok' in answer ? 0 : 125;
}

function describe(error: unknown): Extract<Answer, { error: unknown }>['error'] {
  // Nobody reads stdout any more: what was thrown then has no words of its own.
  const message = (error instanceof Error ? error.message : String(error)) || 'nobody takes the output';
  if (!(error instanceof EngineError)) {
    const errno = errnoOf(error);
    return { code: errno === 'ENOSPC' || errno === 'EDQUOT' ? 'NO_SPACE' : 'IO', message };
  }
  const { code, hint, exitCode } = error;
  return { code, message, exitCode, ...(hint === undefined ? {} : { hint }) };
}
