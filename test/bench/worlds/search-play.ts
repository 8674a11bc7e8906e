/** The product's own search, played on a measured curve whose seeds are drawn anew. */
import {cellsOf} from '../../../core/search/cells.ts';
import {decide} from '../../../core/search/decide.ts';
import {type SearchRules, scanStepsOf} from '../../../core/search/rules.ts';
import type {Cell, TrialFacts} from '../../../core/search/search.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {average, type Curve} from './search-curves.ts';

/** What a strategy found, and for how much. */
export interface Played {
  /** Optimizer steps, as a share of all trials of the grid. */
  share: number;
  /** Accuracy lost against the best rate of the curve, 0..1. */
  regret: number;
}

/** How the training losses of a search lie beside the curve: in grid steps, upward. */
export interface Losses {
  /** The place of the scan's lowest loss beside where it should be. */
  scan: number;
  /** The lowest loss at the end beside the best accuracy; absent: as measured, and not known where it was not. */
  end?: number;
}

export const rules: SearchRules = {
  search: {strategy: 'halving', scan: 1 / 16},
  margin: 0.01,
  objective: {task: 'curve', metrics: ['accuracy'], lowerIsBetter: false},
};

/** Of a whole trial. Nothing but the rounding of the scan depends on it. */
const steps = 1600;
const perDecade = 4;
/** Short trainings like larger rates, by this power of their steps. */
const power = 0.32;

/** Accuracies by rate and seed. */
export type Draws = number[][];

/** Accuracies of each rate and seed, drawn from the rates' own means and deviations. `normal`: a draw a rate and seed. */
export function drawn({mean, std}: Curve, seeds: number, normal: Float64Array): Draws {
  return mean.map((value, rate) =>
    Array.from({length: seeds}, (_, seed) =>
      Math.min(1, Math.max(0, value + std[rate]! * normal[rate * seeds + seed]!)),
    ),
  );
}

/** The whole grid with the first `seeds` of each rate; ties go to the lower rate. */
export function grid(curve: Curve, draws: Draws, seeds: number): Played {
  const means = draws.map(row => average(row.slice(0, seeds)));
  return {share: seeds / draws[0]!.length, regret: regretOf(curve, means.indexOf(Math.max(...means)))};
}

/** The search over the rates (places in the curve) `within`, as a share of the whole grid's steps. */
export function halving(curve: Curve, draws: Draws, losses: Losses, within = [...curve.rates.keys()]): Played {
  const cell = cellOf(
    within.map(rate => curve.rates[rate]!),
    draws[0]!.length,
  );
  const tails = tailsOf(curve, losses, scanStepsOf(cell, rules.search) / steps);
  const facts = new Map<string, TrialFacts>();
  for (;;) {
    const {wanted, chosen, stage} = decide(cell, facts, rules);
    if (wanted.length === 0) {
      if (stage !== 'done' || chosen === null)
        throw new Error(`A search on ${curve.name} ended without a rate: ${stage}.`);
      const done = [...facts.values()].reduce((sum, fact) => sum + fact.steps, 0);
      return {share: done / (steps * draws.flat().length), regret: regretOf(curve, curve.rates.indexOf(chosen))};
    }
    for (const {trial, until} of wanted) {
      const place = cell.trials.findIndex(row => row.some(({id}) => id === trial));
      const [rate, seed] = [within[place]!, cell.trials[place]!.findIndex(({id}) => id === trial)];
      const whole = until === steps;
      facts.set(trial, {
        state: whole ? 'finished' : 'paused',
        steps: until,
        firstLoss: tails.first,
        scanTail: tails.scan[rate]!,
        endTail: whole ? (tails.end?.[rate] ?? null) : null,
        metric: whole ? draws[rate]![seed]! : null,
      });
    }
  }
}

function cellOf(learningRates: number[], seeds: number): Cell {
  const alpha = {factor: 1, rankPower: 1, text: 'rank'};
  const numbers = Array.from({length: seeds}, (_, k) => k + 1);
  const method = {method: 'lora', learningRates, ranks: [8], batchSizes: [16], seeds: numbers, alpha} as const;
  return cellsOf(
    expandTrials({methods: [{...method, ranks: [8], batchSizes: [16]}]}),
    {16: steps},
    {training: {warmupRatio: 0}},
  )[0]!;
}

/** What was not measured is made up: a scan's loss is a parabola, lowest at the best rate of so few steps. */
export function tailsOf({mean, loss}: Curve, {scan, end}: Losses, share: number) {
  const best = topOf(mean);
  const scanBest = best - power * Math.log10(share) * perDecade + scan;
  return {
    first: 2,
    scan: mean.map((_, rate) => 1 + 0.02 * (rate - scanBest) ** 2),
    end: end === undefined ? loss : mean.map((_, rate) => 0.3 + 0.03 * (rate - best - end) ** 2),
  };
}

/** The top of the parabola through the best rate and its neighbours, as a place in the curve. */
function topOf(mean: readonly number[]): number {
  const best = mean.indexOf(Math.max(...mean));
  const [left, middle, right] = [mean[best - 1], mean[best]!, mean[best + 1]];
  if (left === undefined || right === undefined) return best;
  const bend = left - 2 * middle + right;
  return bend < 0 ? best + (left - right) / (2 * bend) : best;
}

function regretOf({mean}: Curve, rate: number): number {
  return Math.max(...mean) - mean[rate]!;
}
