// What a log holds, and what of it is asked for.

export interface LogEntry {
  /** Usually with a newline at the end. */
  log: string;
  stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds. */
  time: string;
}

export interface LogRequest {
  /** The last n entries; undefined: all. */
  tail: number | undefined;
  /** Unix nanoseconds. */
  sinceNs: bigint | undefined;
  untilNs: bigint | undefined;
  follow: boolean;
}
