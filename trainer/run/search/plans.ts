/** What a run compares, what was asked for beside its file, and the agenda made of both. */
import {SweepError} from '../../../core/error.ts';
import {furtherTrials} from '../../../core/run/trials/known-trials.ts';
import {cellOf, cellsOf} from '../../../core/search/cells.ts';
import {withTrials} from '../../../core/search/comparing/challenge.ts';
import {challengeSettings, comparisonsOf} from '../../../core/search/comparing/comparisons.ts';
import {type SeedWish, wished, writeSeedWish} from '../../../core/search/comparing/more-seeds.ts';
import {factsOf} from '../../../core/search/facts.ts';
import {comparisonRules} from '../../../core/search/rules.ts';
import type {Cell} from '../../../core/search/search.ts';
import type {SearchSettings} from '../../../core/search/settings.ts';
import {nameOf, type Sweep, type Trial} from '../../../core/sweep/sweep.ts';
import type {Arrangement} from '../packs.ts';
import type {UnderWay} from '../under-way.ts';
import {stepsByKey} from '../work.ts';
import {type Agenda, wholeTrials} from './agenda.ts';
import {ComparedGrid} from './compared-grid.ts';
import {type Compared, Comparing, newTrials, type SearchContext} from './comparing.ts';
import {Searching} from './searching.ts';

/** Null where trials are trained and nothing is compared on the way. `every`: the trials of the sweep file. */
export function comparedBy(
  {prepared, trials, store, options}: SearchContext,
  every: readonly Trial[],
): Compared | null {
  const {sweep} = prepared;
  const rules = comparisonRules(sweep);
  // Where more than one evaluation decides, nothing is asked for beside the file.
  if (!rules || !isComparable(sweep) || options.probeOnly || options.evaluateOnly) return null;
  const {only, part} = options;
  const isPart = only.length > 0 || part?.isSelected === true;
  if (isPart && !sweep.search) return null;
  const steps = stepsByKey(prepared, every);
  const asked = new Set(trials.map(({id}) => id));
  const all = cellsOf(every, steps, sweep);
  const own = all.filter(cell => cell.trials.flat().some(({id}) => asked.has(id)));
  const groups = new Set(own.flatMap(({group}) => group?.id ?? []));
  const search = sweep.search && searchIn(sweep.search, part !== undefined);
  return {
    rules: {...rules, ...(search && {search}), ...(isPart && {selected: asked})},
    // What is known of a cell's siblings counts, whoever trains them.
    cells: isPart ? own : all.filter(cell => own.includes(cell) || (cell.group && groups.has(cell.group.id))),
    further: furtherTrials(every, store.earlier).filter(({id}) => !isPart || asked.has(id)),
    isWhole: !isPart && (part?.isWhole ?? true),
  };
}

/** Whether one evaluation says what is best. */
const isComparable = ({objective = [], axes}: Sweep): boolean => objective.length < 2 && axes?.data === undefined;

/** A part of a run may not have the cell that the others would wait for: parts scan all of their rates. */
function searchIn({start, ...search}: SearchSettings, isPart: boolean): SearchSettings {
  return start === undefined || isPart ? search : {...search, start};
}

/** @param steps that each trial has behind it, kept up as trials pause */
export function agendaOf(
  run: Omit<SearchContext, 'trials'>,
  compared: Compared | null,
  steps: ReadonlyMap<string, number>,
  {packs, side}: Pick<Arrangement, 'packs' | 'side'>,
): Agenda {
  if (!compared) return wholeTrials(packs);
  const comparing = new Comparing(run, compared, {stepOf: ({id}) => steps.get(id) ?? 0, side});
  const {rules, cells} = compared;
  if (rules.search) return new Searching(run, {rules: {...rules, search: rules.search}, cells}, comparing);
  return new ComparedGrid(wholeTrials(packs), compared, comparing, () => run.store.state());
}

/**
 * The trials of further seeds that were asked for (`--more-seeds`), and why, one sentence each.
 * @throws SweepError `not-finished` for a run that is not at its end, `usage` for a wish that means nothing
 */
export function askedTrials(
  {prepared: {sweep}, store: {earlier}, options}: Pick<UnderWay, 'prepared' | 'store' | 'options'>,
  compared: Compared | null,
): {trials: Trial[]; why: string[]} {
  const {moreSeeds = []} = options;
  if (moreSeeds.length === 0) return {trials: [], why: []};
  if (!compared) throw new SweepError('usage', whyNotCompared(sweep));
  const {cells, rules, further} = compared;
  const isEnded = ({id}: Trial) =>
    ['finished', 'diverged'].includes(earlier.trials[earlier.places[id] ?? -1]?.state ?? '');
  const own = rules.search ? further : [...cells.flatMap(cell => cell.trials.flat()), ...further];
  // Whoever opened several tasks has looked before: by now they are under way.
  const isAtEnd = options.part !== undefined || earlier.state === 'finished';
  if (!isAtEnd || !own.every(isEnded))
    throw new SweepError(
      'not-finished',
      'More seeds are for a run that is finished, and this one is not: go on with `run FILE --resume`, then ask for them.',
    );
  const settings = {...challengeSettings(sweep, rules), asked: earlier.asked, isSearch: rules.search !== undefined};
  const wholes = comparisonsOf(withTrials(cells, further)).map(own => ({
    cells: own,
    facts: new Map(own.flatMap(cell => [...factsOf(cell, earlier, rules)])),
  }));
  const added = moreSeeds.map(wish => {
    const seeds = wholes.flatMap(({cells: those, facts}) => wished(those, facts, settings, wish));
    const found = newTrials(
      wholes.flatMap(whole => whole.cells),
      seeds,
    );
    if (found.trials.length === 0) throw new SweepError('usage', whyNone(wish, cells));
    return found;
  });
  const trials = new Map(added.flatMap(one => one.trials).map(trial => [trial.id, trial]));
  return {trials: [...trials.values()], why: [...new Set(added.flatMap(one => one.why))]};
}

function whyNotCompared(sweep: Sweep): string {
  if (!comparisonRules(sweep) || isComparable(sweep))
    return "--more-seeds needs an evaluation to compare by: add one under 'evaluate'.";
  const why = sweep.axes?.data
    ? 'this sweep has several data sets with evaluations of their own'
    : 'this sweep goes by the mean of several';
  return `--more-seeds is for sweeps that go by one evaluation, and ${why}: write more 'seeds' into the file and resume.`;
}

function whyNone(wish: SeedWish, cells: readonly Cell[]): string {
  const names = [...new Set(cells.map(({trials}) => nameOf(trials[0]![0]!)))];
  if (wish.method === undefined)
    return `--more-seeds ${writeSeedWish(wish)}: no method waits for a word; name one, like --more-seeds ${names[0]}=${wish.seeds}.`;
  return `--more-seeds ${writeSeedWish(wish)}: there is no best rate of ${wish.method}; the sweep has ${names.join(', ')}.`;
}

/** So many seeds at one rate, at most, that a start may come to train: their rows are to find room in the shapes of its steps. */
export function mostSeeds(
  {moreSeeds = []}: UnderWay['options'],
  earlier: UnderWay['store']['earlier'] | undefined,
): number {
  const rates = new Map<string, number>();
  for (const {trial} of earlier?.trials ?? []) {
    const key = `${cellOf(trial)} ${trial.learningRate}`;
    rates.set(key, (rates.get(key) ?? 0) + 1);
  }
  const asked = Math.max(0, ...moreSeeds.map(({seeds}) => seeds));
  return (earlier?.added.length ?? 0) + asked === 0 ? 0 : Math.max(0, ...rates.values()) + asked;
}
