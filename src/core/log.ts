// Warnings and notes for stderr. Lower rows get a Log and never print themselves.

export interface Log {
  /** Something that could not be honoured or that weakens isolation; printed once per text. */
  warn(message: string): void;
  /** A note the user should see unless --quiet. */
  info(message: string): void;
  /** Only with SKIFF_DEBUG=1 or --debug. */
  debug(message: string): void;
}

/** Swallows everything: for tests and for callers that do not care. */
export const silentLog: Log = { warn() {}, info() {}, debug() {} };
