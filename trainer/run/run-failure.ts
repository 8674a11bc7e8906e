/**
 * Where everything ends up that goes wrong in a callback of a run: a listener, a timer, a promise that nobody waits for. The first
 * error counts and stops the run; whatever follows from it is not told. The run's own course asks by `check`.
 */
export class RunFailure {
  readonly #controller = new AbortController();
  #first: {error: unknown} | undefined;

  /** Aborted by the first error. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly report = (error: unknown): void => {
    this.#first ??= {error};
    this.#controller.abort();
  };

  /** The same for a callback: it never throws, and gives undefined where it failed. */
  guard<Args extends unknown[], Result>(work: (...args: Args) => Result): (...args: Args) => Result | undefined {
    return (...args) => {
      try {
        return work(...args);
      } catch (error) {
        this.report(error);
        return undefined;
      }
    };
  }

  /** Throws what was reported first. */
  check(): void {
    if (this.#first) throw this.#first.error;
  }
}
