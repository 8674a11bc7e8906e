/** Rules of a fair comparison: what a sweep can read correctly and still conclude wrongly from. Warnings, not errors. */
import {knownPeak} from '../method/known-peak.ts';
import {methods} from '../method/methods.ts';
import {count, formatRate} from '../run/format.ts';
import {alphaOf} from './alpha.ts';
import {isAxisKey} from './axes/axes.ts';
import type {Fix} from './problem.ts';
import {either, type Problems, replacement} from './problems.ts';
import {type Grid, writeRate} from './rates.ts';
import {type MethodSettings, nameOf, type Sweep} from './sweep.ts';
import {newLine} from './table/values.ts';
import {find} from './text/locate.ts';
import type {MappingNode, Node} from './text/nodes.ts';
import type {Tree} from './text/tree.ts';

/** What the rules look at. */
interface File {
  sweep: Sweep;
  tree: Pick<Tree, 'root'>;
  problems: Problems;
}

/** Rates of one value in the file, and the methods that train with them. */
interface Rates {
  path: (string | number)[];
  node: Node;
  methods: MethodSettings[];
}

/** Fewer points than this in a factor of ten can step over a peak. */
const fewestPerDecade = 3;
/** Fewer seeds than this give no spread worth the name. */
const fewestSeeds = 3;

/** Adds a problem of code `fairness/…` for whatever makes the comparison of methods less than fair. */
export function checkFairness(sweep: Sweep, tree: Pick<Tree, 'root'>, problems: Problems): void {
  const file = {sweep, tree, problems};
  for (const rates of ratesOf(file)) {
    const [first] = rates.methods;
    if (first!.learningRates.length === 1) checkOneRate(file, rates);
    else {
      checkDensity(file, rates);
      checkKnownPeaks(file, rates);
    }
  }
  checkSeeds(file);
  checkBudgets(file);
  checkTuned(file);
  checkAlpha(file);
}

/** The values that give learning rates: the shared one and those of methods. */
function ratesOf({sweep, tree}: File): Rates[] {
  const found: Rates[] = [];
  for (const settings of sweep.methods) {
    const own = ['methods', nameOf(settings), 'learning_rate'];
    const path = find(tree, own) ? own : ['learning_rate'];
    const known = path === own ? undefined : found.find(rates => rates.path.length === 1);
    const node = find(tree, path)?.node;
    if (known) known.methods.push(settings);
    else if (node) found.push({path, node, methods: [settings]});
  }
  return found;
}

function checkOneRate({sweep, problems}: File, {path, node, methods}: Rates): void {
  if (sweep.methods.length < 2) return;
  const rate = methods[0]!.learningRates[0]!;
  const who = methods.length > 1 ? `${methods.length} methods are` : `${nameOf(methods[0]!)} is`;
  const grid = `{from: ${writeRate(rate / 10)}, to: ${writeRate(rate * 10)}, per_decade: 4}`;
  const message = `${who} compared at the one learning rate ${formatRate(rate)}: each method peaks at a rate of its own, so the one this rate suits wins. Give a grid, like ${grid}.`;
  problems.report('fairness/one-rate', {path, range: node.range}, message, [replacement(node.range, grid)], 'warning');
}

function checkDensity({problems}: File, {path, node, methods}: Rates): void {
  const rates = methods[0]!.learningRates;
  const steps = rates.slice(1).map((rate, k) => Math.log10(rate / rates[k]!));
  const widest = Math.max(...steps);
  // A little more than a third of a decade, so that rates written with three digits pass.
  if (widest <= 1 / fewestPerDecade + 0.01) return;
  const at = steps.indexOf(widest);
  const perDecade = scalarIn(node, 'per_decade');
  const place = {path: perDecade ? [...path, 'per_decade'] : path, range: (perDecade ?? node).range};
  const message = `Between ${formatRate(rates[at]!)} and ${formatRate(rates[at + 1]!)} lies a factor of ${Number((10 ** widest).toPrecision(2))} without a point, enough to step over a peak: take at least ${fewestPerDecade} rates per decade (the study takes 4).`;
  problems.report(
    'fairness/coarse-grid',
    place,
    message,
    perDecade ? [replacement(perDecade.range, '4')] : [],
    'warning',
  );
}

