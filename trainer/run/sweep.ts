/** The story of one run: read the file, prepare base and data, train every trial on the workers, store what happens. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {Curves, RunEvent, RunEventBody} from '../../core/run/events.ts';
import {ratesInWords, storedTrials, trialsOf} from '../../core/run/known-trials.ts';
import {onlySweep} from '../../core/sweep/only.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {curvatureDefaults} from '../../core/sweep/table/fields.ts';
import {type Choice, chooseEngine} from '../engine/choose.ts';
import {hashCompanions} from '../files/hash.ts';
import {isStoreError} from '../files/write-whole.ts';
import type {Generated} from '../generation/answers.ts';
import {snapshotOf} from '../hub/cache.ts';
import {dropAnswers, keepAnswers} from '../store/answers.ts';
import {dropCheckpoint, settleCheckpoints} from '../store/checkpoint.ts';
import {type Control, openControl} from '../store/control.ts';
import {curvesAt} from '../store/curves.ts';
import {sweepCaches} from '../store/leftovers.ts';
import {eventsName, type OpenRun, openRun, runFolderOf} from '../store/run.ts';
import {rememberSpeed} from '../store/speed.ts';
import {openJudge} from '../task/judge.ts';
import {scoreBeside} from '../task/judge-beside.ts';
import {idsOf, type TrainJob} from '../training/open-pack.ts';
import {isJudgedLater} from '../training/train.ts';
import {versions} from '../version.ts';
import {factorize} from './factorising.ts';
import type {Failure, JobHandlers} from './jobs.ts';
import {arrange, checkTrials, coresFor, longestFirst, trainJob} from './packs.ts';
import {openPool, type Pool} from './pool.ts';
import type {Prepared} from './prepare.ts';
import {type ProbePlan, planProbes, probedPlaces, trainingProbes} from './probing.ts';
import {isDone, left} from './resume.ts';
import {RunFailure} from './run-failure.ts';
import {openSweep} from './sweep-file.ts';
import {costsOf, trainingFlops} from './work.ts';

export interface SweepOptions {
  /** Run folder; default `.lora-sweep/<name>` beside the sweep file. */
  out?: string;
  /** Filters KEY=VALUE on trials. */
  only: string[];
  resume: boolean;
  /** Probe the curvature only, by the defaults where the file says nothing of it. */
  probeOnly?: boolean;
  signal: AbortSignal;
  onEvent(event: RunEvent): void;
  /** Hears of a long preparation: until a run has begun nothing of it is stored. */
  onPreparing?(event: RunEvent): void;
}

/** Milliseconds between two looks at the memory. */
const measureEvery = 2000;

/** A run has to train this long for its speed to say something. */
const tellingSeconds = 5;

export type SweepEnd = 'finished' | 'failed' | 'stopped';

/**
 * Runs a sweep file. Everything that can be refused is refused before the run folder is touched.
 * @throws SweepError
 */
export async function runSweep(file: string, options: SweepOptions): Promise<SweepEnd> {
  const {sweep, prepare, wish} = openSweep(file);
  const choice = await chooseEngine(await wish());
  const folder = runFolderOf(file, sweep.name, options.out);
  const began = Date.now();
  const failure = new RunFailure();
  const open = () => openRun({folder, sweepFile: file, resume: options.resume, failed: failure.report});
  // Existing results are refused before the long preparation; a new folder is made only after it.
  let store = existsSync(folder) ? await open() : undefined;
  let control: Control | undefined;
  /** Also when the process is ended at once: nothing that was emitted is lost, and nothing is left behind. */
  const leave = failure.guard(() => {
    control?.close();
    store?.close();
  });
  process.once('exit', leave);
  let end: SweepEnd = 'stopped';
  try {
    sweepCaches();
    const stored = store ? storedTrials(store.earlier) : [];
    const trials = onlySweep(sweep, options.only, stored);
    const cores = coresFor(choice, sweep.run.workers);
    const loading = {signal: options.signal, progress: readingProgress(options)};
    const prepared = await prepare(cores, options.probeOnly ? curvatureDefaults : undefined, loading, choice);
    checkTrials(prepared, trials);
    arrange(prepared, trials, choice.gpu, undefined, cores);
    const {curvature} = prepared.sweep;
    if (curvature) probedPlaces(prepared, curvature);
    store ??= await open();
    control = await openControl(store.control);
    const signal = AbortSignal.any([options.signal, control.signal, failure.signal]);
    const notes = [...store.notes, ...control.notes];
    end = await runPrepared(prepared, trials, choice, {...store, notes}, began, {...options, signal}, failure);
  } catch (error) {
    const isStop = options.signal.aborted && error instanceof SweepError && error.code === 'stopped';
    if (!isStop) failure.report(error);
  } finally {
    leave();
    process.off('exit', leave);
  }
  failure.check();
  return end;
}

