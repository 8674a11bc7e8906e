/** A run that is under way: what its chapters have in common. */
import type {RunEvent, RunEventBody} from '../../core/run/events.ts';
import type {RunState} from '../../core/run/fold.ts';
import type {SeedWish} from '../../core/search/comparing/more-seeds.ts';
import type {Sweep, Trial} from '../../core/sweep/sweep.ts';
import type {Choice} from '../engine/choose.ts';
import type {Again} from '../store/manifest.ts';
import type {OpenRun} from '../store/run.ts';
import {openPool, type Pool} from './pool.ts';
import type {Prepared} from './prepare.ts';
import type {StartRow} from './probing.ts';
import type {RunFailure} from './run-failure.ts';

export interface SweepOptions {
  /** Run folder; default `.lora-sweep/<name>` beside the sweep file. */
  out?: string | undefined;
  /** Filters KEY=VALUE on trials. */
  only: string[];
  resume: boolean;
  /** A run that is in the folder is set aside under its date, and nothing is taken from it or others. */
  fresh?: boolean;
  /** Trains the chosen trials again from their start, also those that are done. */
  rerun?: boolean;
  /** Trials that runs beside this one have finished are taken from there; `false`: all are trained. */
  reuse?: boolean;
  /** Probe the curvature only, by the defaults where the file says nothing of it. */
  probeOnly?: boolean;
  /** Only the evaluations that stored adapters lack. */
  evaluateOnly?: boolean;
  /** Further seeds at best rates of a run that is finished. */
  moreSeeds?: readonly SeedWish[];
  /** What is run in place of the file's own sweep. */
  tuning?: Tuning;
  /** Where other processes train the other trials of the run. */
  part?: PartOfRun;
  signal: AbortSignal;
  onEvent(event: RunEvent): void;
  /** Hears of a long preparation: until a run has begun nothing of it is stored. */
  onPreparing?(event: RunEvent): void;
}

/** One start of some tasks of a run. */
export interface PartOfRun {
  /** Whether a block at the start is this part's to probe. */
  probes(row: StartRow): boolean;
  /** It has all cells: what a search asks across cells is asked here. */
  isWhole: boolean;
  /** Only some of the trials of its tasks are to be trained. */
  isSelected: boolean;
  /** Where cells are shared with other tasks: what the run had come to when this start began. A search goes by that and its own. */
  beside?: RunState;
}

/** A sweep that was made of the file's. */
export interface Tuning {
  sweep: Sweep;
  /** The part of it that is trained, and a sentence on that; `steps`: of a trial. @throws SweepError where there is none */
  within(steps: (trial: Trial) => number): {sweep: Sweep; note: string};
  /** How the run is made again. */
  again: Again;
}

export type SweepEnd = 'finished' | 'failed' | 'stopped';

export interface UnderWay {
  prepared: Prepared;
  /** Those of this start. */
  trials: Trial[];
  choice: Choice;
  store: OpenRun;
  /** `signal` is also aborted by the run's control and by its first failure. */
  options: SweepOptions;
  failure: RunFailure;
  /** Stores an event and tells it; what fails in that is the run's failure. */
  emit(body: RunEventBody): void;
  /** When it began, in milliseconds. */
  began: number;
}

/** Workers over the base, which end when the run is stopped. */
export function openWorkers(
  {prepared, choice, options}: Pick<UnderWay, 'prepared' | 'choice'> & {options: Pick<SweepOptions, 'signal'>},
  count: number,
  threads: number,
): Pool {
  const {engine, precision, gpu} = choice;
  const pool = openPool(count, {base: prepared.model, engine, precision, threads, onGpu: gpu !== undefined});
  options.signal.addEventListener('abort', () => pool.stop(), {once: true});
  if (options.signal.aborted) pool.stop();
  return pool;
}
