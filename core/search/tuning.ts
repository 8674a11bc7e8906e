/** A sweep of one method, made of a sweep file in memory: the search for its best rate, within what that may cost. */
import {SweepError} from '../error.ts';
import {methods as descriptions, type MethodName} from '../method/methods.ts';
import {count} from '../run/format.ts';
import {axisCount, stepsKey} from '../sweep/axes/axes.ts';
import {writeRate} from '../sweep/rates.ts';
import {fewestRates, needsEvaluation} from '../sweep/search-rules.ts';
import {type MethodSettings, nameOf, type Sweep, type Trial} from '../sweep/sweep.ts';
import {searchDefaults} from '../sweep/table/fields.ts';
import {expandTrials} from '../sweep/trials.ts';
import {cellsOf} from './cells.ts';
import {expectationOf, type SearchExpectation} from './expectation.ts';
import {usualMargin} from './rules.ts';

export type TunedSweep = Sweep & Required<Pick<Sweep, 'search'>>;

/**
 * The file's sweep with this method alone (absent: its only one), searched by halving whatever the file says; its curvature is not
 * probed, and no seeds are added. Its name is one of its own, so that it never shares a run folder with the file's sweep.
 * @throws SweepError `usage` for a method that is missing or not there, `not-tunable` for a sweep without one axis to search along
 */
export function tunedSweep({curvature: _, ...sweep}: Sweep, wanted?: string): TunedSweep {
  const method = methodOf(sweep, wanted);
  if (sweep.evaluate.length === 0) throw new SweepError('not-tunable', needsEvaluation);
  refuseMean(sweep);
  refuseSeveral(method, sweep.tune);
  refuseFewRates(method);
  return {
    ...sweep,
    name: tuningName(sweep, nameOf(method)),
    methods: [method],
    search: {strategy: 'halving', scan: sweep.search?.scan ?? searchDefaults.scan},
    verdict: {margin: sweep.verdict?.margin ?? usualMargin, baseline: nameOf(method)},
  };
}

/** What the search for a method's rate goes by, and its run folder. */
export function tuningName({name}: Pick<Sweep, 'name'>, method: string): string {
  return `${name}-tune-${method}`;
}

function methodOf({methods}: Pick<Sweep, 'methods'>, wanted: string | undefined): MethodSettings {
  const names = methods.map(nameOf).join(', ');
  if (wanted === undefined && methods.length > 1)
    throw new SweepError(
      'usage',
      `The sweep has ${methods.length} methods, ${names}; say with --method which to tune.`,
    );
  const found = wanted === undefined ? methods[0] : methods.find(one => nameOf(one) === wanted);
  if (found) return found;
  throw new SweepError('usage', `--method ${wanted}: the sweep has no such method; it has ${names}.`, {wanted});
}

function refuseMean({objective = []}: Pick<Sweep, 'objective'>): void {
  if (objective.length < 2) return;
  throw new SweepError(
    'not-tunable',
    `A search goes by one evaluation, and 'objective' is the mean of ${objective.join(' and ')}: name one of them as 'objective'.`,
  );
}

/** What the file tunes is looked for beside the rate; of anything else there is one value. */
function refuseSeveral({ranks, batchSizes, axes = {}, ...method}: MethodSettings, tune: readonly string[] = []): void {
  const others = Object.entries(axes).filter(([key]) => !tune.includes(key));
  const further = others.map(([key, values]) => axisCount(key, values.length));
  if (ranks.length * batchSizes.length === 1 && further.length === 0) return;
  const list = [
    ranks.length > 1 ? count(ranks.length, 'rank') : '',
    batchSizes.length > 1 ? count(batchSizes.length, 'batch size') : '',
    ...further,
  ];
  throw new SweepError(
    'not-tunable',
    `${nameOf(method)} has ${list.filter(Boolean).join(' and ')} in this file, and a rate is looked for at one of each; leave one, name what each method takes its best of in 'tune', or compare them with 'search: halving' and \`lora-sweep run\`.`,
  );
}

