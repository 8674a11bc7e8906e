/** The chapter of a run in which its trials are trained, and their answers judged beside it. */
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {RunEventBody, TrialEnded} from '../../core/run/events.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {isStoreError} from '../files/write-whole.ts';
import type {Generated} from '../generation/answers.ts';
import {dropAnswers, keepAnswers} from '../store/answers.ts';
import {checkpointsName, dropCheckpoint} from '../store/checkpoint.ts';
import {rememberSpeed} from '../store/speed.ts';
import type {Judge} from '../task/judge.ts';
import {type Scoring, scoreBeside} from '../task/judge-beside.ts';
import {idsOf, type TrainJob} from '../training/open-pack.ts';
import {isJudgedLater} from '../training/train.ts';
import {openJudges} from './evaluating/judges.ts';
import {factorize} from './factorising.ts';
import type {Failure, JobHandlers, ToWorker} from './jobs.ts';
import type {Opening} from './opening.ts';
import {longestFirst, trainJob} from './packs.ts';
import {trainingProbes} from './probing.ts';
import {evaluatedAt, leftAnswers} from './resume.ts';
import type {Agenda, Portion} from './search/agenda.ts';
import {Feed} from './search/feed.ts';
import {openWorkers, type UnderWay} from './under-way.ts';
import {trainingFlops} from './work.ts';

/** Milliseconds between two looks at the memory. */
const measureEvery = 2000;
/** A run has to train this long for its speed to say something. */
const tellingSeconds = 5;

/** Trains all that is left, one base model after the other. Whether a trial failed. @throws SweepError the run's failure */
export async function trainTrials(run: UnderWay, opening: Opening): Promise<boolean> {
  let failed = false;
  for (const phase of opening.phases) {
    if (run.options.signal.aborted) break;
    const own = {...run, prepared: {...run.prepared, model: phase.model}};
    if (await trainOn(own, {...opening, todo: phase.todo}, phase.agenda)) failed = true;
  }
  return failed;
}

async function trainOn(run: UnderWay, opening: Opening, agenda: Agenda): Promise<boolean> {
  const {prepared, options, failure, emit} = run;
  const {todo, arrangement} = opening;
  let flops = 0;
  const feed = new Feed(agenda, portions => {
    flops += portions.reduce((sum, portion) => sum + flopsOf(run, opening, portion), 0);
    return longestFirst(portions, portion => flopsOf(run, opening, portion)).map(one => jobOf(run, opening, one));
  });
  if (!feed.fill()) return false;
  const pool = openWorkers(run, arrangement.workers, arrangement.threads);
  const judge = openJudges(run, todo);
  options.signal.addEventListener('abort', () => judge.close(), {once: true});
  let measuring: NodeJS.Timeout | undefined;
  try {
    await factorize(pool, prepared, todo, emit);
    const beside = new JudgedBeside(run, opening, judge, () => feed.ended());
    beside.takeUp();
    const began = Date.now();
    measuring = setInterval(() => emit({event: 'resources', memoryBytes: process.memoryUsage.rss()}), measureEvery);
    await pool.run(feed.queue, beside.handlers);
    await beside.done();
    failure.check();
    if (!beside.failed) tellSpeed(run, flops, (Date.now() - began) / 1000);
    return beside.failed;
  } finally {
    judge.close();
    clearInterval(measuring);
    await pool.close();
  }
}

/** Operations of what is left of these trials, as far as they are to go. */
function flopsOf({prepared}: UnderWay, {steps}: Opening, {trials, until}: Portion): number {
  const [trial] = trials as [Trial];
  const {id} = trial;
  const whole = prepared.of(trial).steps(trial.batchSize);
  return (trainingFlops(prepared, trials) * ((until ?? whole) - (steps.get(id) ?? 0))) / whole;
}

function jobOf({prepared, store}: UnderWay, {steps, curves}: Opening, {trials, until}: Portion): ToWorker {
  const state = store.state();
  const step = steps.get(trials[0]!.id) ?? 0;
  const checkpoints = join(store.folder, checkpointsName);
  const known = trials.map(trial => {
    return [trial.id, evaluatedAt({trial, step}, checkpoints, prepared.of(trial).sweep, state)] as const;
  });
  return {
    kind: 'train',
    job: {
      ...trainJob(prepared, trials, store.folder, until),
      ...trainingProbes(prepared, trials, state),
      curves: Object.fromEntries(trials.flatMap(({id}) => (curves.has(id) ? [[id, curves.get(id)!]] : []))),
      evaluated: {step, known: Object.fromEntries(known)},
    },
  };
}

