/** The chapter of a run in which its trials are trained, and their answers judged beside it. */
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {RunEventBody, TrialEnded} from '../../core/run/events.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {isStoreError} from '../files/write-whole.ts';
import type {Generated} from '../generation/answers.ts';
import {goOn} from '../process/go-on.ts';
import {dropAnswers, keepAnswers} from '../store/answers.ts';
import {checkpointsName, dropCheckpoint, loadCheckpoint} from '../store/checkpoint.ts';
import {rememberSpeed} from '../store/speed.ts';
import type {Judge} from '../task/judge.ts';
import {type Scoring, scoreBeside} from '../task/judge-beside.ts';
import {idsOf, type TrainJob} from '../training/open-pack.ts';
import {isJudgedLater} from '../training/train.ts';
import {openJudges} from './evaluating/judges.ts';
import {Factorising, failed} from './factorising.ts';
import {Fitting} from './fitting.ts';
import {onGround} from './grounds.ts';
import type {Failure, JobHandlers, ToWorker} from './jobs.ts';
import {longCurves, type Opening} from './opening.ts';
import {longestFirst, trainJob} from './packs.ts';
import {trainingProbes} from './probing.ts';
import {evaluatedAt, leftAnswers} from './resume.ts';
import type {Agenda, Portion} from './search/agenda.ts';
import {Feed} from './search/feed.ts';
import {openWorkers, type UnderWay} from './under-way.ts';
import {trainingFlops} from './work.ts';

/** Milliseconds between two measurements of the memory that are stored, and between two looks whether it is almost full. */
const [measureEvery, lookEvery] = [2000, 250];
/** A run has to train this long for its speed to say something. */
const tellingSeconds = 5;

/** Trains all that is left, one ground after the other. Whether a trial failed. @throws SweepError the run's failure */
export async function trainTrials(run: UnderWay, opening: Opening): Promise<boolean> {
  let failed = false;
  for (const phase of opening.phases) {
    if (run.options.signal.aborted) break;
    const own = onGround(run, phase.ground);
    if (await trainOn(own, {...opening, todo: phase.todo}, phase.agenda)) failed = true;
  }
  return failed;
}

async function trainOn(run: UnderWay, opening: Opening, agenda: Agenda): Promise<boolean> {
  const {prepared, options, failure, emit} = run;
  const {todo, arrangement} = opening;
  const done = {flops: 0, steps: 0};
  let fitting: Fitting | undefined;
  const factorising = new Factorising(prepared, emit);
  const feed = new Feed(
    agenda,
    portions => {
      for (const portion of portions) {
        done.flops += flopsOf(run, opening, portion);
        done.steps += portion.trials.length * stepsLeft(run, opening, portion);
      }
      const longest = longestFirst(portions, portion => flopsOf(run, opening, portion));
      return factorising.before(longest.map(one => jobOf(run, opening, one)));
    },
    {ready: job => fitting?.ready(job) ?? job, holds: job => factorising.holds(job)},
  );
  if (!feed.fill()) return false;
  const pool = openWorkers(run, arrangement.workers, arrangement.threads);
  fitting = new Fitting(run, opening, pool);
  const judge = openJudges(run, todo);
  options.signal.addEventListener('abort', () => judge.close(), {once: true});
  const timers: NodeJS.Timeout[] = [];
  try {
    const beside = new JudgedBeside(run, opening, judge, {feed, fitting, factorising});
    beside.takeUp();
    const began = Date.now();
    timers.push(
      setInterval(() => emit({event: 'resources', memoryBytes: process.memoryUsage.rss()}), measureEvery),
      setInterval(() => fitting?.look(), lookEvery),
    );
    await pool.run(feed.queue, beside.handlers);
    await beside.done();
    failure.check();
    if (!beside.failed) tellSpeed(run, done, (Date.now() - began) / 1000);
    return beside.failed;
  } finally {
    judge.close();
    for (const timer of timers) clearInterval(timer);
    await pool.close();
  }
}

/** Operations of what is left of these trials, as far as they are to go. */
function flopsOf(run: UnderWay, opening: Opening, portion: Portion): number {
  const {trials} = portion;
  const [trial] = trials as [Trial];
  const whole = run.prepared.of(trial).steps(trial.batchSize);
  return (trainingFlops(run.prepared, trials) * stepsLeft(run, opening, portion)) / whole;
}

