/** What a sweep will do and cost: trials, packs, parameters, operations, memory, time. */

import {type MethodCost, methodCost} from '../core/method/cost.ts';
import {trainedParameters} from '../core/method/parameters.ts';
import type {Trial} from '../core/sweep/sweep.ts';
import {expandTrials} from '../core/sweep/trials.ts';
import {type Choice, chooseEngine} from './engine/choose.ts';
import {stepFlops} from './flops.ts';
import {sitesOf} from './model/sites.ts';
import {type Arrangement, arrange, coresFor, trainJob} from './packs.ts';
import {openPool} from './pool.ts';
import {openSweep, type Prepared} from './prepare.ts';

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
  /** Optimizer steps of a trial by batch size. */
  steps: Record<string, number>;
  /** Of all training steps. */
  flops: number;
  memory_bytes: number;
  /** Measured on one batch of this machine; null where that was not possible. */
  seconds: number | null;
  engine: string;
  reason: string;
}

/** @throws SweepError for a file that cannot run */
export async function planSweep(file: string): Promise<Plan> {
  const {sweep, prepare, wish} = openSweep(file);
  const trials = expandTrials(sweep);
  const choice = await chooseEngine(await wish());
  const {engine, reason} = choice;
  const prepared = await prepare(coresFor(choice, sweep.run.workers), choice);
  const arrangement = arrange(prepared, trials, coresFor(choice, sweep.run.workers));
  const {packs} = arrangement;
  const sizes = new Map(
    trials.map(({method, rank}) => [`${method} r${rank}`, trainedParameters(method, rank, prepared.sites)]),
  );
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
    steps: Object.fromEntries(trials.map(({batchSize}) => [batchSize, prepared.steps(batchSize)])),
    flops: trainingFlops(prepared, trials),
    memory_bytes: Math.round(arrangement.bytes),
    seconds: await estimatedSeconds(prepared, arrangement, choice),
    engine,
    reason,
  };
}

function costsOf(prepared: Prepared, trials: readonly Trial[]): MethodCost[] {
  const {sites, model, source} = prepared;
  const {config, weights} = model;
  const adapted = new Set(sites.map(({name}) => name));
  const others = sitesOf(config.layers.length, 'all', weights).filter(({name}) => !adapted.has(name));
  const head = {inputs: config.hiddenSize, outputs: config.vocabSize};
  const batchSize = Math.max(...trials.map(trial => trial.batchSize));
  const {shapes} = source(batchSize);
  const tokens = (batchSize * shapes.reduce((sum, {length}) => sum + length, 0)) / shapes.length;
  const pairs = new Map(trials.map(({method, rank}) => [`${method} ${rank}`, {method, rank}]));
  return [...pairs.values()].map(({method, rank}) =>
    methodCost(method, rank, {adapted: sites, others: [...others, head]}, tokens),
  );
}

/** Operations of all training steps of these trials. */
export function trainingFlops(prepared: Prepared, trials: readonly Trial[]): number {
  return trials.reduce((sum, {method, rank, batchSize}) => {
    const parameters = trainedParameters(method, rank, prepared.sites);
    return sum + prepared.steps(batchSize) * batchFlops(prepared, batchSize, parameters);
  }, 0);
}

/** Operations of one step on a batch of average length. */
function batchFlops({model: {config}, source}: Prepared, batchSize: number, parameters: number): number {
  const {rows, shapes} = source(batchSize);
  const length = shapes.reduce((sum, shape) => sum + shape.length, 0) / shapes.length;
  const targets = shapes.reduce((sum, shape) => sum + shape.targets, 0) / shapes.length / rows;
  return stepFlops(config, {rows: batchSize, length, targets: batchSize * targets}, parameters);
}

/** A few steps of each batch size, timed on one worker while the others do the same. */
async function estimatedSeconds(
  prepared: Prepared,
  {packs, workers, threads}: Arrangement,
  {engine, precision}: Choice,
): Promise<number | null> {
  const firsts = new Map(packs.map(pack => [pack[0]!.batchSize, pack]));
  const pool = openPool(workers, {base: prepared.model, engine, precision, threads});
  try {
    let total = 0;
    for (const [batchSize, pack] of firsts) {
      const job = trainJob(
        prepared,
        pack.map(trial => ({...trial, method: 'lora' as const})),
        '',
      );
      const times: number[] = [];
      await pool.run(
        Array.from({length: workers}, () => ({kind: 'measure' as const, job})),
        {
          event: () => {},
          generated: () => {},
          measured: milliseconds => times.push(milliseconds),
          ended: () => {},
        },
      );
      if (times.length === 0) return null;
      const perStep = times.reduce((sum, time) => sum + time, 0) / times.length / 1000;
      const steps = packs.filter(own => own[0]!.batchSize === batchSize).length * prepared.steps(batchSize);
      total += (perStep * steps) / workers;
    }
    return total;
  } finally {
    await pool.close();
  }
}
