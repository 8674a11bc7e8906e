/** The workers' queue of a training, fed from its agenda until nothing is under way and nothing more is wanted. */

import type {ToWorker} from '../jobs.ts';
import type {Agenda, Portion} from './agenda.ts';
import {JobQueue, type QueueRules} from './queue.ts';

export class Feed {
  readonly queue: JobQueue;
  readonly #agenda: Agenda;
  readonly #jobsOf: (portions: readonly Portion[]) => ToWorker[];
  #underWay = 0;

  /**
   * @param jobsOf the jobs of some portions, in the order in which they are best begun: a training of each, and what those start from
   */
  constructor(agenda: Agenda, jobsOf: (portions: readonly Portion[]) => ToWorker[], rules?: QueueRules) {
    this.queue = new JobQueue([], rules);
    this.#agenda = agenda;
    this.#jobsOf = jobsOf;
  }

  /** Queues what is wanted by now. Whether anything is left to do. */
  fill(): boolean {
    const portions = this.#agenda.next();
    const jobs = this.#jobsOf(portions);
    this.#underWay += portions.length;
    this.queue.add(jobs);
    if (this.#underWay === 0) this.queue.close();
    return this.#underWay > 0;
  }

  /** A job that could not be done waits once more. */
  again(job: ToWorker): void {
    this.queue.add([job]);
  }

  /** A training is done, with all that is known after it. */
  ended(): void {
    this.#underWay--;
    this.fill();
  }
}
