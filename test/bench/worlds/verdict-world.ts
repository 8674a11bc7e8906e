/**
 * Made-up sweeps with a known truth, for counting how often words on methods are wrong: five methods over 12 rates, whose curves,
 * noise and true differences are given. Searched by the product's own decisions, and judged by its own words.
 */

import {grouped} from '../../../core/grouped.ts';
import type {MethodName} from '../../../core/method/methods.ts';
import {confidenceOf, judge, type Word} from '../../../core/run/verdict/words.ts';
import {
  type ChallengeSettings,
  challenge,
  type MoreSeeds,
  trialsFor,
  withTrials,
} from '../../../core/search/comparing/challenge.ts';
import {wished} from '../../../core/search/comparing/more-seeds.ts';
import {standingsOf} from '../../../core/search/comparing/standing.ts';
import type {SearchRules} from '../../../core/search/rules.ts';
import type {Cell, Decision, TrialFacts} from '../../../core/search/search.ts';
import type {VerdictSettings} from '../../../core/search/settings.ts';
import {decideTogether} from '../../../core/search/together.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {random} from '../../../trainer/math/random.ts';

const methods: readonly MethodName[] = ['lora', 'pissa', 'milora', 'init-ab', 'dora'];
const rates = Array.from({length: 12}, (_, place) => Number((1e-5 * 10 ** (place / 4)).toPrecision(6)));
export const margin = 0.01;

/** How the curves of a sweep look, and how the seeds scatter. */
export interface Family {
  /** Points that a rate loses, so many places beside the best one. */
  loss(places: number): number;
  /** Standard deviation over seeds. */
  noise: number;
  /** The same of the last method, where it is another. */
  loud?: number;
}

export const families: Record<string, Family> = {
  equal: {loss: places => 0.008 * places ** 2, noise: 0.0035},
  plateau: {loss: places => 0.02 * Math.max(0, Math.abs(places) - 2) ** 2, noise: 0.0035},
  narrow: {loss: places => 0.04 * places ** 2, noise: 0.0035},
  loud: {loss: places => 0.008 * places ** 2, noise: 0.003, loud: 0.012},
};

/** By how much each method's best rate is truly better than the baseline's. */
export const truths: Record<string, readonly number[]> = {
  equal: [0, 0, 0, 0, 0],
  'a margin apart': [0, margin, -margin, margin, -margin],
  'one ahead': [0, 0.012, 0, 0, 0],
};

export interface Setting {
  family: Family;
  truth: readonly number[];
  /** Every rate is trained whole with the file's seeds, or searched. */
  search: boolean;
  /** Of the file. */
  seeds: number;
  /** Numbers of seeds at which words are formed. */
  looks: number[];
  /** Once words stand, somebody asks for so many more seeds of what has none, time and again; absent: nobody does. */
  asks?: number[];
  /** Values of a further tuned axis that all do equally well, each with best rates of its own; absent: the rate alone is tuned. */
  values?: number;
}

export interface Outcome {
  words: {word: Word; truth: number}[];
  /** Whole trainings. */
  trained: number;
}

const total = 320;
const scanSteps = 20;

/** One sweep, trained until nothing more is asked for. `name` tells its random numbers from all others. */
export function play(setting: Setting, name: string, number: number): Outcome {
  const world = new World(setting, name, number);
  const verdict: VerdictSettings = {margin, baseline: 'lora', looks: setting.looks};
  const asks = setting.asks ?? [];
  const settings = (asked: number) => ({...verdict, metric: 'accuracy', asked});
  finish(world, setting, settings(0));
  for (const [place, seeds] of asks.entries()) {
    const {search: isSearch} = setting;
    world.ask(wished(world.searched(), world.facts, {...settings(place), isSearch}, {seeds}));
    finish(world, {...setting, looks: [0, ...setting.looks]}, settings(place + 1));
  }
  const standings = standingsOf(world.searched(), world.facts, 'accuracy');
  const confidence = confidenceOf({looks: setting.looks.length + asks.length, isSearch: setting.search});
  const gaps = judge(standings, 'accuracy', {baseline: 'lora', margin, confidence})?.gaps ?? [];
  const words = gaps.map(({method, word}) => ({word, truth: setting.truth[methods.indexOf(method as MethodName)]!}));
  return {words, trained: [...world.facts.values()].filter(({state}) => state === 'finished').length};
}

/** Until nothing more is asked for. */
function finish(world: World, setting: Setting, settings: ChallengeSettings): void {
  for (let decisions: Decision[]; ; ) {
    decisions = setting.search ? world.decisions() : [];
    const wanted = decisions.flatMap(decision => decision.wanted);
    if (wanted.length > 0) {
      for (const {trial, until} of wanted) world.train(trial, until);
      continue;
    }
    // Of a whole grid that is looked at once nothing more is asked.
    if (!setting.search && setting.looks.length === 1) return;
    const more = challenge(world.searched(), decisions, world.facts, settings);
    if (more.wanted.length + more.seeds.length === 0) return;
    world.ask(more.seeds);
    for (const {trial, until} of more.wanted) world.train(trial, until);
  }
}

