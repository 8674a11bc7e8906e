/** What a sweep will do and cost: trials, packs, parameters, operations, memory, time. */
import {dirname, resolve} from 'node:path';
import type {MethodCost} from '../../core/method/cost.ts';
import {type StepTime, stepTimes} from '../../core/run/costs.ts';
import {trialsOf} from '../../core/run/trials/known-trials.ts';
import type {Settings} from '../../core/sweep/axes/keys.ts';
import {rolesInWords} from '../../core/sweep/axes/roles.ts';
import type {Loading} from '../data/dataset.ts';
import type {DataStatistics} from '../data/statistics.ts';
import {chooseEngines, engineNames} from '../engine/choices.ts';
import {arrange, coresFor} from '../run/packs.ts';
import {openSweep} from '../run/sweep-file.ts';
import {costsOf, sizeName, stepsByKey, trainedNumbers, trainingFlops} from '../run/work.ts';
import {rememberPlanned} from '../store/planned-time.ts';
import {hasRun, readRun, runFolderOf} from '../store/run.ts';
import {estimated} from './duration.ts';
import {searchInWords} from './searched.ts';

export interface Plan {
  trials: {
    id: string;
    method: string;
    rank: number;
    alpha: number;
    batch_size: number;
    learning_rate: number;
    seed: number;
    /** What it is compared under, where that is not its method's name. */
    name?: string;
    /** Its values of axes that have several in the sweep, or that are its method's own. */
    settings?: Settings;
  }[];
  /** What is compared with what, in a sentence. */
  roles: string;
  /** Trial ids that train side by side in one step. */
  packs: string[][];
  /** By method and rank, e.g. `pissa r8`. */
  trainable_parameters: Record<string, number>;
  /** Of every method and rank, at the largest batch size. */
  costs: MethodCost[];
  /** Of a step, by method, rank and batch size, where this sweep has run before. */
  step_times: StepTime[];
  /** Optimizer steps of a trial by batch size, and behind it by further axes. */
  steps: Record<string, number>;
  /** Of all training steps. */
  flops: number;
  /** Of the run at its peak: measured where its parts could be done here, else counted. */
  memory_bytes: number;
  /** Layers are computed again in the backward pass. */
  checkpoint: boolean;
  /** The whole run, from what its parts take on this machine; null where that was not possible. */
  seconds: number | null;
  /** What the training rows are like; `tokens_per_second`: expected of all workers together. */
  data: DataStatistics & {max_length: number; tokens_per_second: number | null};
  engine: string;
  reason: string;
  /** The GPU it runs on; null = the CPU. */
  device: string | null;
  /** What a reader should know: packs that were split, operations that the GPU does not have. */
  notes: string[];
}

/** @throws SweepError for a file that cannot run */
export async function planSweep(file: string, loading: Loading = {}): Promise<Plan> {
  const began = performance.now();
  const {sweep, prepare, wish} = openSweep(file);
  const folder = runFolderOf(file, sweep.name);
  const earlier = hasRun(folder) ? (await readRun(folder)).state : null;
  const trials = [...trialsOf(sweep, earlier)];
  const choice = await chooseEngines(await wish());
  const {reason, gpu} = choice;
  const cores = coresFor(choice, sweep.run.workers);
  const prepared = await prepare(cores, undefined, loading, choice);
  const arrangement = arrange(prepared, trials, gpu, undefined, cores);
  const {packs} = arrangement;
  const sizes = new Map(trials.map(trial => [sizeName(trial), trainedNumbers(prepared, trial)]));
  const notes = [...arrangement.notes];
  const estimate = await estimated({prepared, choice}, arrangement, (performance.now() - began) / 1000, {
    note: message => void (notes.includes(message) || notes.push(message)),
  });
  if (estimate) rememberPlanned({sweep, base: dirname(resolve(file)), folder: prepared.model.folder}, estimate.whole);
  const {workers, side} = arrangement;
  const machine = estimate && {seconds: estimate.training, workers, side};
  notes.splice(arrangement.notes.length, 0, ...searchInWords(sweep, trials, stepsByKey(prepared, trials), machine));
  const {data} = prepared;
  const rows = trials.reduce((sum, trial) => sum + prepared.of(trial).steps(trial.batchSize) * trial.batchSize, 0);
  return {
    trials: trials.map(({id, method, rank, alpha, batchSize, learningRate, seed, name, model, settings}) => ({
      id,
      method,
      rank,
      alpha,
      batch_size: batchSize,
      learning_rate: learningRate,
      seed,
      ...(name !== undefined && {name}),
      ...((settings || model !== undefined) && {settings: {...(model !== undefined && {model}), ...settings}}),
    })),
    roles: rolesInWords(sweep),
    packs: packs.map(pack => pack.map(({id}) => id)),
    trainable_parameters: Object.fromEntries(sizes),
    costs: costsOf(prepared, trials),
    step_times: earlier ? stepTimes(earlier) : [],
    steps: stepsByKey(prepared, trials),
    flops: trainingFlops(prepared, trials),
    // What a GPU holds is not resident here.
    memory_bytes: Math.round(estimate && !gpu ? estimate.bytes : arrangement.bytes),
    checkpoint: prepared.size.recompute,
    seconds: estimate?.whole ?? null,
    data: {
      ...data,
      max_length: sweep.data.maxLength,
      tokens_per_second: estimate && (rows * data.lengths.mean) / estimate.training,
    },
    engine: engineNames(choice),
    reason,
    device: gpu?.name ?? null,
    notes,
  };
}
