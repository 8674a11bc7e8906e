/**
 * What is still to be trained before words on methods may stand: the loser's neighbouring rates, and further seeds.
 * The only part of a search that looks across cells.
 */
import type {Challenged} from '../../run/events.ts';
import {formatRate} from '../../run/format.ts';
import {seedsCanTell} from '../../run/verdict/needs.ts';
import {confidenceOf, type Judging, judge} from '../../run/verdict/words.ts';
import type {Trial} from '../../sweep/sweep.ts';
import {cellOf} from '../cells.ts';
import type {Cell, Decision, TrialFacts, Wanted} from '../search.ts';
import type {VerdictSettings} from '../settings.ts';
import {isDone, type Standing, seedsAt, standingsOf} from './standing.ts';

export interface ChallengeSettings extends VerdictSettings {
  /** The objective's metric, e.g. `accuracy` or `loss`: it says which way is better. */
  metric: string;
  /** Times that somebody asked for further seeds: each is one more look. */
  asked?: number;
}

/** Seeds that a cell is to have at a rate beside those it has trials for. */
export interface MoreSeeds {
  cell: string;
  rate: number;
  /** New numbers, the same ones for all cells of a comparison. */
  seeds: number[];
  /** One sentence: why. */
  why: string;
}

export interface Challenge {
  /** Trials there are that are to be trained whole. */
  wanted: Wanted[];
  /** What is behind it: trials that run already, or have failed, are not named again. */
  challenged: Omit<Challenged, 'event'>[];
  /** Trials to be added (`trials-added`, `trialsFor`); they belong behind the others in `cell.trials[rate]` (`withTrials`). */
  seeds: MoreSeeds[];
}

/** Behind by more than this many margins, a loser is tried at two further rates below: its scan may have lain too high. */
const farBehind = 5;

/**
 * Pure: the same facts give the same answer. Nothing is asked for while a cell still searches (`decisions` without `done`);
 * without decisions, as in a grid, every cell counts as done. All three lists empty and nothing running: the words stand.
 *
 * Before a method is called better or worse, the loser, either side, is trained with the same seeds at the rates beside its best one, and goes on
 * from there with its best mean. Where there is no word, it and the baseline get the seeds of the next look at their best rates.
 *
 * `cells` are those of one comparison, a method (of several tuned axes, its group) each; `cell.trials[rate]` may hold further trials behind those of `cell.seeds`.
 */
export function challenge(
  cells: readonly Cell[],
  decisions: readonly Decision[],
  facts: ReadonlyMap<string, TrialFacts>,
  settings: ChallengeSettings,
): Challenge {
  const nothing: Challenge = {wanted: [], challenged: [], seeds: []};
  const own = decisions.filter(decision => cells.some(({id}) => id === decision.cell));
  if (own.some(({stage}) => stage !== 'done')) return nothing;
  const standings = standingsOf(cells, facts, settings.metric);
  const judging = judgingOf(settings, own.length > 0);
  const judgement = judge(standings, settings.metric, judging);
  if (!judgement) return nothing;
  const find = (method: string): Standing => standings.find(one => one.method === method)!;
  const baseline = find(judgement.baseline.method);
  const duels = judgement.gaps.flatMap(({method, word, difference}) => {
    if (word !== 'better' && word !== 'worse') return [];
    const [loser, winner] = word === 'better' ? [baseline, find(method)] : [find(method), baseline];
    return [{loser, winner, isFar: Math.abs(difference) > farBehind * judgement.margin}];
  });
  const asked = duels.map(duel => askLoser(duel, facts));
  const isOpen = duels.some(({loser}, k) => loser === baseline && !asked[k]!.isSettled);
  // While the baseline may still move to another rate, further seeds at this one may be in vain.
  const open = isOpen ? [] : judgement.gaps.filter(({word}) => word === 'not resolved');
  // Where only further questions could give a word, further seeds cannot.
  const unresolved = open.filter(gap => seedsCanTell(gap, standings, judgement, judging));
  const looking = unresolved.map(({method}) => find(method));
  const more = looking.flatMap(one =>
    [one, baseline].map(cell =>
      askForSeeds({cell, next: nextLook(one, settings), cells, facts, why: 'fewer did not give every word'}),
    ),
  );
  return together([...asked, ...more]);
}

/** How words are formed by these settings. */
export function judgingOf({baseline, margin, looks, asked = 0}: ChallengeSettings, isSearch: boolean): Judging {
  return {baseline, margin, confidence: confidenceOf({looks: (looks?.length ?? 1) + asked, isSearch})};
}

interface Asked extends Challenge {
  /** Everything it asks for is there already. */
  isSettled: boolean;
}

interface Duel {
  loser: Standing;
  winner: Standing;
  isFar: boolean;
}

/** The rates beside the loser's best one, and the best rate of the cell of its group that came closest, with the same seeds. */
function askLoser(duel: Duel, facts: ReadonlyMap<string, TrialFacts>): Asked {
  const {sibling} = duel.loser;
  const beside = askBeside(duel, facts);
  if (!sibling) return beside;
  const elsewhere = askSibling(duel, sibling, facts);
  return {...together([beside, elsewhere]), isSettled: beside.isSettled && elsewhere.isSettled};
}

function askSibling({loser, winner}: Duel, {cell, best}: Standing, facts: ReadonlyMap<string, TrialFacts>): Asked {
  const seeds = seedsOf(loser, facts);
  const why = `${loser.method} seems behind ${winner.method}: its best rate at other settings gets the same seeds.`;
  const {isSettled, wanted, added, rate} = askAt({cell, rate: best, seeds, facts, why});
  const isNew = wanted.length + added.length > 0;
  const told = {cell: cell.id, method: loser.method, by: winner.method, rates: [rate]};
  return {isSettled, wanted, challenged: isNew ? [told] : [], seeds: added};
}

