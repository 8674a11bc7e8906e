/** One cell's search for its best learning rate: what it knows, and what it wants next. */

import {isEnded} from '../run/events.ts';
import {count, formatRate, formatValue} from '../run/format.ts';
import type {Trial} from '../sweep/sweep.ts';
import {confirm, seedsAt} from './confirm.ts';
import {type Known, known as knownOf} from './known.ts';
import type {SearchRules} from './rules.ts';
import {scan} from './scan.ts';
import type {Cell, Decision, SearchStage, TrialFacts} from './search.ts';
import {bestWhole, isHopeless, type Walk, walk} from './walk.ts';
import {someInWords, whyWhole} from './whole.ts';

/**
 * What a cell wants after these facts. Pure: the same facts give the same decision, in whatever order they arrived, so that a
 * run that was killed asks for what it would have asked for. `wanted` leaves out what is running and what is done; it names again
 * what waits and what failed, so whoever carries it out asks for each (trial, until) once a start.
 */
export function decide(cell: Cell, facts: ReadonlyMap<string, TrialFacts>, rules: SearchRules): Decision {
  const {selected, ...all} = rules;
  const known = knownOf(cell, facts, all);
  const why = whyWhole(cell, known.scanSteps);
  const asked = cell.trials.flat().filter(({id}) => selected?.has(id) ?? true);
  if (why === null && asked.length === cell.trials.flat().length) return searched(known);
  const open = asked.some(trial => !isEnded(known.fact(trial).state));
  // What an earlier start found stands, also where this one is asked for other trials.
  const {place, chosen} = why === null ? searched(known) : {place: null, chosen: null};
  return decided(known, {stage: open ? 'walk' : 'done', place, chosen, trials: asked, why: why ?? someInWords});
}

function searched(known: Known): Decision {
  const {cell, scanSteps} = known;
  const {missing, place} = scan(known);
  if (missing.length > 0) {
    const trials = missing.map(rate => cell.trials[rate]![0]!);
    const why = `${count(trials.length, 'rate')} of ${cell.rates.length} are still to be trained for ${scanSteps} of ${count(cell.steps, 'step')}${whyThese(cell)}.`;
    return decided(known, {stage: 'scan', place: null, chosen: null, trials, until: scanSteps, why});
  }
  const nothing = {place, chosen: null, trials: []};
  if (place === null) return decided(known, {stage: 'done', ...nothing, why: 'The training diverged at every rate.'});
  const reached = walk(known, place);
  if (reached.missing.length > 0) {
    const trials = reached.missing.map(rate => cell.trials[rate]![0]!);
    const why = reached.stage === 'pair' ? whyPair(known, place, reached) : whyNext(known, reached);
    return decided(known, {stage: reached.stage, place, chosen: null, trials, why});
  }
  const first = bestWhole(known);
  if (first !== null) return confirmed(known, place, first);
  return decided(known, {stage: 'done', ...nothing, why: 'Every whole training diverged: no rate is chosen.'});
}

/** The seeds at the best rate, and what they say. */
function confirmed(known: Known, place: number, first: number): Decision {
  const {cell} = known;
  const {chosen, missing, below, unstable} = confirm(known, first);
  const rate = cell.rates[chosen]!;
  const findings = [...unstable.map(at => whyUnstable(known, at)), ...edgeInWords(cell, chosen)];
  if (missing === null) {
    const why = [`${formatRate(rate)} is the best rate found`, ...findings].join('; ');
    return decided(known, {stage: 'done', place, chosen: rate, trials: [], why: `${why}.`});
  }
  const trials = cell.trials[missing]!.filter((_, seed) => !known.ending(missing, seed) && (!below || seed === 0));
  const wants = `${formatRate(cell.rates[missing]!)} gets all ${count(cell.seeds.length, 'seed')}`;
  if (missing === first) {
    const why = `Its first seed is the best of ${wholeOnes(known)}: ${wants}.`;
    return decided(known, {stage: 'seeds', place, chosen: rate, trials, why});
  }
  if (below) {
    const why = `${formatRate(rate)}: ${findings.join('; ')}; seeds scatter where rates are too high: ${formatRate(cell.rates[missing]!)} is tried.`;
    return decided(known, {stage: 'again', place, chosen: rate, trials, why});
  }
  const doubts = unstable.length > 0 ? findings.join('; ') : 'its mean fell below what one seed reached beside it';
  return decided(known, {
    stage: 'again',
    place,
    chosen: rate,
    trials,
    why: `${formatRate(rate)}: ${doubts}; ${wants}.`,
  });
}

function whyThese({expected}: Cell): string {
  return expected === undefined ? '' : `: the curvature predicts about ${formatRate(expected)}`;
}

interface Wish {
  stage: SearchStage;
  place: number | null;
  chosen: number | null;
  trials: readonly Trial[];
  /** Absent: to the end. */
  until?: number;
  why: string;
}

/** Trials under way, and those that only wait to be measured, are not wanted again. */
function decided({cell, fact}: Known, {stage, place, chosen, trials, until = cell.steps, why}: Wish): Decision {
  const wanted = trials.filter(trial => fact(trial).state !== 'running' && !isEnded(fact(trial).state));
  const failed = wanted.filter(trial => fact(trial).state === 'failed').map(({id}) => id);
  const waits =
    failed.length === 0 ? '' : ` ${failed.join(', ')} failed and is waited for: a new start trains it again.`;
  return {
    cell: cell.id,
    stage,
    place,
    chosen,
    wanted: wanted.map(({id}) => ({trial: id, until})),
    why: `${why}${waits}`,
  };
}

function whyPair({cell, scanSteps}: Known, place: number, {from, to}: Walk): string {
  const [lower, upper] = [from, to].map(rate => formatRate(cell.rates[rate]!));
  return `The training losses of ${scanSteps} steps put the best rate of ${cell.steps} near ${formatRate(place)}: ${lower} and ${upper} go on to the end.`;
}

function whyNext(known: Known, reached: Walk): string {
  const {cell, ending} = known;
  const {from, to, missing} = reached;
  const next = missing[0]!;
  if (isHopeless(known, reached)) {
    const [lowest, highest, ...wanted] = [from, to, ...missing].map(rate => formatRate(cell.rates[rate]!));
    return `Nothing was learnt from ${lowest} to ${highest}: ${wanted.join(' and ')} ${wanted.length > 1 ? 'are' : 'is'} next.`;
  }
  const [edge, inner] = next > to ? [to, to - 1] : [from, from + 1];
  const [outer, before, after] = [edge, inner, next].map(rate => formatRate(cell.rates[rate]!));
  if (ending(edge, 0)?.diverged) return `${outer} diverged as ${before} did: ${after} is next.`;
  return `${outer} ended better than ${before}: ${after} is next.`;
}

function whyUnstable(known: Known, rate: number): string {
  const {objective} = known.rules;
  const values = seedsAt(known, rate)!.map(({diverged, score}) =>
    diverged ? 'diverged' : formatValue(objective.lowerIsBetter ? -score : score, objective.metrics[0]!),
  );
  return `unstable at ${formatRate(known.cell.rates[rate]!)} (${values.join(', ')})`;
}

function edgeInWords({rates}: Cell, rate: number): string[] {
  if (rate === 0) return ['it is the lowest of the rates, so that a better one may lie below'];
  return rate === rates.length - 1 ? ['it is the highest of the rates, so that a better one may lie above'] : [];
}

function wholeOnes({cell, ending}: Known): string {
  return count(cell.rates.filter((_, rate) => ending(rate, 0)).length, 'whole trial');
}