function checkKnownPeaks({sweep, problems}: File, {path, node, methods}: Rates): void {
  for (const {method, learningRates, batchSizes} of methods) {
    const known = knownPeak(method, sweep.model, batchSizes);
    if (!known) continue;
    const lowest = learningRates[0]!;
    const highest = learningRates.at(-1)!;
    // For the sweep's own model every known peak counts; rates of other models only hint at where to look.
    const missed = known.sameModel
      ? lowest > known.from || highest < known.to
      : lowest > known.to || highest < known.from;
    if (!missed) continue;
    const tooHigh = lowest > (known.sameModel ? known.from : known.to);
    const peak = formatRate(tooHigh ? known.from : known.to);
    const where = known.from === known.to ? peak : `${formatRate(known.from)} to ${formatRate(known.to)}`;
    const models = either([...new Set(known.rows.map(row => row.model))]).replace(' or ', ' and ');
    const message = `The rates ${formatRate(lowest)} to ${formatRate(highest)} leave out where published results found the peak of ${method}: ${where} on ${models}${known.sameModel ? '' : ', other models than yours'}. ${tooHigh ? "Lower 'from'" : "Raise 'to'"} to see it rise and fall.`;
    const fixes = extendTo(node, tooHigh ? known.from / margin : known.to * margin);
    problems.report(
      'fairness/narrow-grid',
      {path, range: node.range},
      message,
      fixes,
      known.sameModel ? 'warning' : 'information',
    );
  }
}

/** A peak is seen when there is half a decade of rates on both of its sides. */
const margin = Math.sqrt(10);

/** A fix that extends a grid, on its own points, until it holds `rate`; none where rates are listed. */
export function extendTo(node: Node, rate: number): Fix[] {
  const grid = gridIn(node);
  const from = scalarIn(node, 'from');
  const to = scalarIn(node, 'to');
  if (!grid || !from || !to) return [];
  const points = (factor: number) => Math.ceil(Math.log10(factor) * grid.per_decade - 1e-6);
  if (rate < grid.from) {
    const start = grid.from * 10 ** (-points(grid.from / rate) / grid.per_decade);
    return [{title: `Start the grid at ${writeRate(start)}`, edits: [{range: from.range, text: writeRate(start)}]}];
  }
  const end = grid.to * 10 ** (points(rate / grid.to) / grid.per_decade);
  return end > grid.to ? [{title: `Go up to ${writeRate(end)}`, edits: [{range: to.range, text: writeRate(end)}]}] : [];
}

function checkSeeds({sweep, tree, problems}: File): void {
  const {root} = tree;
  const least = Math.min(...sweep.methods.map(({seeds}) => seeds.length));
  if (sweep.methods.length < 2 || least >= fewestSeeds) return;
  const method = nameOf(sweep.methods.find(({seeds}) => seeds.length === least)!);
  const path = problems.firstOf(['methods', method, 'seeds'], ['seeds'], ['methods']);
  const node = find(tree, path)?.node;
  const what = least === 1 ? 'One seed shows no spread at all' : 'Two seeds hardly show a spread';
  const message = `${what}, so that luck and method cannot be told apart: take at least ${fewestSeeds}, like 'seeds: [1, 2, 3]'.`;
  const line = 'seeds: [1, 2, 3]';
  const written = path.at(-1) === 'seeds' && node;
  const fixes = written ? [replacement(node.range, '[1, 2, 3]')] : root?.kind === 'mapping' ? newLine(root, line) : [];
  problems.at(path, 'fairness/few-seeds', message, fixes, least === 1 ? 'warning' : 'information');
}