/** Short runs are all start-up; the editor's estimates are for the CPU. */
function tellSpeed({options, choice}: UnderWay, flops: number, seconds: number): void {
  if (!options.signal.aborted && !choice.gpu && seconds > tellingSeconds) rememberSpeed(flops / seconds);
}

/** What happens to the events and answers of the workers: stored, told, judged beside the training. */
class JudgedBeside {
  /** Of a trial, or of judging its answers. */
  failed = false;
  readonly #run: UnderWay;
  readonly #opening: Opening;
  readonly #checkpoints: string;
  readonly #scoring: Scoring;
  readonly #settled: () => void;
  /** How trials ended whose job is not settled yet. */
  readonly #ends = new Map<string, TrialEnded['state']>();
  readonly #judging: Promise<void>[] = [];

  /** @param settled hears when a job has ended and all of its answers are judged */
  constructor(run: UnderWay, opening: Opening, judge: Judge, settled: () => void) {
    this.#run = run;
    this.#opening = opening;
    this.#settled = settled;
    this.#checkpoints = join(run.store.folder, checkpointsName);
    const judged = run.failure.guard((result: Generated) => {
      // The result is on the disk before the answers are gone.
      run.store.flush(true);
      dropAnswers(this.#checkpoints, result);
    });
    this.#scoring = scoreBeside({score: result => this.#score(judge, result)}, run.emit, judged);
  }

  /** Answers that the last start left are judged. */
  takeUp(): void {
    const {todo, steps} = this.#opening;
    for (const trial of todo)
      for (const result of leftAnswers(this.#checkpoints, trial, steps.get(trial.id) ?? 0)) this.#scoring.add(result);
  }

  get handlers(): JobHandlers {
    const {store, failure} = this.#run;
    return {
      event: event => {
        if (event.event === 'trial-ended') this.#ended(event);
        this.#scoring.event(event);
      },
      generated: failure.guard((result: Generated) => {
        keepAnswers(this.#checkpoints, result);
        this.#scoring.add(result);
      }),
      store: failure.guard(() => store.flush(true)),
      ended: (job, fault) => {
        if (job.kind === 'train') this.#judging.push(this.#settle(job.job, fault).catch(failure.report));
      },
    };
  }

  /** All answers are judged. */
  async done(): Promise<void> {
    await Promise.all(this.#judging);
  }

  #ended({trial, state, steps}: TrialEnded): void {
    const {steps: reached, curves} = this.#opening;
    this.#ends.set(trial, state);
    if (state !== 'paused') return;
    // It goes on from there, with all of its curves.
    reached.set(trial, steps);
    curves.delete(trial);
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

  async #settle(job: TrainJob, fault: Failure | undefined): Promise<void> {
    if (fault) this.#packFailed(job, fault);
    else await this.#forget(job);
    for (const id of idsOf(job)) this.#ends.delete(id);
    if (!this.#run.options.signal.aborted) this.#settled();
  }

  #packFailed({trials}: TrainJob, fault: Failure): void {
    const {failure, emit} = this.#run;
    if (isStoreError(fault)) failure.report(new SweepError(fault.code, fault.message));
    else if (!failure.signal.aborted) {
      this.failed = true;
      for (const {id} of trials) if (!this.#ends.has(id)) emit(trialFailed(id, fault));
    }
  }

  /** A pack whose answers are judged needs its checkpoint no more, but for trials that go on. */
  async #forget(job: TrainJob): Promise<void> {
    const {options} = this.#run;
    const isJudged = await this.#scoring.done(idsOf(job));
    if (options.signal.aborted) return;
    const done = idsOf(job).filter(id => this.#ends.get(id) !== 'paused');
    if (!isJudged) this.failed = true;
    else if (isJudgedLater(job)) dropCheckpoint(this.#checkpoints, done);
  }
}

function trialFailed(trial: string, {message}: Failure): RunEventBody {
  return {event: 'trial-ended', trial, state: 'failed', steps: 0, seconds: 0, message};
}
