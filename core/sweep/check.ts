/** Everything that is wrong with a sweep: its text, and what was found around it. The command and the editor show this. */
import {offerInWords} from '../hub/models.ts';
import {formatRate} from '../run/format.ts';
import {extendTo, gridIn} from './fairness.ts';
import type {Fault, Inspection, Results} from './inspection.ts';
import type {Problem} from './problem.ts';
import {type Place, replacement} from './problems.ts';
import type {SweepReading} from './read.ts';
import {find} from './text/locate.ts';

/** The problems of a reading together with those of its surroundings, in the order of the text. */
export function allProblems({problems, tree}: SweepReading, around: Inspection | undefined): Problem[] {
  if (around === undefined) return problems;
  const found = [
    ...around.faults.map(fault => problemOf(tree, fault)),
    ...(around.results ? edgePeaks(tree, around.results) : []),
  ];
  return [...problems, ...found].sort(
    ({range: {start: a}}, {range: {start: b}}) => a.line - b.line || a.character - b.character,
  );
}

function problemOf(tree: SweepReading['tree'], fault: Fault): Problem {
  const {code, message, path, severity = 'error', instead, fetch} = fault;
  const {place, exact} = nearestPlace(tree, writtenPath(tree, path));
  const fixes = [
    ...(instead !== undefined && exact ? [replacement(place.range, instead)] : []),
    ...(fetch === undefined ? [] : [{title: `Fetch ${offerInWords(fetch)}`, edits: [], fetch}]),
  ];
  return {code, severity, message, path, range: place.range, fixes};
}

/** The path without the number of a lone mapping, which stands for a list of one. */
function writtenPath(tree: SweepReading['tree'], path: (string | number)[]): (string | number)[] {
  const inLone = (index: number) => find(tree, path.slice(0, index))?.node.kind === 'mapping';
  return path.filter((key, index) => key !== 0 || !inLone(index));
}

/** Where a path stands, or as much of it as stands in the file. */
function nearestPlace(tree: SweepReading['tree'], path: (string | number)[]): {place: Place; exact: boolean} {
  for (let length = path.length; length > 0; length--) {
    const found = find(tree, path.slice(0, length));
    // A lone value stands for a list of one.
    const whole = length === path.length || (length === path.length - 1 && path.at(-1) === 0);
    if (found) return {place: {path, range: found.node.range}, exact: whole && found.node.kind === 'scalar'};
  }
  const start = {line: 0, character: 0};
  return {place: {path, range: {start, end: start}}, exact: false};
}

/** A best rate at the end of the grid may have a better one beyond it. */
function edgePeaks(tree: SweepReading['tree'], {peaks}: Results): Problem[] {
  const problems = new Map<string, Problem>();
  for (const {method, edge, learningRate, tied, task, rank, batchSize} of peaks) {
    if (edge === null || tied.length > 0) continue;
    const own = ['methods', method, 'learning_rate'];
    const path = find(tree, own) ? own : ['learning_rate'];
    const node = find(tree, path)?.node;
    const key = `${method} ${edge}`;
    if (!node || problems.has(key) || !isEndOf(node, learningRate, edge)) continue;
    const beyond = edge === 'lowest' ? learningRate / 10 ** 0.5 : learningRate * 10 ** 0.5;
    const message = `In the results ${method} is best at ${formatRate(learningRate)}, the ${edge} rate tried (${task}, rank ${rank}, batch size ${batchSize}): a better one may lie ${edge === 'lowest' ? 'below' : 'above'}. Extend the grid and resume.`;
    const fixes = extendTo(node, beyond);
    problems.set(key, {code: 'fairness/edge-peak', severity: 'warning', message, path, range: node.range, fixes});
  }
  return [...problems.values()];
}

/** Whether a rate is still the end of the grid in the text, which may have been extended since. */
function isEndOf(
  node: NonNullable<ReturnType<typeof find>>['node'],
  rate: number,
  edge: 'lowest' | 'highest',
): boolean {
  const grid = gridIn(node);
  if (!grid) return true;
  const step = 10 ** (0.5 / grid.per_decade);
  return edge === 'lowest' ? rate < grid.from * step : rate * step > grid.to;
}
