/** The workers' queue of a training, fed from its agenda until nothing is under way and nothing more is wanted. */

import type {ToWorker} from '../jobs.ts';
import type {Agenda, Portion} from './agenda.ts';
import {JobQueue} from './queue.ts';

export class Feed {
  readonly queue: JobQueue;
  readonly #agenda: Agenda;
  readonly #jobsOf: (portions: readonly Portion[]) => ToWorker[];
  #underWay = 0;

  /**
   * @param jobsOf the jobs of some portions, in the order in which they are best begun
   * @param ready a job as it is to be done, at the moment when a worker takes it
   */
  constructor(
    agenda: Agenda,
    jobsOf: (portions: readonly Portion[]) => ToWorker[],
    ready?: (job: ToWorker) => ToWorker,
  ) {
    this.queue = new JobQueue([], ready);
    this.#agenda = agenda;
    this.#jobsOf = jobsOf;
  }

  /** Queues what is wanted by now. Whether anything is left to do. */
  fill(): boolean {
    const jobs = this.#jobsOf(this.#agenda.next());
    this.#underWay += jobs.length;
    this.queue.add(jobs);
    if (this.#underWay === 0) this.queue.close();
    return this.#underWay > 0;
  }

  /** A job that could not be done waits once more. */
  again(job: ToWorker): void {
    this.queue.add([job]);
  }

  /** A job is done, with all that is known after it. */
  ended(): void {
    this.#underWay--;
    this.fill();
  }
}
