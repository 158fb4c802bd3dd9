// Errors thrown on purpose: one base class with a code, an exit status and a way out. Decisions are made on `code`
// (or on `errno` of a system call), never on the text.

/** Every code an `EngineError` can carry. Add here, so that a search for a code finds its meaning. */
export type ErrorCode =
  | 'USAGE' // the command line is wrong
  | 'CONFIG_INVALID' // a configuration file or variable is wrong
  | 'REFERENCE_INVALID' // not an image name
  | 'IMAGE_NOT_FOUND' // not in the store (or not in the registry)
  | 'IMAGE_IN_USE'
  | 'IMAGE_INCOMPLETE' // an index names images that are not in the store
  | 'IMAGE_INVALID' // a manifest, index, config or archive breaks its spec
  | 'PLATFORM_NOT_FOUND'
  | 'CONTAINER_NOT_FOUND'
  | 'CONTAINER_AMBIGUOUS' // an id prefix fits several
  | 'CONTAINER_RUNNING'
  | 'CONTAINER_STATE' // wrong state for what was asked
  | 'PATH_NOT_FOUND' // cp: no such file
  | 'PATH_INVALID' // cp: a file where a directory must be, or the other way round
  | 'NAME_IN_USE'
  | 'VOLUME_NOT_FOUND'
  | 'VOLUME_IN_USE'
  | 'REGISTRY' // an answer of a registry: see RegistryError
  | 'NETWORK_FAILED' // no answer: DNS, connect, TLS, reset, time-out
  | 'OFFLINE' // --pull never or SKIFF_OFFLINE forbids it
  | 'AUTH_FAILED'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'LAYER_INVALID' // a layer's tar is malformed
  | 'LAYER_PATH_ESCAPE' // a layer tries to leave its directory
  | 'STORE_BUSY'
  | 'STORE_INVALID'
  | 'NO_SPACE'
  | 'BUILD_STEP_FAILED' // a RUN ended with another status than 0
  | 'BUILD_NOT_REPRODUCIBLE' // --verify-repro: the second build came to something else
  | 'USER_UNKNOWN' // USER or -u names nobody in the image
  | 'HOST_MISSING' // the host lacks a program, device, right or kernel feature; the hint says how to mend it
  | 'NATIVE_STEP' // a step of the native helper failed: see NativeStepError
  | 'DOCKERFILE_INVALID' // see DockerfileError
  | 'CANCELLED'
  | 'IO';

export interface ErrorOptionsWithHint {
  /** What the user can do next: one sentence or command, no full stop. */
  hint?: string | undefined;
  /** Lines that show the place, printed above the message as they are. */
  detail?: string | undefined;
  /** Process exit status, 125 unless said otherwise. */
  exitCode?: number | undefined;
  cause?: unknown;
}

/**
 * Base of every error we throw on purpose. Anything else that reaches main.ts is a bug.
 * Wording: `<doing> <object>: <cause>`, lower case, no full stop, the object as the user typed it and quoted.
 */
export class EngineError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly detail: string | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: ErrorOptionsWithHint = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'EngineError';
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail;
    this.exitCode = options.exitCode ?? 125;
  }
}

/** The same error in other words, or with another exit status. */
export function retold(
  { code, message, hint, detail, exitCode, cause }: EngineError,
  change: { message?: string; exitCode?: number },
): EngineError {
  return new EngineError(code, change.message ?? message, {
    hint,
    detail,
    exitCode: change.exitCode ?? exitCode,
    cause,
  });
}

/** The `errno` name of a system error ('ENOENT'), or undefined when `error` is something else. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
