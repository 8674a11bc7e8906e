/** The chapter of a run in which its trials are trained, and their answers judged beside it. */
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import {isStoreError} from '../files/write-whole.ts';
import type {Generated} from '../generation/answers.ts';
import {dropAnswers, keepAnswers} from '../store/answers.ts';
import {dropCheckpoint} from '../store/checkpoint.ts';
import {rememberSpeed} from '../store/speed.ts';
import {type Judge, openJudge} from '../task/judge.ts';
import {type Scoring, scoreBeside} from '../task/judge-beside.ts';
import {idsOf, type TrainJob} from '../training/open-pack.ts';
import {isJudgedLater} from '../training/train.ts';
import {factorize} from './factorising.ts';
import type {Failure, JobHandlers, ToWorker} from './jobs.ts';
import type {Opening} from './opening.ts';
import {longestFirst, type TrialPack, trainJob} from './packs.ts';
import {trainingProbes} from './probing.ts';
import {left} from './resume.ts';
import {openWorkers, type UnderWay} from './under-way.ts';
import {trainingFlops} from './work.ts';

/** Milliseconds between two looks at the memory. */
const measureEvery = 2000;
/** A run has to train this long for its speed to say something. */
const tellingSeconds = 5;

/** Trains all that is left. Whether a trial failed. @throws SweepError the run's failure */
export async function trainTrials(run: UnderWay, opening: Opening): Promise<boolean> {
  const {prepared, store, options, failure, emit} = run;
  const {todo, arrangement} = opening;
  const pool = openWorkers(run, arrangement.workers, arrangement.threads);
  const judge = openJudge({...prepared, evaluations: prepared.sweep.evaluate, folder: store.folder});
  options.signal.addEventListener('abort', () => judge.close(), {once: true});
  let measuring: NodeJS.Timeout | undefined;
  try {
    await factorize(pool, prepared, todo, emit);
    const beside = new JudgedBeside(run, judge);
    const evaluated = beside.takeUp(opening);
    const began = Date.now();
    measuring = setInterval(() => emit({event: 'resources', memoryBytes: process.memoryUsage.rss()}), measureEvery);
    const packs = longestFirst(arrangement.packs, pack => trainingFlops(prepared, pack));
    await pool.run(
      packs.map(pack => jobOf(run, opening, pack, evaluated)),
      beside.handlers,
    );
    await beside.done();
    failure.check();
    const failed = beside.failed;
    if (!failed) tellSpeed(run, opening, (Date.now() - began) / 1000);
    return failed;
  } finally {
    judge.close();
    clearInterval(measuring);
    await pool.close();
  }
}

function jobOf(
  {prepared, store}: UnderWay,
  {steps, curves}: Opening,
  pack: TrialPack,
  evaluated: ReadonlyMap<string, number[]>,
): ToWorker {
  return {
    kind: 'train',
    job: {
      ...trainJob(prepared, pack, store.folder),
      ...trainingProbes(prepared, pack, store.earlier),
      curves: Object.fromEntries(pack.flatMap(({id}) => (curves.has(id) ? [[id, curves.get(id)!]] : []))),
      evaluated: {
        step: steps.get(pack[0]!.id) ?? 0,
        known: Object.fromEntries(pack.map(({id}) => [id, evaluated.get(id)!])),
      },
    },
  };
}

/** Short runs are all start-up; the editor's estimates are for the CPU. */
function tellSpeed({prepared, options, choice}: UnderWay, {todo}: Opening, seconds: number): void {
  if (!options.signal.aborted && !choice.gpu && seconds > tellingSeconds)
    rememberSpeed(trainingFlops(prepared, todo) / seconds);
}

/** What happens to the events and answers of the workers: stored, told, judged beside the training. */
class JudgedBeside {
  /** Of a trial, or of judging its answers. */
  failed = false;
  readonly #run: UnderWay;
  readonly #checkpoints: string;
  readonly #scoring: Scoring;
  readonly #ended = new Set<string>();
  readonly #judging: Promise<void>[] = [];

  constructor(run: UnderWay, judge: Judge) {
    this.#run = run;
    this.#checkpoints = join(run.store.folder, 'checkpoints');
    const judged = run.failure.guard((result: Generated) => {
      // The result is on the disk before the answers are gone.
      run.store.flush(true);
      dropAnswers(this.#checkpoints, result);
    });
    this.#scoring = scoreBeside({score: result => this.#score(judge, result)}, run.emit, judged);
  }

  /** Answers that the last start left are judged; the evaluations at each trial's end that need not be made again. */
  takeUp({todo, steps}: Opening): Map<string, number[]> {
    const {prepared, store} = this.#run;
    return new Map(
      todo.map(trial => {
        const {answers, evaluated} = left(this.#checkpoints, trial, steps.get(trial.id) ?? 0, prepared, store);
        for (const result of answers) this.#scoring.add(result);
        return [trial.id, evaluated];
      }),
    );
  }

  get handlers(): JobHandlers {
    const {store, failure} = this.#run;
    return {
      event: event => {
        if (event.event === 'trial-ended') this.#ended.add(event.trial);
        this.#scoring.event(event);
      },
      generated: failure.guard((result: Generated) => {
        keepAnswers(this.#checkpoints, result);
        this.#scoring.add(result);
      }),
      store: failure.guard(() => store.flush(true)),
      ended: (job, fault) => {
        if (job.kind !== 'train') return;
        if (fault) this.#packFailed(job.job, fault);
        else this.#judging.push(this.#forget(job.job).catch(failure.report));
      },
    };
  }

  /** All answers are judged. */
  async done(): Promise<void> {
    await Promise.all(this.#judging);
  }

  /** What cannot be stored is no fault of the trial. */
  async #score(judge: Judge, result: Generated): ReturnType<Judge['score']> {
    try {
      return await judge.score(result);
    } catch (error) {
      if (!(error instanceof SweepError && isStoreError(error))) throw error;
      this.#run.failure.report(error);
      throw new SweepError('stopped', error.message);
    }
  }

  #packFailed({trials}: TrainJob, fault: Failure): void {
    const {failure, emit} = this.#run;
    if (isStoreError(fault)) failure.report(new SweepError(fault.code, fault.message));
    else if (!failure.signal.aborted) {
      this.failed = true;
      for (const {id} of trials) if (!this.#ended.has(id)) emit(trialFailed(id, fault));
    }
  }

  /** A pack whose answers are judged needs its checkpoint no more. */
  async #forget(job: TrainJob): Promise<void> {
    const {options} = this.#run;
    const isJudged = await this.#scoring.done(idsOf(job));
    if (options.signal.aborted) return;
    if (!isJudged) this.failed = true;
    else if (isJudgedLater(job)) dropCheckpoint(this.#checkpoints, idsOf(job));
  }
}

function trialFailed(trial: string, {message}: Failure): RunEventBody {
  return {event: 'trial-ended', trial, state: 'failed', steps: 0, seconds: 0, message};
}
