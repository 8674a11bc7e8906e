/** The story of one run: read the file, prepare base and data, train every trial on the workers, store what happens. */
import {existsSync} from 'node:fs';
import {basename} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import {furtherTrials, storedTrials} from '../../core/run/trials/known-trials.ts';
import {onlySweep, type Stored} from '../../core/sweep/only.ts';
import {curvatureDefaults} from '../../core/sweep/table/fields.ts';
import {chooseEngine} from '../engine/choose.ts';
import {type Control, openControl} from '../store/control.ts';
import {refuseInUse, setAside} from '../store/history/set-aside.ts';
import {sweepCaches} from '../store/leftovers.ts';
import {type OpenRun, openRun, runFolderOf} from '../store/run.ts';
import {heedStopFile, type StopWish} from '../store/stop-file.ts';
import {engineOfRun} from './known/engine-of-run.ts';
import {arrange, checkTrials, coresFor} from './packs.ts';
import {play} from './play.ts';
import type {Prepared} from './prepare.ts';
import {checkProbed} from './probing.ts';
import {RunFailure} from './run-failure.ts';
import {mostSeeds} from './search/plans.ts';
import {openSweep} from './sweep-file.ts';
import type {SweepEnd, SweepOptions} from './under-way.ts';

export type {SweepEnd, SweepOptions};

/**
 * Runs a sweep file. Everything that can be refused is refused before the run folder is touched.
 * @throws SweepError
 */
export async function runSweep(file: string, options: SweepOptions): Promise<SweepEnd> {
  const {sweep, prepare, wish} = openSweep(file, options.tuning?.sweep);
  const folder = runFolderOf(file, sweep.name, options.out);
  const {resume, tuning, fresh = false} = options;
  if (fresh) await refuseInUse(folder);
  const choice = await (fresh ? chooseEngine(await wish()) : engineOfRun(await wish(), folder));
  const began = Date.now();
  const failure = new RunFailure();
  const open = () => openRun({folder, sweepFile: file, resume, again: tuning?.again, failed: failure.report});
  // Existing results are refused before the long preparation; a new folder is made only after it.
  let store = existsSync(folder) && !fresh ? await open() : undefined;
  let control: Control | undefined;
  // Whoever sees the lock may leave the wish from then on.
  let stopWish: StopWish | undefined = store && heedStopFile(folder);
  /** Also when the process is ended at once: nothing that was emitted is lost, and nothing is left behind. */
  const leave = failure.guard(() => {
    control?.close();
    stopWish?.close();
    store?.close();
  });
  process.once('exit', leave);
  let end: SweepEnd = 'stopped';
  try {
    sweepCaches();
    const cores = coresFor(choice, sweep.run.workers);
    const loading = {signal: anyOf(options.signal, stopWish?.signal), progress: readingProgress(options)};
    const seeds = mostSeeds(options, store?.earlier);
    const all = await prepare(cores, options.probeOnly ? curvatureDefaults : undefined, loading, choice, seeds);
    const prepared = partOf(all, options);
    const {earlier} = store ?? {};
    const trials = onlySweep(prepared.sweep, options.only, storedIn(store), own =>
      earlier ? furtherTrials(own, earlier) : [],
    );
    checkTrials(prepared, trials);
    arrange(prepared, trials, choice.gpu, undefined, cores);
    const {curvature} = prepared.sweep;
    if (curvature) checkProbed(prepared, curvature, trials);
    const kept = fresh ? await setAside(folder) : null;
    const opened = store ?? (await open());
    store = opened;
    if (kept !== null) opened.notes.push(`The earlier run of this folder is kept in ${basename(kept)}, beside it.`);
    control = await openControl(opened.control);
    stopWish ??= heedStopFile(folder);
    const signal = AbortSignal.any([options.signal, control.signal, stopWish.signal, failure.signal]);
    opened.notes.push(...control.notes);
    const emit = failure.guard((body: RunEventBody) => options.onEvent(opened.append(body)));
    end = await play({prepared, trials, choice, store: opened, options: {...options, signal}, failure, emit, began});
  } catch (error) {
    const isStop =
      anyOf(options.signal, stopWish?.signal).aborted && error instanceof SweepError && error.code === 'stopped';
    if (!isStop) failure.report(error);
  } finally {
    leave();
    process.off('exit', leave);
  }
  failure.check();
  return end;
}

function storedIn(store: OpenRun | undefined): Stored {
  if (!store) return {trials: []};
  const {earlier} = store;
  return {
    trials: storedTrials(earlier),
    stateOf: id => earlier.trials[earlier.places[id] ?? -1]?.state ?? 'waiting',
  };
}

export const anyOf = (...signals: (AbortSignal | undefined)[]): AbortSignal =>
  AbortSignal.any(signals.filter(signal => signal !== undefined));

function partOf(prepared: Prepared, {tuning}: SweepOptions): Prepared {
  if (!tuning) return prepared;
  const {sweep, note} = tuning.within(trial => prepared.of(trial).steps(trial.batchSize));
  return {...prepared, sweep, notes: [note, ...prepared.notes]};
}

/** Milliseconds between two events of a long preparation. */
const tellEvery = 500;

/**
 * Tells now and then how far the reading of rows is; what takes no time is not worth a word. Nothing of it is stored: until
 * all is read the run may still be refused, and then its folder is as it was.
 */
export function readingProgress({
  onPreparing,
}: Pick<SweepOptions, 'onPreparing'>): (done: number, total: number) => void {
  let told = Date.now();
  let spoken = false;
  return (done, total) => {
    const now = Date.now();
    if (now - told < tellEvery && !(spoken && done === total)) return;
    [told, spoken] = [now, true];
    onPreparing?.({event: 'prepared', what: 'reading rows', done, total, at: now});
  };
}
