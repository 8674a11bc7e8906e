/** Made-up landscapes, and runs of a search over them in any order: results come as events and go through the fold. */
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll, type RunState} from '../../../core/run/fold.ts';
import {cellsOf} from '../../../core/search/cells.ts';
import {decide} from '../../../core/search/decide.ts';
import {decideAll} from '../../../core/search/decide-all.ts';
import {factsOf} from '../../../core/search/facts.ts';
import type {SearchRules} from '../../../core/search/rules.ts';
import type {Cell, Decision, Wanted} from '../../../core/search/search.ts';
import {stepsKey, valuesWithParts} from '../../../core/sweep/axes/axes.ts';
import type {AxisKey} from '../../../core/sweep/axes/keys.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';

/** What a training at a rate gives. */
export interface Outcome {
  /** Training loss at the end of the scan; null: diverged before. */
  scan: number | null;
  /** At the end; null: diverged on the way. */
  end: number | null;
  metric: number;
}

/** By the place of the rate in the grid and the seed. */
export type Landscape = (rate: number, seed: number) => Outcome;

export const rules: SearchRules = {
  search: {strategy: 'halving', scan: 1 / 16},
  margin: 0.01,
  objective: {task: 'exact-match', metrics: ['accuracy'], lowerIsBetter: false},
};

export const steps = 320;

/** LoRA at 12 rates from 1e-5, four a decade, unless told otherwise. */
export function cellWith({rates = 12, seeds = [1, 2, 3], total = steps, warmupRatio = 0} = {}): Cell {
  const learningRates = Array.from({length: rates}, (_, k) => Number((1e-5 * 10 ** (k / 4)).toPrecision(6)));
  const alpha = {factor: 1, rankPower: 1, text: 'rank'};
  const trials = expandTrials({
    methods: [{method: 'lora', learningRates, ranks: [8], batchSizes: [16], seeds, alpha}],
  });
  return cellsOf(trials, {16: total}, {training: {warmupRatio}})[0]!;
}

/** A smooth landscape: loss and accuracy fall off evenly on both sides of a peak, given as a place in the grid. */
export function smooth(peak: number, {scanPeak = peak + 1.54, divergesFrom = Infinity} = {}): Landscape {
  return rate => ({
    scan: rate >= divergesFrom ? null : 2 * 1.3 ** Math.abs(rate - scanPeak),
    end: rate >= divergesFrom ? null : 0.5 * 1.3 ** Math.abs(rate - peak),
    metric: 0.9 - 0.02 * (rate - peak) ** 2,
  });
}

/** The same method at several values of a further axis that is tuned; `key`: of the axis. */
export function groupWith(
  values: readonly string[],
  {
    key = 'training.weight_decay',
    rates = 12,
    seeds = [1, 2, 3],
  }: {key?: AxisKey; rates?: number; seeds?: number[]} = {},
): Cell[] {
  const learningRates = Array.from({length: rates}, (_, k) => Number((1e-5 * 10 ** (k / 4)).toPrecision(6)));
  const alpha = {factor: 1, rankPower: 1, text: 'rank'};
  const axis = valuesWithParts(
    key,
    values.map(text => ({text, value: text})),
  );
  const method = {
    method: 'lora',
    learningRates,
    ranks: [8],
    batchSizes: [16],
    seeds,
    alpha,
    axes: {[key]: axis},
  } as const;
  const trials = expandTrials({methods: [{...method, ranks: [8], batchSizes: [16]}]});
  const all = Object.fromEntries(trials.map(trial => [stepsKey(trial), steps]));
  return cellsOf(trials, all, {training: {warmupRatio: 0}, tune: [key]});
}

/** The first event of a run over these cells. */
function start(cells: readonly Cell[]): RunEvent {
  const trials = cells.flatMap(cell => cell.trials.flat());
  const event: RunEventBody = {
    event: 'run-started',
    name: 'made up',
    trials,
    engine: 'none',
    reason: '',
    workers: 1,
    resumed: false,
    steps: Object.fromEntries(trials.map(trial => [stepsKey(trial), cells[0]!.steps])),
    search: rules.search,
  };
  return {...event, at: 0};
}

