/** Jobs that wait for a worker. More may come while others are under way; workers wait until there are some or no more will come. */
import type {ToWorker} from '../jobs.ts';

export class JobQueue {
  readonly #waiting: ToWorker[];
  readonly #takers: ((job: ToWorker | undefined) => void)[] = [];
  readonly #ready: (job: ToWorker) => ToWorker;
  #isClosed = false;

  /** @param ready a job as it is to be done, at the moment when a worker takes it */
  constructor(jobs: readonly ToWorker[] = [], ready = (job: ToWorker) => job) {
    this.#waiting = [...jobs];
    this.#ready = ready;
  }

  add(jobs: readonly ToWorker[]): void {
    for (const job of jobs) {
      const taker = this.#takers.shift();
      if (taker) taker(this.#ready(job));
      else this.#waiting.push(job);
    }
  }

  /** No more will come; those that wait are still to be done. */
  close(): void {
    this.#isClosed = true;
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  /** Nothing is done any more. */
  drop(): void {
    this.#waiting.length = 0;
    this.close();
  }

  /** The next job as soon as there is one; undefined where there will be none. */
  take(): Promise<ToWorker | undefined> {
    const job = this.#waiting.shift();
    if (job !== undefined || this.#isClosed) return Promise.resolve(job && this.#ready(job));
    return new Promise(resolve => void this.#takers.push(resolve));
  }
}
