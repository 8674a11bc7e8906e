/**
 * The cells of one group: one method under one condition, at several values of further tuned axes. Each is scanned and walked with the first
 * seed; one that learns far less in its scan is left there, and only the best one gets the further seeds.
 */

import {settingsInWords} from '../run/compare/conditions.ts';
import {formatLoss, formatRate, formatValue} from '../run/format.ts';
import {isBetter, isOutdone, meanOf, mostRounds, seedsAt} from './confirm.ts';
import {decide} from './decide.ts';
import {type Ending, type Known, known as knownOf, marginOf} from './known.ts';
import type {SearchRules} from './rules.ts';
import type {Cell, Decision, TrialFacts} from './search.ts';
import {whyWhole} from './whole.ts';

/** A cell whose scan has learnt less than the best one's by more than this part of all that was learnt is left. */
const leftShare = 0.25;

/** Settings that move the training loss of a few steps for other reasons than how well a training will end. */
const misleading: readonly string[] = [
  'data.max_length',
  'data.template',
  'training.schedule',
  'training.warmup_ratio',
  'training.warmup_steps',
  'training.dropout',
];

export interface Member {
  cell: Cell;
  facts: ReadonlyMap<string, TrialFacts>;
  /** Its decision while it waits for a cell of another group. */
  waits?: Decision;
}

/** The decisions of a group, in the order of its members. Pure, as `decide` is, and the same in whatever order the facts arrived. */
export function decideTogether(members: readonly Member[], rules: SearchRules): Decision[] {
  const alone = (member: Member): Decision => member.waits ?? decide(member.cell, member.facts, rules);
  const {selected, ...all} = rules;
  const isAsked = ({cell}: Member) => cell.trials.flat().every(({id}) => selected?.has(id) ?? true);
  const places = members.map(member => placeOf(member, all));
  // Where a cell is trained as in a grid, nothing is to be saved by what its siblings know of it.
  if (members.length === 1 || !members.every(isAsked) || places.some(({known}) => isWhole(known)))
    return members.map(alone);
  if (places.some(({first}) => first.stage === 'scan'))
    return places.map(({first}) => (first.stage === 'scan' ? first : waiting(first)));
  const rivals = places.map(one => betterScan(one, places));
  const going = places.filter((_, k) => rivals[k] === null);
  const decisions = new Map(decideGoing(going));
  return places.map((one, k) => decisions.get(one) ?? leftAfterScan(one, rivals[k]!));
}

interface Place {
  member: Member;
  known: Known;
  /** What its first seed alone decides. */
  first: Decision;
}

function placeOf({cell, facts, waits}: Member, rules: SearchRules): Place {
  const one = {...cell, seeds: cell.seeds.slice(0, 1), trials: cell.trials.map(row => row.slice(0, 1))};
  return {member: {cell, facts}, known: knownOf(cell, facts, rules), first: waits ?? decide(one, facts, rules)};
}

const isWhole = ({cell, scanSteps}: Known): boolean => whyWhole(cell, scanSteps) !== null;

function waiting(first: Decision): Decision {
  const why = 'Its scan is done: it waits for those at the other settings that are tuned.';
  return {...first, stage: 'scan', chosen: null, wanted: [], why};
}

/** The sibling beside whose scan this one's has no prospects; null where there is none. */
function betterScan({known}: Place, places: readonly Place[]): Place | null {
  const own = lowest(known);
  // It diverged at every rate, which is said.
  if (own === Number.POSITIVE_INFINITY) return null;
  const comparable = places.filter(other => other.known !== known && isComparable(known, other.known));
  const best = comparable.toSorted((a, b) => lowest(a.known) - lowest(b.known))[0];
  if (!best) return null;
  const other = lowest(best.known);
  const {rules} = known;
  const least = rules.objective.lowerIsBetter ? marginOf(rules, own, other) : 0;
  return own - other > Math.max(least, leftShare * (firstLoss(places) - other)) ? best : null;
}

/** Training losses of as many steps of the same rows say which of two cells learns more. */
function isComparable(a: Known, b: Known): boolean {
  const [own, other] = [a.cell.group!.settings, b.cell.group!.settings];
  const isSame = a.cell.steps === b.cell.steps && a.scanSteps === b.scanSteps && a.cell.seeds[0] === b.cell.seeds[0];
  return isSame && misleading.every(key => own[key] === other[key]);
}

function lowest({cell, scanLoss}: Known): number {
  return Math.min(...cell.rates.map((_, rate) => scanLoss(rate) ?? Number.POSITIVE_INFINITY));
}

