/** What a sweep will do and cost: trials, packs, parameters, operations, memory, time. */

import {type MethodCost, methodCost} from '../core/method/cost.ts';
import {trainedParameters} from '../core/method/parameters.ts';
import {type StepTime, stepTimes} from '../core/run/costs.ts';
import {trialsOf} from '../core/run/known-trials.ts';
import {noRank, type Trial} from '../core/sweep/sweep.ts';
import type {Loading} from './data/dataset.ts';
import type {DataStatistics} from './data/statistics.ts';
import {estimated} from './duration.ts';
import {chooseEngine} from './engine/choose.ts';
import {stepFlops} from './flops.ts';
import {sitesOf} from './model/sites.ts';
import {weightCount} from './model/weights.ts';
import {arrange, coresFor} from './packs.ts';
import {openSweep, type Prepared} from './prepare.ts';
import {hasRun, readRun, runFolderOf} from './store/run.ts';

export interface Plan {
  trials: {
    id: string;
    method: string;
    rank: number;
    alpha: number;
    batch_size: number;
    learning_rate: number;
    seed: number;
  }[];
  /** Trial ids that train side by side in one step. */
  packs: string[][];
  /** By method and rank, e.g. `pissa r8`. */
  trainable_parameters: Record<string, number>;
  /** Of every method and rank, at the largest batch size. */
  costs: MethodCost[];
  /** Of a step, by method, rank and batch size, where this sweep has run before. */
  step_times: StepTime[];
  /** Optimizer steps of a trial by batch size. */
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
  const trials = trialsOf(sweep, earlier);
  const choice = await chooseEngine(await wish());
  const {engine, reason, gpu} = choice;
  const cores = coresFor(choice, sweep.run.workers);
  const prepared = await prepare(cores, undefined, loading, choice);
  const arrangement = arrange(prepared, trials, gpu, undefined, cores);
  const {packs} = arrangement;
  const sizes = new Map(trials.map(trial => [sizeName(trial), trainedNumbers(prepared, trial)]));
  const notes = [...arrangement.notes];
  const estimate = await estimated(prepared, arrangement, choice, (performance.now() - began) / 1000, {
    note: message => void (notes.includes(message) || notes.push(message)),
  });
  const {data} = prepared;
  const rows = trials.reduce((sum, {batchSize}) => sum + prepared.steps(batchSize) * batchSize, 0);
  return {
    trials: trials.map(({id, method, rank, alpha, batchSize, learningRate, seed}) => ({
      id,
      method,
      rank,
      alpha,
      batch_size: batchSize,
      learning_rate: learningRate,
      seed,
    })),
    packs: packs.map(pack => pack.map(({id}) => id)),
    trainable_parameters: Object.fromEntries(sizes),
    costs: costsOf(prepared, trials),
    step_times: earlier ? stepTimes(earlier) : [],
    steps: Object.fromEntries(trials.map(({batchSize}) => [batchSize, prepared.steps(batchSize)])),
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
    engine,
    reason,
    device: gpu?.name ?? null,
    notes,
  };
}

/** E.g. `pissa r8`; what has no rank goes by its method alone. */
function sizeName({method, rank}: Trial): string {
  return rank === noRank ? method : `${method} r${rank}`;
}

function trainedNumbers({sites, model}: Prepared, trial: Trial): number {
  return trainedParameters(trial, sites, weightCount(model.config));
}

/** Of every method and rank of these trials, at the largest batch size. */
export function costsOf(prepared: Prepared, trials: readonly Trial[]): MethodCost[] {
  const {sites, model, source} = prepared;
  const {config, weights} = model;
  const adapted = new Set(sites.map(({name}) => name));
  const others = sitesOf(config.layers.length, 'all', weights).filter(({name}) => !adapted.has(name));
  const head = {inputs: config.hiddenSize, outputs: config.vocabSize};
  const batchSize = Math.max(...trials.map(trial => trial.batchSize));
  const {rows, shapes} = source(batchSize);
  const tokens = (batchSize * mean(shapes.map(shape => shape.tokens))) / rows;
  const sized = new Map(trials.map(trial => [sizeName(trial), trial]));
  const shape = {adapted: sites, others: [...others, head], everything: weightCount(config)};
  return [...sized.values()].map(trial => methodCost(trial, shape, tokens));
}

/** Operations of all training steps of these trials. */
export function trainingFlops(prepared: Prepared, trials: readonly Trial[]): number {
  return trials.reduce((sum, trial) => {
    const {batchSize} = trial;
    return sum + prepared.steps(batchSize) * batchFlops(prepared, batchSize, trainedNumbers(prepared, trial));
  }, 0);
}

/** Operations of one step, on the average of the shapes. */
function batchFlops({model: {config}, source}: Prepared, batchSize: number, parameters: number): number {
  const {rows, shapes} = source(batchSize);
  return (mean(shapes.map(shape => stepFlops(config, shape, parameters))) * batchSize) / rows;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
