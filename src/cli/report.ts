// Errors → text on stderr and an exit status. The only place that turns codes into words for people.

import { EngineError, errnoOf } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';

export interface Report {
  /** Lines for stderr, ending in a newline. */
  text: string;
  exitCode: number;
}

/** debug: add the stack. Text of registries, images and programs may be in a message: control characters are shown. */
export function reportError(error: unknown, debug: boolean): Report {
  const stack = debug ? `${stackOf(error)}\n` : '';
  if (error instanceof EngineError) {
    const hint = error.hint === undefined ? '' : `Hint: ${visible(error.hint)}\n`;
    const detail = error.detail === undefined ? '' : `${visible(error.detail)}\n`;
    return { text: `${detail}Error: ${visible(chain(error))}\n${hint}${stack}`, exitCode: error.exitCode };
  }
  if (errnoOf(error) !== undefined && error instanceof Error) {
    return { text: `Error: ${visible(systemError(error))}\n${stack}`, exitCode: 125 };
  }
  const lines = [
    `Error: internal error: ${visible(chain(error))}`,
    `This is a bug in skiff ${VERSION}. Please report it with the command line and these lines:`,
    stackOf(error),
  ];
  return { text: `${lines.join('\n')}\n`, exitCode: 125 };
}

/** `message: message of the cause: …`; a cause that the message already quotes is not said twice. */
function chain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  if (!(cause instanceof Error)) return message;
  const rest =
    errnoOf(cause) !== undefined && !(cause instanceof EngineError) ? systemError(cause) : chain(cause);
  return rest === '' || message.includes(rest) || mentions(message, cause) ? message : `${message}: ${rest}`;
}

/** True when the message already says what the cause says, by its own text or by its errno. */
function mentions(message: string, cause: Error): boolean {
  const errno = errnoOf(cause);
  return message.includes(cause.message) || (errno !== undefined && message.includes(errno));
}

const ERRNO_TEXT: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EEXIST: 'exists already',
  ENOTEMPTY: 'directory is not empty',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'read-only file system',
  EMFILE: 'too many open files',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'name too long',
  EIO: 'input/output error',
  EXDEV: 'on another file system',
};

/** `open "/x": permission denied (EACCES)` from an error of node:fs and the like. */
function systemError(error: Error): string {
  const errno = errnoOf(error) as string;
  const { syscall, path } = error as { syscall?: unknown; path?: unknown };
  const text = ERRNO_TEXT[errno];
  if (text === undefined || typeof syscall !== 'string') return error.message;
  return `${syscall}${typeof path === 'string' ? ` ${JSON.stringify(path)}` : ''}: ${text} (${errno})`;
}

/** Control characters as \xNN (C0, DEL, C1), so that no message can drive the terminal. Newline and tab stay. */
export function visible(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\n  caused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