/** Milliseconds between two events of a long preparation. */
const tellEvery = 500;

/**
 * Tells now and then how far the reading of rows is; what takes no time is not worth a word. Nothing of it is stored: until
 * all is read the run may still be refused, and then its folder is as it was.
 */
function readingProgress({onPreparing}: SweepOptions): (done: number, total: number) => void {
  let told = Date.now();
  let spoken = false;
  return (done, total) => {
    const now = Date.now();
    if (now - told < tellEvery && !(spoken && done === total)) return;
    [told, spoken] = [now, true];
    onPreparing?.({event: 'prepared', what: 'reading rows', done, total, at: now});
  };
}

/** The run itself, into its opened folder. */
async function runPrepared(
  prepared: Prepared,
  trials: Trial[],
  choice: Choice,
  store: OpenRun,
  began: number,
  options: SweepOptions,
  failure: RunFailure,
): Promise<SweepEnd> {
  const {sweep} = prepared;
  const emit = failure.guard((body: RunEventBody) => options.onEvent(store.append(body)));
  const remarks = store.begin(sweep, trials, {
    versions: versions(),
    engine: choice.engine,
    precision: choice.precision,
    modelHash: await prepared.model.weights.hash(),
    model: {
      folder: prepared.model.path,
      revision: snapshotOf(prepared.model.folder)?.revision ?? null,
      files: await hashCompanions(prepared.model.folder),
    },
    dataHashes: prepared.dataHashes,
    modules: prepared.modules,
  });

  const checkpoints = join(store.folder, 'checkpoints');
  const todo = options.probeOnly ? [] : trials.filter(trial => !isDone(store, trial));
  const settled = settleCheckpoints(
    checkpoints,
    todo.map(({id}) => id),
    store.reach,
  );
  const from = (id: string) => settled.steps.get(id) ?? 0;
  const curves = await longCurves(store, settled.steps);
  const cores = coresFor(choice, sweep.run.workers);
  const probes = sweep.curvature
    ? planProbes(prepared, sweep.curvature, trials, store.earlier, cores)
    : {jobs: [], rows: 0};
  const {packs, workers, threads, notes} = arrange(prepared, todo, choice.gpu, ({id}) => from(id), cores);
  const probers = Math.min(cores, probes.jobs.length);
  const steps = Object.fromEntries(trials.map(trial => [trial.batchSize, prepared.steps(trial.batchSize)]));
  const {engine, precision, reason, setUp} = choice;
  const selected = todo.map(({id}) => id);
  const chosen = new Set(trials.map(({id}) => id));
  const all = trialsOf(sweep, store.earlier);
  const rates = [ratesInWords(sweep, all) ?? []].flat();
  const others = all.flatMap(({id}) => (chosen.has(id) ? [] : [id]));
  emit({
    event: 'run-started',
    name: sweep.name,
    trials,
    selected,
    others,
    engine,
    reason,
    ...(setUp === undefined ? {} : {setUp}),
    workers: todo.length > 0 ? workers : probers,
    resumed: options.resume,
    steps,
    costs: costsOf(prepared, trials),
    ...(probes.rows > 0 ? {probes: probes.rows} : {}),
  });
  const later = options.probeOnly && sweep.curvature?.at.some(point => point > 0);
  const startOnly = later
    ? ['Only the start is probed now: later points of curvature.at need trained trials, so `run` probes them.']
    : [];
  for (const message of [
    ...store.notes,
    ...remarks,
    ...rates,
    ...prepared.notes,
    ...settled.notes,
    ...notes,
    ...startOnly,
  ])
    emit({event: 'note', message});
  failure.check();

  let hasEnded = false;
  const end = (state: SweepEnd, message?: string): SweepEnd => {
    if (hasEnded) return state;
    hasEnded = true;
    process.off('exit', endAtOnce);
    const seconds = (Date.now() - began) / 1000;
    emit({event: 'run-ended', state, seconds, ...(message === undefined ? {} : {message})});
    return state;
  };
  const endAtOnce = () => void end('stopped');
  process.prependOnceListener('exit', endAtOnce);
  const open = (count: number, threadsEach: number): Pool => {
    const pool = openPool(count, {
      base: prepared.model,
      engine,
      precision,
      threads: threadsEach,
      onGpu: choice.gpu !== undefined,
    });
    options.signal.addEventListener('abort', () => pool.stop(), {once: true});
    if (options.signal.aborted) pool.stop();
    return pool;
  };
  if (probes.rows > 0) {
    const pool = open(probers, Math.max(1, Math.floor(cores / probers)));
    try {
      await factorize(pool, prepared, trials, emit);
      await probe(pool, probes, emit);
      failure.check();
    } catch (error) {
      end('failed', error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      await pool.close();
    }
    if (options.signal.aborted) return end('stopped');
  }
  if (todo.length === 0) return end('finished');

  const pool = open(workers, threads);
  const judge = openJudge({...prepared, evaluations: sweep.evaluate, folder: store.folder});
  /** What cannot be stored is no fault of the trial. */
  const score = async (result: Generated) => {
    try {
      return await judge.score(result);
    } catch (error) {
      if (!(error instanceof SweepError && isStoreError(error))) throw error;
      failure.report(error);
      throw new SweepError('stopped', error.message);
    }
  };
  options.signal.addEventListener('abort', () => judge.close(), {once: true});
  let failed = false;
  let measuring: NodeJS.Timeout | undefined;
  try {
    await factorize(pool, prepared, todo, emit);
    const ended = new Set<string>();
    const judged = failure.guard((result: Generated) => {
      // The result is on the disk before the answers are gone.
      store.flush(true);
      dropAnswers(checkpoints, result);
    });
    const scoring = scoreBeside({score}, emit, judged);
    const judging: Promise<void>[] = [];
    /** A pack whose answers are judged needs its checkpoint no more. */
    const forget = async (job: TrainJob) => {
      const isJudged = await scoring.done(idsOf(job));
      if (!isJudged && !options.signal.aborted) failed = true;
      if (isJudged && isJudgedLater(job) && !options.signal.aborted) dropCheckpoint(checkpoints, idsOf(job));
    };
    const handlers: JobHandlers = {
      event(event) {
        if (event.event === 'trial-ended') ended.add(event.trial);
        scoring.event(event);
      },
      generated: failure.guard((result: Generated) => {
        keepAnswers(checkpoints, result);
        scoring.add(result);
      }),
      store: failure.guard(() => store.flush(true)),
      ended(job, fault) {
        if (job.kind !== 'train') return;
        if (!fault) judging.push(forget(job.job).catch(failure.report));
        else if (isStoreError(fault)) failure.report(new SweepError(fault.code, fault.message));
        else if (!failure.signal.aborted) {
          failed = true;
          for (const {id} of job.job.trials) if (!ended.has(id)) emit(trialFailed(id, fault));
        }
      },
    };
    const done = new Map<string, number[]>();
    for (const trial of todo) {
      const {answers, evaluated} = left(checkpoints, trial, from(trial.id), prepared, store);
      for (const result of answers) scoring.add(result);
      done.set(trial.id, evaluated);
    }
    const training = Date.now();
    measuring = setInterval(() => emit({event: 'resources', memoryBytes: process.memoryUsage.rss()}), measureEvery);
    await pool.run(
      longestFirst(packs, pack => trainingFlops(prepared, pack)).map(pack => ({
        kind: 'train',
        job: {
          ...trainJob(prepared, pack, store.folder),
          ...trainingProbes(prepared, pack, store.earlier),
          curves: Object.fromEntries(pack.flatMap(({id}) => (curves.has(id) ? [[id, curves.get(id)!]] : []))),
          evaluated: {
            step: from(pack[0]!.id),
            known: Object.fromEntries(pack.map(({id}) => [id, done.get(id)!])),
          },
        },
      })),
      handlers,
    );
    await Promise.all(judging);
    failure.check();
    const seconds = (Date.now() - training) / 1000;
    // Short runs are all start-up; the editor's estimates are for the CPU.
    if (!failed && !options.signal.aborted && !choice.gpu && seconds > tellingSeconds)
      rememberSpeed(trainingFlops(prepared, todo) / seconds);
  } catch (error) {
    end('failed', error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    judge.close();
    clearInterval(measuring);
    await pool.close();
  }
  return end(options.signal.aborted ? 'stopped' : failed ? 'failed' : 'finished');
}

/** Of trials that go on, those curves whose ends a fold cannot cut off exactly. */
async function longCurves(store: OpenRun, steps: ReadonlyMap<string, number>): Promise<Map<string, Curves>> {
  const {trials, places} = store.earlier;
  const long = [...steps].filter(([id, step]) => step > 0 && (trials[places[id] ?? -1]?.rates.stride ?? 1) > 1);
  return long.length > 0 ? curvesAt(join(store.folder, eventsName), new Map(long)) : new Map();
}

function trialFailed(trial: string, {message}: Failure): RunEventBody {
  return {event: 'trial-ended', trial, state: 'failed', steps: 0, seconds: 0, message};
}

/** Probes blocks side by side; each is stored as soon as it is known. */
async function probe(pool: Pool, {jobs, rows}: ProbePlan, emit: (event: RunEventBody) => void): Promise<void> {
  const progress = (done: number) => emit({event: 'prepared', what: 'probing curvature', done, total: rows});
  let done = 0;
  let failure: Failure | undefined;
  progress(done);
  await pool.run(
    jobs.map(job => ({kind: 'probe', job})),
    {
      event(event) {
        emit(event);
        if (event.event === 'curvature') progress(++done);
      },
      generated: () => {},
      ended(_, fault) {
        failure ??= fault;
      },
    },
  );
  if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
}