/** Of its best rate, those that are done. */
function seedsOf({cell, best}: Standing, facts: ReadonlyMap<string, TrialFacts>): number[] {
  return cell.trials[best]!.filter(({id}) => isDone(facts.get(id))).map(({seed}) => seed);
}

function askBeside({loser, winner, isFar}: Duel, facts: ReadonlyMap<string, TrialFacts>): Asked {
  const {cell, best, method} = loser;
  const seeds = seedsOf(loser, facts);
  const why = `${method} seems ${isFar ? 'far ' : ''}behind ${winner.method}: its rates beside ${formatRate(cell.rates[best]!)} get the same seeds.`;
  const places = [best - 1, best + 1, ...(isFar ? [best - 2, best - 3] : [])];
  const parts = places.flatMap(rate => {
    const trials = cell.trials[rate];
    // A rate where one seed diverged is passed over whatever the others do.
    if (!trials || trials.some(({id}) => facts.get(id)?.state === 'diverged')) return [];
    return [askAt({cell, rate, seeds, facts, why})];
  });
  const rates = parts.flatMap(({rate, wanted, added}) => (wanted.length + added.length > 0 ? [rate] : []));
  return {
    isSettled: parts.every(part => part.isSettled),
    wanted: parts.flatMap(({wanted}) => wanted),
    challenged:
      rates.length > 0 ? [{cell: cell.id, method, by: winner.method, rates: rates.sort((a, b) => a - b)}] : [],
    seeds: parts.flatMap(({added}) => added),
  };
}

interface At {
  cell: Cell;
  rate: number;
  seeds: readonly number[];
  facts: ReadonlyMap<string, TrialFacts>;
  why: string;
}

/** These seeds at one rate: trials that are there and neither ended nor under way, and those that are not there. */
function askAt({cell, rate, seeds, facts, why}: At) {
  const trials = cell.trials[rate]!;
  const open = trials.filter(({id, seed}) => seeds.includes(seed) && !isDone(facts.get(id)));
  const idle = open.filter(({id}) => !['running', 'failed', 'finished'].includes(facts.get(id)?.state ?? 'waiting'));
  const missing = seeds.filter(seed => !trials.some(trial => trial.seed === seed));
  return {
    rate: cell.rates[rate]!,
    isSettled: open.length + missing.length === 0,
    wanted: idle.map(({id}) => ({trial: id, until: cell.steps})),
    added: missing.length > 0 ? [{cell: cell.id, rate: cell.rates[rate]!, seeds: missing, why}] : [],
  };
}

/** The number of seeds at which words are formed next; undefined after the last one. */
function nextLook({seeds}: Standing, {looks = []}: VerdictSettings): number | undefined {
  return looks.find(look => look > seeds);
}

interface Looking {
  cell: Standing;
  /** Seeds that it is to have; undefined: as many as it has. */
  next: number | undefined;
  /** Of the comparison: their seeds are not taken again. */
  cells: readonly Cell[];
  facts: ReadonlyMap<string, TrialFacts>;
  /** Half a sentence. */
  why: string;
}

/** So many seeds at a cell's best rate. */
export function askForSeeds({cell: {cell, best, method}, next, cells, facts, why: reason}: Looking): Asked {
  const nothing: Asked = {isSettled: true, wanted: [], challenged: [], seeds: []};
  if (next === undefined) return nothing;
  const seeds = seedsAt(cell.trials[best]!, next, cells);
  const why = `${method} gets ${next} seeds at ${formatRate(cell.rates[best]!)}: ${reason}.`;
  const {isSettled, wanted, added} = askAt({cell, rate: best, seeds, facts, why});
  return {...nothing, isSettled, wanted, seeds: added};
}

/** One list of each kind; what is asked for twice, as the baseline's seeds are, stands there once. */
export function together(parts: readonly Challenge[]): Challenge {
  const wanted = new Map(parts.flatMap(part => part.wanted).map(one => [one.trial, one]));
  const challenged = new Map<string, Challenge['challenged'][number]>();
  for (const one of parts.flatMap(part => part.challenged)) {
    const before = challenged.get(one.cell);
    const rates = [...new Set([...(before?.rates ?? []), ...one.rates])].sort((a, b) => a - b);
    challenged.set(one.cell, {...(before ?? one), rates});
  }
  const seeds = new Map<string, MoreSeeds>();
  for (const one of parts.flatMap(part => part.seeds)) {
    const key = `${one.cell} ${one.rate}`;
    const before = seeds.get(key);
    seeds.set(key, before && before.seeds.length >= one.seeds.length ? before : one);
  }
  return {wanted: [...wanted.values()], challenged: [...challenged.values()], seeds: [...seeds.values()]};
}

/** The trials of further seeds: those of the cell's first seed at that rate with another one. */
export function trialsFor(cell: Cell, {rate, seeds}: Pick<MoreSeeds, 'rate' | 'seeds'>): Trial[] {
  const first = cell.trials[cell.rates.indexOf(rate)]![0]!;
  return seeds.map(seed => ({...first, id: first.id.replace(/-s\d+$/, `-s${seed}`), seed}));
}

/** The cells with further trials behind their own, where they belong; those they have already count once. */
export function withTrials(cells: readonly Cell[], added: readonly Trial[]): Cell[] {
  return cells.map(cell => {
    const own = added.filter(trial => cellOf(trial) === cell.id);
    if (own.length === 0) return cell;
    const trials = cell.trials.map((row, rate) => [
      ...row,
      ...own.filter(one => one.learningRate === cell.rates[rate] && !row.some(({id}) => id === one.id)),
    ]);
    return {...cell, trials};
  });
}