/** Training loss of the first step, the highest of all; Infinity where it is not known. */
function firstLoss(places: readonly Place[]): number {
  const all = places.flatMap(({known: {cell, fact}}) => cell.trials.flatMap(([trial]) => fact(trial!).firstLoss ?? []));
  return all.length > 0 ? Math.max(...all) : Number.POSITIVE_INFINITY;
}

function leftAfterScan({first, known}: Place, rival: Place): Decision {
  const [own, other] = [known, rival.known].map(one => formatLoss(lowest(one)));
  const why = `Left after its scan: the lowest training loss of its ${known.scanSteps} steps is ${own}, and ${other} with ${words(rival)}.`;
  return left(first, rival, why);
}

const left = (first: Decision, rival: Place, why: string): Decision => {
  const by = rival.known.cell.id;
  return {...first, stage: 'done', chosen: null, wanted: [], left: by, why};
};

const words = ({known}: Place): string => settingsInWords(known.cell.group!.settings).join(', ');

/** Of those that were not left: the walks of all, then the seeds of the best one, and of another one where that falls behind it. */
function decideGoing(going: readonly Place[]): [Place, Decision][] {
  if (going.some(({first}) => first.stage !== 'done'))
    return going.map(one => [one, one.first.stage === 'done' ? walked(one) : one.first]);
  const ranked = going.filter(({first}) => first.chosen !== null).toSorted((a, b) => bestOf(b).score - bestOf(a).score);
  const [leader, ...others] = ranked;
  if (!leader) return going.map(one => [one, one.first]);
  let [best, decision] = [leader, whole(leader)];
  const told = (also?: Place, its?: Decision): [Place, Decision][] =>
    going.map(one => [one, one === best ? decision : one === also ? its! : beaten(one, best)]);
  for (const [round, other] of others.entries()) {
    if (decision.stage !== 'done' || decision.chosen === null) break;
    const seeds = endingsAt(best, decision.chosen);
    const isDoubtful = round < mostRounds && isOutdone(best.known, seeds, bestOf(other));
    if (!isDoubtful && !didBetter(other, seeds)) continue;
    const further = whole(other);
    if (further.stage !== 'done') {
      const why = `The mean with ${words(best)} is behind what was reached here. ${further.why}`;
      return told(other, {...further, stage: 'again', chosen: null, why});
    }
    if (further.chosen !== null && isBetter(endingsAt(other, further.chosen), seeds))
      [best, decision] = [other, further];
  }
  return told();
}

/** At a rate that got all seeds otherwise, as a challenge asks for. */
function didBetter({known}: Place, seeds: readonly Ending[]): boolean {
  return [...known.cell.rates.keys()].some(rate => {
    const own = seedsAt(known, rate);
    return own !== null && own.length > 1 && isBetter(own, seeds);
  });
}

function walked({first}: Place): Decision {
  const why = 'Its first seed has found a best rate: it waits for those at the other settings that are tuned.';
  return {...first, stage: 'walk', chosen: null, wanted: [], why};
}

function whole({member: {cell, facts}, known: {rules}}: Place): Decision {
  return decide(cell, facts, rules);
}

/** How the first seed ended at the best rate that it found. */
function bestOf({known, first}: Place): Ending {
  return known.ending(known.cell.rates.indexOf(first.chosen!), 0)!;
}

function endingsAt({known}: Place, rate: number): Ending[] {
  return seedsAt(known, known.cell.rates.indexOf(rate))!;
}

function beaten(one: Place, best: Place): Decision {
  const {known, first} = one;
  if (first.chosen === null) return first;
  const seeds = [one, best].map(place => meanAt(place));
  const at = formatRate(first.chosen);
  const [own, other] = seeds.every(mean => mean !== null)
    ? [`${scored(known, seeds[0]!)} on average at ${at}`, scored(known, seeds[1]!)]
    : [`${scored(known, bestOf(one).score)} with its first seed at ${at}`, scored(known, bestOf(best).score)];
  return left(first, best, `Left at ${own}, beside ${other} with ${words(best)}.`);
}

/** Mean over all seeds at the rate that the first one found best; null where there is none. */
function meanAt({known, first}: Place): number | null {
  const seeds = seedsAt(known, known.cell.rates.indexOf(first.chosen!));
  return seeds && seeds.length > 1 ? meanOf(seeds) : null;
}

/** A score as its metric. */
function scored({rules: {objective}}: Known, score: number): string {
  return formatValue(objective.lowerIsBetter ? -score : score, objective.metrics[0]!);
}
