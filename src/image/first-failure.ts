// Several jobs that end together when one fails: which of their errors to tell. The others only say that they were stopped.

import { EngineError } from '../core/errors.ts';

/** Keeps the first error that is not a cancellation; a cancellation only while there is nothing better. */
export class FirstFailure {
  #failure: { error: unknown } | undefined;
  readonly #onFailure: () => void;

  /** onFailure: stops the other jobs; called with each failure. */
  constructor(onFailure: () => void) {
    this.#onFailure = onFailure;
  }

  get any(): boolean {
    return this.#failure !== undefined;
  }

  readonly add = (error: unknown): void => {
    if (this.#failure === undefined || (isCancelled(this.#failure.error) && !isCancelled(error)))
      this.#failure = { error };
    this.#onFailure();
  };

  throwIfAny(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function isCancelled(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'CANCELLED';
}