function refuseFewRates({method, learningRates}: MethodSettings): void {
  if (learningRates.length >= fewestRates) return;
  const [from, to] = gridFor(method).map(writeRate);
  throw new SweepError(
    'not-tunable',
    `${count(learningRates.length, 'learning rate')} ${learningRates.length === 1 ? 'is' : 'are'} too few to search in: it takes ${fewestRates} or more; write a grid, like 'learning_rate: {from: ${from}, to: ${to}, per_decade: 4}'.`,
  );
}

/** Three decades around the best rate that is known of the method, or of LoRA. */
function gridFor(method: MethodName): [number, number] {
  const known = (descriptions[method].knownRates[0] ?? descriptions.lora.knownRates[0]!).best;
  const decade = Math.floor(Math.log10(known));
  return [Number(`1e${decade - 1}`), Number(`1e${decade + 2}`)];
}

/** What is trained of a sweep, and a sentence on that. */
export interface Within {
  sweep: Sweep;
  note: string;
}

/**
 * As much of a tuned sweep as may be expected to keep within `budget`, a share of its grid's steps: seeds are given up first, from
 * the last, then every second rate. `stepsOf`: optimizer steps of a trial.
 * @throws SweepError `budget` with the least that it takes
 */
export function withinBudget(tuned: TunedSweep, stepsOf: (trial: Trial) => number, budget?: number): Within {
  const gridSteps = expandTrials(tuned).reduce((sum, trial) => sum + stepsOf(trial), 0);
  const parts = (budget === undefined ? [tuned.methods[0]!] : narrower(tuned.methods[0]!)).map(method => {
    const expected = expectationIn({...tuned, methods: [method]}, stepsOf);
    return {method, expected, share: expected.steps.expected / gridSteps};
  });
  const part = parts.find(({share}) => budget === undefined || share <= budget);
  if (part) return {sweep: {...tuned, methods: [part.method]}, note: spending(tuned.methods[0]!, part)};
  const {method, share} = parts.toSorted((a, b) => a.share - b.share)[0]!;
  const least = Math.ceil(1000 * share - 1e-9) / 10;
  throw new SweepError(
    'budget',
    `A budget of ${percent(budget!)} cannot pay the search: even ${axes(method)} take about ${least} % of the grid's steps; write --budget ${least}% or more.`,
    {least},
  );
}

function expectationIn(sweep: TunedSweep, stepsOf: (trial: Trial) => number): SearchExpectation {
  const trials = expandTrials(sweep);
  const steps = Object.fromEntries(trials.map(trial => [stepsKey(trial), stepsOf(trial)]));
  return expectationOf(cellsOf(trials, steps, sweep), sweep);
}

/** From the whole on, each with less than the one before. */
function narrower(method: MethodSettings): MethodSettings[] {
  const {seeds, learningRates} = method;
  const fewer = seeds.map((_, given) => ({...method, seeds: seeds.slice(0, seeds.length - given)}));
  const second = learningRates.filter((_, place) => place % 2 === 0);
  return second.length < fewestRates ? fewer : [...fewer, {...fewer.at(-1)!, learningRates: second}];
}

function spending(
  whole: MethodSettings,
  part: {method: MethodSettings; expected: SearchExpectation; share: number},
): string {
  const {method, expected, share} = part;
  const {learningRates: rates, seeds} = method;
  const given = [
    whole.seeds.length > seeds.length
      ? `${whole.seeds.length - seeds.length} of ${count(whole.seeds.length, 'seed')}`
      : '',
    whole.learningRates.length > rates.length ? 'every second rate' : '',
  ].filter(Boolean);
  const {least, expected: mean, most} = expected.steps;
  const range = least < most ? `, ${percent((share * least) / mean)} to ${percent((share * most) / mean)},` : '';
  const cost = `This takes about ${percent(share)}${range} of the grid's steps (${method.method}, ${axes(whole)}, all whole)`;
  return [
    given.length > 0 ? `${cost}: to keep within the budget, ${given.join(' and ')} are given up.` : `${cost}.`,
    ...expected.instead,
  ].join(' ');
}

const axes = ({learningRates, seeds, axes: further = {}}: MethodSettings): string => {
  const counts = Object.entries(further).map(([key, values]) => ` × ${axisCount(key, values.length)}`);
  return `${count(learningRates.length, 'rate')}${counts.join('')} and ${count(seeds.length, 'seed')}`;
};
const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
