import {type MethodCost, methodCost} from '../../core/method/cost.ts';
import {trainedParameters} from '../../core/method/parameters.ts';
import {mean} from '../../core/numbers.ts';
import {costKey, costPlace} from '../../core/run/costs.ts';
import type {RunStarted} from '../../core/run/events.ts';
import {stepsKey} from '../../core/sweep/axes/axes.ts';
import {fixedSettings} from '../../core/sweep/axes/values.ts';
import {nameOf, noRank, type Sweep, type Trial} from '../../core/sweep/sweep.ts';
import type {Choice} from '../engine/choose.ts';
import {sitesOf} from '../model/sites.ts';
import {weightCount} from '../model/weights.ts';
import {stepFlops} from '../size/flops.ts';
import type {Prepared} from './prepare.ts';

/** E.g. `pissa r8`; what has no rank goes by its method alone. With the model and the targets where there are several. */
export function sizeName(trial: Trial): string {
  const {rank, model, targets} = costPlace(trial);
  return [nameOf(trial), rank === noRank ? '' : `r${rank}`, model, targets].filter(Boolean).join(' ');
}

export function trainedNumbers(prepared: Prepared, trial: Trial): number {
  const {sites, model} = prepared.of(trial);
  return trainedParameters(trial, sites, weightCount(model.config));
}

/** What a run says of the axes of its sweep: what all trials have in common, and what is there for what. */
export function rolesIn(
  sweep: Sweep,
  {precision}: Pick<Choice, 'precision'>,
): Pick<RunStarted, 'fixed' | 'tune' | 'objective'> {
  const {tune, objective} = sweep;
  const fixed = fixedSettings(sweep);
  // `auto` is the one today and the other tomorrow.
  const taken = fixed['training.precision'] === undefined ? {} : {'training.precision': precision};
  return {fixed: {...fixed, ...taken}, ...(tune && {tune}), ...(objective && {objective})};
}

/** A sweep, and how many optimizer steps its trials take. */
export interface Stepping {
  sweep: Sweep;
  of(trial: Trial): {steps(batchSize: number): number};
}

/** Optimizer steps of trials, by `stepsKey`. */
export function stepsByKey(prepared: Stepping, trials: readonly Trial[]): Record<string, number> {
  return Object.fromEntries(trials.map(trial => [stepsKey(trial), prepared.of(trial).steps(trial.batchSize)]));
}

/** Of every method and rank of these trials, on every model and every choice of targets, at the largest batch size. */
export function costsOf(prepared: Prepared, trials: readonly Trial[]): MethodCost[] {
  const batchSize = Math.max(...trials.map(trial => trial.batchSize));
  const sized = new Map(trials.map(trial => [costKey(costPlace(trial)), trial]));
  return [...sized.values()].map(trial => ({
    ...costOf(prepared.of(trial), trial, batchSize),
    ...costPlace(trial),
    method: trial.method,
  }));
}

function costOf({sites, model, source}: Prepared, trial: Trial, batchSize: number): MethodCost {
  const {config, weights} = model;
  const adapted = new Set(sites.map(({name}) => name));
  const others = sitesOf(config.layers.length, 'all', weights).filter(({name}) => !adapted.has(name));
  const head = {inputs: config.hiddenSize, outputs: config.vocabSize};
  const {rows, shapes} = source(batchSize);
  const tokens = (batchSize * mean(shapes.map(shape => shape.tokens))) / rows;
  const shape = {adapted: sites, others: [...others, head], everything: weightCount(config)};
  return methodCost(trial, shape, tokens);
}

/** Operations of all training steps of these trials. */
export function trainingFlops(prepared: Prepared, trials: readonly Trial[]): number {
  return trials.reduce((sum, trial) => {
    const {batchSize} = trial;
    const own = prepared.of(trial);
    return sum + own.steps(batchSize) * batchFlops(own, batchSize, trainedNumbers(own, trial));
  }, 0);
}

/** Operations of one step, on the average of the shapes. */
function batchFlops({model: {config}, source}: Prepared, batchSize: number, parameters: number): number {
  const {rows, shapes} = source(batchSize);
  return (mean(shapes.map(shape => stepFlops(config, shape, parameters))) * batchSize) / rows;
}
