/** The story of one run: read the file, prepare base and data, train every trial on the workers, store what happens. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../core/error.ts';
import type {RunEvent, RunEventBody} from '../core/run/events.ts';
import {formatEvaluation} from '../core/run/format.ts';
import {ratesInWords, storedTrials, trialsOf} from '../core/run/known-trials.ts';
import {curvatureDefaults} from '../core/sweep/fields.ts';
import {onlySweep} from '../core/sweep/only.ts';
import type {Trial} from '../core/sweep/sweep.ts';
import {openControl} from './control.ts';
import {type Choice, chooseEngine} from './engine/choose.ts';
import {costsOf, trainingFlops} from './estimate.ts';
import type {Generated} from './evaluate.ts';
import {snapshotOf} from './hub/cache.ts';
import {methods} from './method/index.ts';
import {arrange, checkTrials, coresFor, longestFirst, settingsOf, trainJob} from './packs.ts';
import {type Failure, type JobHandlers, openPool, type Pool, type ToWorker} from './pool.ts';
import {openSweep, type Prepared} from './prepare.ts';
import {type ProbePlan, planProbes, probedPlaces, trainingProbes} from './probe.ts';
import {dropAnswers, keepAnswers, keptAnswers} from './store/answers.ts';
import {checkpointStep, dropCheckpoint} from './store/checkpoint.ts';
import {hashCompanions} from './store/hash.ts';
import {type OpenRun, openRun, runFolderOf} from './store/run.ts';
import {rememberSpeed} from './store/speed.ts';
import {openJudge} from './task/score.ts';
import {scoreBeside} from './task/scoring.ts';
import {idsOf, isJudgedLater, type TrainJob} from './train.ts';
import {versions} from './version.ts';

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
  const open = () => openRun({folder, sweepFile: file, resume: options.resume});
  // Existing results are refused before the long preparation; a new folder is made only after it.
  let store = existsSync(folder) ? await open() : undefined;
  try {
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
    const control = await openControl(store.control, message => store?.append({event: 'note', message}));
    const signal = AbortSignal.any([options.signal, control.signal]);
    try {
      return await runPrepared(prepared, trials, choice, store, began, {...options, signal});
    } finally {
      control.close();
    }
  } catch (error) {
    if (options.signal.aborted && error instanceof SweepError && error.code === 'stopped') return 'stopped';
    throw error;
  } finally {
    store?.close();
  }
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
): Promise<SweepEnd> {
  const {sweep} = prepared;
  const emit = (body: RunEventBody) => options.onEvent(store.append(body));
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
  const cores = coresFor(choice, sweep.run.workers);
  const probes = sweep.curvature
    ? planProbes(prepared, sweep.curvature, trials, store.earlier, cores)
    : {jobs: [], rows: 0};
  const {packs, workers, threads, notes} = arrange(
    prepared,
    todo,
    choice.gpu,
    ({id}) => checkpointStep(checkpoints, id),
    cores,
  );
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
  for (const message of [...store.notes, ...remarks, ...rates, ...prepared.notes, ...notes, ...startOnly])
    emit({event: 'note', message});

  const end = (state: SweepEnd, message?: string): SweepEnd => {
    const seconds = (Date.now() - began) / 1000;
    emit({event: 'run-ended', state, seconds, ...(message === undefined ? {} : {message})});
    return state;
  };
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
  options.signal.addEventListener('abort', () => judge.close(), {once: true});
  let failed = false;
  let measuring: NodeJS.Timeout | undefined;
  try {
    await factorize(pool, prepared, todo, emit);
    const ended = new Set<string>();
    const scoring = scoreBeside(judge, emit, result => {
      // The result is in the file before the answers are gone.
      store.flush();
      dropAnswers(checkpoints, result);
    });
    const judging: Promise<void>[] = [];
    /** A pack whose answers are judged needs its checkpoint no more. */
    const forget = async (job: TrainJob) => {
      const judged = await scoring.done(idsOf(job));
      if (!judged && !options.signal.aborted) failed = true;
      if (judged && isJudgedLater(job) && !options.signal.aborted) dropCheckpoint(checkpoints, idsOf(job));
    };
    const handlers: JobHandlers = {
      event(event) {
        if (event.event === 'trial-ended') ended.add(event.trial);
        scoring.event(event);
      },
      generated(result) {
        keepAnswers(checkpoints, result);
        scoring.add(result);
      },
      ended(job, failure) {
        if (job.kind !== 'train') return;
        if (!failure) {
          judging.push(forget(job.job));
          return;
        }
        failed = true;
        for (const {id} of job.job.trials) if (!ended.has(id)) emit(trialFailed(id, failure));
      },
    };
    const done = new Map<string, number[]>();
    for (const trial of todo) {
      const {answers, evaluated} = left(checkpoints, trial, prepared, store);
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
          evaluated: Object.fromEntries(pack.map(({id}) => [id, done.get(id)!])),
        },
      })),
      handlers,
    );
    await Promise.all(judging);
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

/**
 * Of a trial that goes on: answers that the last start did not come to judge, and the evaluations at its end that have a
 * result or wait for one.
 */
function left(
  checkpoints: string,
  {id, batchSize}: Trial,
  {steps, sweep}: Prepared,
  {earlier}: OpenRun,
): {answers: Generated[]; evaluated: number[]} {
  const from = checkpointStep(checkpoints, id);
  const answers = keptAnswers(checkpoints, id).filter(({step}) => step <= from);
  if (from !== steps(batchSize)) return {answers, evaluated: []};
  const results = earlier.trials[earlier.places[id] ?? -1]?.evaluations ?? [];
  const evaluated = sweep.evaluate.flatMap(({task, entry}, index) => {
    const waits = answers.some(({step, evaluation}) => step === from && evaluation === index);
    const known = results.some(one => one.step === from && one.task === formatEvaluation(task, entry));
    return waits || known ? [index] : [];
  });
  return {answers, evaluated};
}

/** Finished and diverged trials are not trained again. */
function isDone({earlier}: OpenRun, {id}: Trial): boolean {
  const state = earlier.trials[earlier.places[id] ?? -1]?.state;
  return state === 'finished' || state === 'diverged';
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

/** Factorises every weight that the waiting trials start from, side by side, into the cache. */
async function factorize(
  pool: Pool,
  prepared: Prepared,
  trials: Trial[],
  emit: (event: RunEventBody) => void,
): Promise<void> {
  const wanted = new Map<string, ToWorker>();
  for (const {method, rank} of trials) {
    const spectrum = method === 'full' ? undefined : methods[method].spectrum;
    const {startFrom, iterations} = settingsOf(prepared.sweep, method);
    if (spectrum === undefined || startFrom !== undefined) continue;
    for (const site of prepared.sites) {
      const settings = iterations === undefined ? {} : {iterations};
      wanted.set(`${spectrum} ${rank} ${iterations} ${site.name}`, {
        kind: 'factorize',
        site,
        end: spectrum,
        rank,
        settings,
      });
    }
  }
  const jobs = [...wanted.values()];
  let done = 0;
  let failure: Failure | undefined;
  await pool.run(jobs, {
    event: emit,
    generated: () => {},
    ended(_, fault) {
      failure ??= fault;
      emit({event: 'prepared', what: 'factorising weights', done: ++done, total: jobs.length});
    },
  });
  if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
}
