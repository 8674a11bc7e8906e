/**
 * Jobs that wait for a worker. More may come while others are under way; workers wait until there are some or no more will come.
 * A job may be held until others are done: those behind it pass it by.
 */
import type {ToWorker} from '../jobs.ts';

export interface QueueRules {
  /** A job as it is to be done, at the moment when a worker takes it. */
  ready?(job: ToWorker): ToWorker;
  /** Whether a job cannot be begun yet; `look` is called when that may have changed. */
  holds?(job: ToWorker): boolean;
}

export class JobQueue {
  readonly #waiting: ToWorker[];
  readonly #takers: ((job: ToWorker | undefined) => void)[] = [];
  readonly #rules: QueueRules;
  #isClosed = false;

  constructor(jobs: readonly ToWorker[] = [], rules: QueueRules = {}) {
    this.#waiting = [...jobs];
    this.#rules = rules;
  }

  add(jobs: readonly ToWorker[]): void {
    this.#waiting.push(...jobs);
    this.look();
  }

  /** No more will come; those that wait are still to be done. */
  close(): void {
    this.#isClosed = true;
    this.look();
  }

  /** Nothing is done any more. */
  drop(): void {
    this.#waiting.length = 0;
    this.close();
  }

  /** The next job as soon as there is one; undefined where there will be none. */
  take(): Promise<ToWorker | undefined> {
    return new Promise(resolve => {
      this.#takers.push(resolve);
      this.look();
    });
  }

  /** Gives workers that wait what can be begun by now. */
  look(): void {
    while (this.#takers.length > 0) {
      const next = this.#waiting.findIndex(job => !this.#rules.holds?.(job));
      const [job] = next < 0 ? [] : this.#waiting.splice(next, 1);
      if (job) this.#takers.shift()!(this.#rules.ready?.(job) ?? job);
      else if (this.#isClosed && this.#waiting.length === 0) this.#takers.shift()!(undefined);
      else return;
    }
  }
}
