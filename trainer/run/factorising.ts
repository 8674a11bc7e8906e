/** The factorised weights that trials start from: made side by side, into the cache, beside the trainings of those that need none. */
import {SweepError} from '../../core/error.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {methods} from '../method/index.ts';
import type {Failure, ToWorker} from './jobs.ts';
import {settingsOf} from './packs.ts';
import type {Pool} from './pool.ts';
import type {Prepared} from './prepare.ts';

export class Factorising {
  readonly #prepared: Prepared;
  readonly #emit: (event: RunEventBody) => void;
  /** By end, rank, iterations and matrix. */
  readonly #jobs = new Map<string, ToWorker>();
  readonly #left = new Set<ToWorker>();
  /** What a trial starts from; none where its method draws. */
  readonly #starts = new WeakMap<Trial, readonly ToWorker[]>();

  constructor(prepared: Prepared, emit: (event: RunEventBody) => void) {
    this.#prepared = prepared;
    this.#emit = emit;
  }

  /** The jobs that these trials start from and that nobody has asked for before. */
  jobsFor(trials: readonly Trial[]): ToWorker[] {
    const known = this.#jobs.size;
    for (const trial of trials) this.#startOf(trial);
    const jobs = [...this.#jobs.values()].slice(known);
    for (const job of jobs) this.#left.add(job);
    return jobs;
  }

  /** Trainings with what they start from before them; one that starts from nothing goes first of all, as it need not wait. */
  before(trainings: readonly ToWorker[]): ToWorker[] {
    const jobs = this.jobsFor(trainings.flatMap(job => (job.kind === 'train' ? job.job.trials : [])));
    const first = trainings.find(job => !this.holds(job));
    return [...(first ? [first] : []), ...jobs, ...trainings.filter(job => job !== first)];
  }

  /** Whether a training waits for factors. */
  holds(job: ToWorker): boolean {
    return job.kind === 'train' && job.job.trials.some(trial => this.#startOf(trial).some(own => this.#left.has(own)));
  }

  /** A job has ended well. */
  ended(job: ToWorker): void {
    this.#left.delete(job);
    const total = this.#jobs.size;
    this.#emit({event: 'prepared', what: 'factorising weights', done: total - this.#left.size, total});
  }

  #startOf(trial: Trial): readonly ToWorker[] {
    const known = this.#starts.get(trial) ?? this.#jobsOf(trial);
    this.#starts.set(trial, known);
    return known;
  }

  #jobsOf(trial: Trial): ToWorker[] {
    const {method, rank} = trial;
    const {sites, sweep} = this.#prepared.of(trial);
    const end = method === 'full' ? undefined : methods[method].spectrum;
    const {startFrom, iterations} = settingsOf(sweep, trial);
    if (end === undefined || startFrom !== undefined) return [];
    const settings = iterations === undefined ? {} : {iterations};
    return sites.map(site => {
      const key = `${end} ${rank} ${iterations} ${site.name}`;
      const job = this.#jobs.get(key) ?? {kind: 'factorize', site, end, rank, settings};
      this.#jobs.set(key, job);
      return job;
    });
  }
}

/** Factorises every weight that these trials start from, side by side. @throws SweepError of the first that cannot be */
export async function factorize(
  pool: Pool,
  prepared: Prepared,
  trials: Trial[],
  emit: (event: RunEventBody) => void,
): Promise<void> {
  const factorising = new Factorising(prepared, emit);
  let failure: Failure | undefined;
  await pool.run(factorising.jobsFor(trials), {
    event: emit,
    generated: () => {},
    ended(job, fault) {
      failure ??= fault;
      if (!fault) factorising.ended(job);
    },
  });
  if (failure) throw failed(failure);
}

export const failed = ({code, message, stack}: Failure): SweepError => new SweepError(code, message, {stack});