/** A method with more trials has more chances of a lucky one. */
function checkBudgets({sweep, problems}: File): void {
  const [first, ...others] = sweep.methods;
  const budget = (settings: MethodSettings) => ({
    'learning rate': settings.learningRates.length,
    rank: settings.ranks.length,
    'batch size': settings.batchSizes.length,
    seed: settings.seeds.length,
    ...Object.fromEntries((sweep.tune ?? []).map(key => [`value of ${key}`, tunedValues(settings, key)])),
  });
  const measure: Record<string, number> = budget(first!);
  for (const settings of others) {
    // Training all weights has no rank to choose.
    const unranked = [first!, settings].some(({method}) => methods[method].weights);
    const own = Object.entries(budget(settings)).filter(
      ([what, number]) => measure[what] !== number && !(unranked && what === 'rank'),
    );
    if (own.length === 0) continue;
    const [what, number] = own[0]!;
    const message = `${nameOf(settings)} gets ${chances(number, what)} and ${nameOf(first!)} ${measure[what]}: the one with more trials has more chances of a lucky one. Give both the same number.`;
    problems.at(
      problems.firstOf(['methods', nameOf(settings)], ['methods']),
      'fairness/unequal-budgets',
      message,
      [],
      'warning',
    );
  }
}

/** `1 value of training.weight_decay`, `2 ranks`. */
function chances(number: number, what: string): string {
  const [noun, ...rest] = what.split(' of ');
  return [count(number, noun!), ...rest].join(' of ');
}

/** What is to be tuned and has one value everywhere. */
function checkTuned({sweep, problems}: File): void {
  for (const key of sweep.tune ?? []) {
    if (sweep.methods.some(settings => tunedValues(settings, key) > 1)) continue;
    const message = `'tune' names ${key}, which has one value for every method, so that nothing of it is tuned: give it a list of values, or remove it from 'tune'.`;
    problems.at(['tune'], 'fairness/one-value', message, [], 'information');
  }
}

/** Chances that a tuned axis gives a method. */
function tunedValues({axes}: MethodSettings, key: string): number {
  return isAxisKey(key) ? (axes?.[key]?.length ?? 1) : 1;
}

/** As the file gives it: the power of the rank that is a method's own idea, as rsLoRA's, is what is compared. */
function givenAlpha({alpha, method}: MethodSettings, rank: number): number {
  return alphaOf({...alpha, rankPower: alpha.rankPower - (methods[method].alphaPower ?? 0)}, rank);
}

function checkAlpha({sweep, problems}: File): void {
  const [first, ...others] = sweep.methods.filter(({method}) => !methods[method].withoutAlpha);
  for (const settings of others) {
    const {alpha, ranks} = settings;
    const method = nameOf(settings);
    // Several of its own or a variant's are meant to be compared.
    if (settings.alphas || first!.alphas || settings.name !== undefined || first!.name !== undefined) continue;
    const rank = ranks.find(own => first!.ranks.includes(own));
    if (rank === undefined || Math.abs(givenAlpha(settings, rank) / givenAlpha(first!, rank) - 1) < 1e-9) continue;
    const message = `${method} has alpha ${alpha.text} and ${first!.method} ${first!.alpha.text}: alpha scales the update as the learning rate does, so the two are not compared alike. Give both the same.`;
    problems.at(
      problems.firstOf(['methods', method, 'alpha'], ['alpha'], ['methods']),
      'fairness/unequal-alpha',
      message,
      [],
      'warning',
    );
  }
}

function scalarIn(node: Node, key: string) {
  const value = node.kind === 'mapping' ? node.entries.find(entry => entry.key === key)?.value : undefined;
  return value?.kind === 'scalar' ? value : undefined;
}

/** A grid as it stands in the file; per_decade has its default where it is left out. */
export function gridIn(node: Node): Grid | undefined {
  if (node.kind !== 'mapping') return undefined;
  const number = (mapping: MappingNode, key: string) => Number(scalarIn(mapping, key)?.value);
  const [from, to] = [number(node, 'from'), number(node, 'to')];
  const written = scalarIn(node, 'per_decade');
  const per_decade = written ? Number(written.value) : 4;
  return from > 0 && to > 0 && per_decade > 0 ? {from, to, per_decade} : undefined;
}