/** What a trial that goes on to `until` tells, all at once. */
export function told(cell: Cell, {trial: id, until}: Wanted, landscape: Landscape, state: RunState): RunEventBody[] {
  const rate = cell.trials.findIndex(row => row.some(trial => trial.id === id));
  const {seed, learningRate} = cell.trials[rate]!.find(trial => trial.id === id)!;
  const {scan, end, metric} = landscape(rate, seed);
  const from = state.trials[state.places[id]!]!.steps;
  const tail = until === cell.steps ? end : scan;
  const ended = {event: 'trial-ended', trial: id, steps: until, seconds: 1, tail} as const;
  const evaluated = {event: 'evaluation', trial: id, step: until, task: 'exact-match', metric: 'accuracy'} as const;
  return [
    {event: 'trial-started', trial: id, steps: cell.steps, worker: 0, from},
    {event: 'step', trials: [id], step: from + 1, losses: [4], rates: [learningRate], gradNorms: [1]},
    ...(tail !== null && until === cell.steps
      ? ([{...evaluated, value: metric, correct: null, total: 100}] as const)
      : []),
    {...ended, state: tail === null ? 'diverged' : until < cell.steps ? 'paused' : 'finished'},
  ];
}

export interface Run {
  state: RunState;
  decision: Decision;
  /** Every trial and how far it was asked to go, in the order that results came. */
  asked: Wanted[];
  decisions: Decision[];
}

/**
 * A run to its end: of what is wanted, one after the other is chosen by `next` (of how many), trained, and told. `until`: stops
 * after so many results, as if killed.
 */
export function play(
  cell: Cell,
  landscape: Landscape,
  next: (wanted: number) => number,
  {from, limit = Infinity, by = rules}: {from?: RunState; limit?: number; by?: SearchRules} = {},
): Run {
  let state = foldAll(from ?? emptyRun, [start([cell])]);
  const asked: Wanted[] = [];
  const decisions: Decision[] = [];
  for (;;) {
    const decision = decide(cell, factsOf(cell, state, by), by);
    decisions.push(decision);
    const wanted = decision.wanted[next(decision.wanted.length)];
    if (!wanted || asked.length >= limit) return {state, decision, asked, decisions};
    asked.push(wanted);
    state = foldAll(
      state,
      told(cell, wanted, landscape, state).map(event => ({...event, at: 1})),
    );
  }
}

export interface GroupRun {
  state: RunState;
  decisions: Decision[];
  asked: Wanted[];
}

/** The same over several cells, each with a landscape of its own. */
export function playAll(
  cells: readonly Cell[],
  landscapes: readonly Landscape[],
  next: (wanted: number) => number,
  {from, limit = Infinity, by = rules}: {from?: RunState; limit?: number; by?: SearchRules} = {},
): GroupRun {
  let state = foldAll(from ?? emptyRun, [start(cells)]);
  const asked: Wanted[] = [];
  for (;;) {
    const decisions = decideAll(cells, state, by);
    const all = decisions.flatMap(({wanted}) => wanted);
    const wanted = all[next(all.length)];
    if (!wanted || asked.length >= limit) return {state, decisions, asked};
    asked.push(wanted);
    const place = cells.findIndex(({trials}) => trials.flat().some(({id}) => id === wanted.trial));
    const events = told(cells[place]!, wanted, landscapes[place]!, state);
    state = foldAll(
      state,
      events.map(event => ({...event, at: 1})),
    );
  }
}

/** Rates (places in the grid) of the trials with the first seed that were trained to the end, rising. */
export function wholeRates(cell: Cell, asked: readonly Wanted[]): number[] {
  return cell.trials.flatMap(([trial], rate) =>
    asked.some(one => one.trial === trial!.id && one.until === cell.steps) ? [rate] : [],
  );
}