const rules: SearchRules = {
  search: {strategy: 'halving', scan: scanSteps / total},
  margin,
  objective: {task: 'exact-match', metrics: ['accuracy'], lowerIsBetter: false},
};

/** The cells of one sweep, and what was trained of them. */
class World {
  readonly cells: Cell[];
  readonly facts = new Map<string, TrialFacts>();
  private added: Trial[] = [];
  private readonly trials = new Map<string, {trial: Trial; place: number; cell: number}>();
  private readonly setting: Setting;
  private readonly draw: () => number;
  /** Of each cell: where its best rate is, and where its scan sees it. */
  private readonly peaks: {at: number; seen: number; top: number}[];

  constructor(setting: Setting, name: string, number: number) {
    this.setting = setting;
    const stream = random('verdict', name, number);
    let drawn: Float64Array = new Float64Array();
    let next = 0;
    this.draw = () => {
      if (next === drawn.length) [drawn, next] = [stream.normal(100), 0];
      return drawn[next++]!;
    };
    const {values} = setting;
    const seeds = Array.from({length: setting.seeds}, (_, k) => k + 1);
    this.cells = methods.flatMap(method =>
      values === undefined
        ? [cellOfMethod(method, seeds)]
        : Array.from({length: values}, (_, value) => cellOfMethod(method, seeds, value)),
    );
    this.peaks = this.cells.map((_, cell) => {
      const at = 4 + 4 * stream.next();
      // Short trainings like larger rates; the scan's place is known to 0.7 places, as measured.
      const seen = at + 4 * 0.32 * Math.log10(total / scanSteps) + 0.7 * this.draw();
      const best = Math.min(...rates.map((_, place) => setting.family.loss(place - at)));
      return {at, seen, top: 0.6 + setting.truth[this.methodOf(cell)]! + best};
    });
    this.know(this.cells);
    if (!setting.search) for (const id of [...this.trials.keys()]) this.train(id, total);
  }

  private methodOf(cell: number): number {
    return Math.floor(cell / (this.setting.values ?? 1));
  }

  decisions(): Decision[] {
    const groups = grouped(this.cells, ({id, group}) => group?.id ?? id);
    return [...groups.values()].flatMap(own =>
      decideTogether(
        own.map(cell => ({cell, facts: this.facts})),
        rules,
      ),
    );
  }

  /** With the trials that were added. */
  searched(): Cell[] {
    return withTrials(this.cells, this.added);
  }

  ask(seeds: readonly MoreSeeds[]): void {
    const trials = seeds.flatMap(one => trialsFor(this.cells.find(({id}) => id === one.cell)!, one));
    this.added = [...this.added, ...trials];
    this.know(this.searched());
    for (const {id} of trials) this.train(id, total);
  }

  train(id: string, until: number): void {
    const {place, cell} = this.trials.get(id)!;
    const {at, seen, top} = this.peaks[cell]!;
    const {family} = this.setting;
    const noise = this.methodOf(cell) === methods.length - 1 ? (family.loud ?? family.noise) : family.noise;
    const isWhole = until === total;
    this.facts.set(id, {
      state: isWhole ? 'finished' : 'paused',
      steps: until,
      firstLoss: 4,
      scanTail: 2 * 1.1 ** ((place - seen) ** 2),
      endTail: isWhole ? 0.5 * 1.1 ** ((place - at - 0.5) ** 2) : null,
      metric: isWhole ? top - family.loss(place - at) + noise * this.draw() : null,
    });
  }

  private know(cells: readonly Cell[]): void {
    for (const [cell, {trials}] of cells.entries())
      for (const [place, row] of trials.entries())
        for (const trial of row) this.trials.set(trial.id, {trial, place, cell});
  }
}

function cellOfMethod(method: MethodName, seeds: readonly number[], value?: number): Cell {
  const settings = value === undefined ? undefined : {'training.weight_decay': String(value)};
  const part = value === undefined ? '' : `-wd${value}`;
  const base = `${method}-r8-b16`;
  const trials = rates.map(learningRate =>
    seeds.map(seed => {
      const id = `${base}${part}-lr${learningRate.toExponential(2)}-s${seed}`;
      return {id, method, rank: 8, alpha: 8, batchSize: 16, learningRate, seed, ...(settings && {settings})};
    }),
  );
  const common = {rates, seeds: [...seeds], trials, steps: total, warmUp: 0};
  return {id: `${base}${part}`, ...common, ...(settings && {group: {id: base, settings}})};
}