/** Steps that each of these trials still takes, as far as it is to go. */
function stepsLeft({prepared}: UnderWay, {steps}: Opening, {trials, until}: Portion): number {
  const [trial] = trials as [Trial];
  return (until ?? prepared.of(trial).steps(trial.batchSize)) - (steps.get(trial.id) ?? 0);
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
function tellSpeed({options, choice}: UnderWay, done: {flops: number; steps: number}, seconds: number): void {
  if (options.signal.aborted || choice.gpu || seconds <= tellingSeconds) return;
  rememberSpeed({stepFlops: done.flops / done.steps, flopsPerSecond: done.flops / seconds});
}

/** What hears of the workers' jobs. */
interface Work {
  /** The queue: a training has ended, and all of its answers are judged. */
  feed: Feed;
  /** What fits into memory. */
  fitting: Fitting;
  factorising: Factorising;
}

/** What happens to the events and answers of the workers: stored, told, judged beside the training. */
class JudgedBeside {
  /** Of a trial, or of judging its answers. */
  failed = false;
  readonly #run: UnderWay;
  readonly #opening: Opening;
  readonly #checkpoints: string;
  readonly #scoring: Scoring;
  readonly #work: Work;
  /** How trials ended whose job is not settled yet. */
  readonly #ends = new Map<string, TrialEnded['state']>();
  readonly #judging: Promise<void>[] = [];

  constructor(run: UnderWay, opening: Opening, judge: Judge, work: Work) {
    this.#run = run;
    this.#opening = opening;
    this.#work = work;
    this.#checkpoints = join(run.store.folder, checkpointsName);
    const judged = run.failure.guard((result: Generated) => {
      // The result is on the disk before the answers are gone.
      run.store.flush(true);
      dropAnswers(this.#checkpoints, result);
    });
    this.#scoring = scoreBeside({score: result => this.#score(judge, result)}, event => this.#tell(event), judged);
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
        this.#work.fitting.heard(event);
        this.#scoring.event(event);
      },
      generated: failure.guard((result: Generated) => {
        keepAnswers(this.#checkpoints, result);
        this.#scoring.add(result);
      }),
      store: failure.guard(() => store.flush(true)),
      ended: (job, fault) => {
        if (job.kind === 'train') this.#judging.push(this.#settle(job.job, fault).catch(failure.report));
        if (job.kind === 'factorize') this.#factorised(job, fault);
      },
    };
  }

  /** All answers are judged. */
  async done(): Promise<void> {
    await Promise.all(this.#judging);
  }

  #factorised(job: ToWorker, fault: Failure | undefined): void {
    const {factorising, feed} = this.#work;
    if (!fault) factorising.ended(job);
    // The trials that start from it cannot be trained.
    else this.#run.failure.report(failed(fault));
    feed.queue.look();
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
    const isLeft = fault?.code === 'no-memory' && !this.#run.options.signal.aborted && this.#work.fitting.shrink(job);
    if (isLeft) return this.#goOn(job);
    if (fault) this.#packFailed(job, fault);
    else await this.#forget(job);
    for (const id of idsOf(job)) this.#ends.delete(id);
    if (!this.#run.options.signal.aborted) this.#work.feed.ended();
  }

  /** What is left of a pack that there was no room for is tried again, from where its checkpoints are. */
  async #goOn({trials, until}: TrainJob): Promise<void> {
    const {store} = this.#run;
    const {steps, curves} = this.#opening;
    const left = trials.filter(({id}) => !this.#ends.has(id));
    const ids = left.map(({id}) => id);
    const step = loadCheckpoint(this.#checkpoints, ids)?.step ?? 0;
    store.flush(true);
    for (const id of ids) steps.set(id, step);
    const long = await longCurves(store, store.state(), new Map(ids.map(id => [id, step])));
    for (const id of ids) curves.delete(id);
    for (const [id, own] of long) curves.set(id, own);
    this.#work.feed.again(jobOf(this.#run, this.#opening, {trials: left, until}));
  }

  /** Stores an event; a failed trial stops the run where the sweep file says so. */
  #tell(event: RunEventBody): void {
    const {prepared, failure, emit} = this.#run;
    emit(event);
    if (event.event !== 'trial-ended' || event.state !== 'failed' || prepared.sweep.run.onFailure !== 'stop') return;
    const message = `${event.trial} failed, and run.on_failure: stop ends the run with it: ${event.message} The others go on with ${goOn()}.`;
    failure.report(new SweepError('trial-failed', message, {trial: event.trial}));
  }

  #packFailed({trials}: TrainJob, fault: Failure): void {
    const {failure} = this.#run;
    if (isStoreError(fault)) failure.report(new SweepError(fault.code, fault.message));
    else if (!failure.signal.aborted) {
      this.failed = true;
      for (const {id} of trials) if (!this.#ends.has(id)) this.#tell(trialFailed(id, fault));
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
