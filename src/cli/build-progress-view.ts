// What every way of showing a build does.

import type { BuildEvent } from '../builder/events.ts';

export interface BuildProgressView {
  onEvent(event: BuildEvent): void;
  /** Something else is printed on stderr. */
  around(print: () => void): void;
  /**
   * The terminal is somebody else's, for a step that has failed, until what this returns is called; what comes meanwhile is
   * shown then.
   */
  stepAside(vertex: number): () => void;
  /**
   * Ends the view; the output of the step that failed, if one did, comes again.
   * @param note a line for those who read the progress
   */
  close(note?: string): void;
}
