// What main.ts makes once and every command gets: the outside world, passed down explicitly so that tests can pass fakes.
// Functions below ask only for the parts they use: `{ paths, log }`.

import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import type { Config } from '../core/config.ts';

export interface Io {
  /** Results. Appends a newline. Synchronous, so that nothing is lost or reordered at exit. */
  stdout(line: string): void;
  /** Raw bytes to stdout, for `save`, `export` and the like. */
  stdoutBytes(bytes: Uint8Array): void;
  /** Results that belong on stderr: what a container wrote there. */
  stderrBytes(bytes: Uint8Array): void;
  stderr(line: string): void;
  stdinIsTerminal: boolean;
  stdoutIsTerminal: boolean;
  stderrIsTerminal: boolean;
}

export interface Context {
  /** Where the store and volatile files are; nothing is made until it is needed. */
  paths: Paths;
  /** skiff.conf merged with SKIFF_* variables. */
  config: () => Config;
  env: Readonly<Record<string, string | undefined>>;
  io: Io;
  log: Log;
  /** Aborted by SIGINT, SIGTERM and SIGHUP while TypeScript is in charge. */
  signal: AbortSignal;
  /**
   * The signals mean again what they mean to any program: before this process is replaced by another, which would not
   * hear of one that has come meanwhile. @throws CANCELLED when one has
   */
  handOver: () => Promise<void>;
  /** Host ids of the caller: geteuid, getegid. */
  hostUid: number;
  hostGid: number;
}
