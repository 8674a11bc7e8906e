/** One beat for all that shows runs, so that tree, status bar, lens and page say the same: nothing of them moves in between. */

/** Milliseconds between two beats. */
const interval = 500;

export class Beat<T> {
  readonly #tick: (changed: ReadonlySet<T>) => void;
  #changed = new Set<T>();
  #timer: NodeJS.Timeout | undefined;
  #last = -interval;

  /** @param tick hears what changed since the last beat */
  constructor(tick: (changed: ReadonlySet<T>) => void) {
    this.#tick = tick;
  }

  /** Something changed: at once where the last beat is long ago, else with the next one. */
  changed(one: T): void {
    this.#changed.add(one);
    this.#timer ??= setTimeout(() => this.#now(), Math.max(0, this.#last + interval - performance.now()));
  }

  #now(): void {
    this.#timer = undefined;
    this.#last = performance.now();
    const changed = this.#changed;
    this.#changed = new Set();
    this.#tick(changed);
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}
