// What a client of a monitor relays: streams, signals, and the keys that end it. (pure)

import { EngineError } from '../core/errors.ts';
import type { Client } from '../native/plan.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './configure/detach-keys.ts';

export interface Streams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/** -a STREAM…; without one, both outputs, and stdin with -i. @throws USAGE */
export function parseStreams(texts: readonly string[], interactive: boolean): Streams {
  const names = texts.map((text) => text.toLowerCase());
  const unknown = texts.find((_, i) => !['stdin', 'stdout', 'stderr'].includes(names[i] as string));
  if (unknown !== undefined) {
    throw new EngineError(
      'USAGE',
      `--attach ${JSON.stringify(unknown)}: valid streams are STDIN, STDOUT and STDERR`,
    );
  }
  if (names.length === 0) return { stdin: interactive, stdout: true, stderr: true };
  return {
    stdin: names.includes('stdin'),
    stdout: names.includes('stdout'),
    stderr: names.includes('stderr'),
  };
}

/** Of `run` without -d, `start -a` and `attach`. */
export function attachedClient(
  { id, config }: ContainerSpec,
  streams: Streams,
  { sigProxy, detachKeys }: { sigProxy: boolean; detachKeys: string | undefined },
): Client {
  const keys = parseDetachKeys(detachKeys ?? DEFAULT_DETACH_KEYS);
  return {
    kind: 'attached',
    stdin: streams.stdin && config.openStdin,
    stdout: streams.stdout,
    stderr: streams.stderr,
    tty: config.tty,
    sigProxy,
    // As in docker, only what is typed at a terminal is looked through.
    detachKeys: config.tty ? keys : new Uint8Array(),
    // docker prints the id when neither output is attached.
    print: streams.stdout || streams.stderr ? '' : id,
    printOnFailure: false,
  };
}

/** Of `run -d` and `start`: prints `line` once the command runs. */
export function detachedClient(line: string, printOnFailure: boolean): Client {
  return {
    kind: 'detached',
    stdin: false,
    stdout: false,
    stderr: false,
    tty: false,
    sigProxy: false,
    detachKeys: new Uint8Array(),
    print: line,
    printOnFailure,
  };
}
