import {type MethodCost, methodCost} from '../../core/method/cost.ts';
import {trainedParameters} from '../../core/method/parameters.ts';
import {mean} from '../../core/numbers.ts';
import {noRank, type Trial} from '../../core/sweep/sweep.ts';
import {sitesOf} from '../model/sites.ts';
import {weightCount} from '../model/weights.ts';
import {stepFlops} from '../size/flops.ts';
import type {Prepared} from './prepare.ts';

/** E.g. `pissa r8`; what has no rank goes by its method alone. */
export function sizeName({method, rank}: Trial): string {
  return rank === noRank ? method : `${method} r${rank}`;
}

export function trainedNumbers({sites, model}: Prepared, trial: Trial): number {
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
