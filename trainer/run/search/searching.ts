/**
 * The search of a run: whenever something has ended, every cell is asked what it wants by then; that is told and trained. All it
 * goes by are the stored events, so that a run which was killed asks for what it would have asked for.
 */
import {grouped} from '../../../core/grouped.ts';
import type {Searched} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {furtherTrials} from '../../../core/run/trials/known-trials.ts';
import {cellsOf} from '../../../core/search/cells.ts';
import {
  type Challenge,
  type ChallengeSettings,
  challenge,
  type MoreSeeds,
  trialsFor,
  withTrials,
} from '../../../core/search/challenge.ts';
import {decide} from '../../../core/search/decide.ts';
import {factsOf} from '../../../core/search/facts.ts';
import {rulesOf, type SearchRules} from '../../../core/search/rules.ts';
import type {Cell, Decision, TrialFacts, Wanted} from '../../../core/search/search.ts';
import {noRank, type Trial} from '../../../core/sweep/sweep.ts';
import {packsOf} from '../packs.ts';
import type {UnderWay} from '../under-way.ts';
import type {Agenda, Portion} from './agenda.ts';

/** What a run searches. */
export interface Search {
  rules: SearchRules;
  cells: Cell[];
  /** Trials of earlier starts beside those of the file, which belong to these cells: further seeds at a rate. */
  further: Trial[];
  /** It has all cells of the sweep, so that they can be compared. */
  isWhole: boolean;
}

/** What a search goes by. */
export interface SearchContext extends Pick<UnderWay, 'prepared' | 'trials' | 'emit'> {
  store: Pick<UnderWay['store'], 'earlier' | 'state'>;
  options: Pick<UnderWay['options'], 'only' | 'probeOnly' | 'part'>;
}

/** Null for a sweep whose trials are all trained whole. `all`: the trials of the sweep file. */
export function searchOf({prepared, trials, store, options}: SearchContext, all: readonly Trial[]): Search | null {
  const {sweep} = prepared;
  const rules = rulesOf(sweep);
  if (!rules || options.probeOnly) return null;
  const steps = Object.fromEntries(all.map(({batchSize}) => [batchSize, prepared.steps(batchSize)]));
  const asked = new Set(trials.map(({id}) => id));
  const isAsked = (cell: Cell) => cell.trials.flat().some(({id}) => asked.has(id));
  const cells = cellsOf(all, steps, sweep.training).filter(isAsked);
  if (options.only.length > 0 || options.part?.isSelected)
    return {rules: {...rules, selected: asked}, cells, further: [], isWhole: false};
  return {rules, cells, further: furtherTrials(all, store.earlier), isWhole: options.part?.isWhole ?? true};
}

/** @param steps that each trial has behind it, kept up as trials pause; @param side trials of a pack, at most */
export function agendaOf(
  run: Omit<SearchContext, 'trials'>,
  search: Search,
  steps: ReadonlyMap<string, number>,
  side: number,
): Agenda {
  return new Searching(run, search, {stepOf: ({id}) => steps.get(id) ?? 0, side});
}

interface Packing {
  stepOf(trial: Trial): number;
  side: number;
}

class Searching implements Agenda {
  readonly #run: Omit<SearchContext, 'trials'>;
  readonly #rules: SearchRules;
  readonly #isWhole: boolean;
  readonly #cells: readonly Cell[];
  readonly #packing: Packing;
  /** Trials beside those of the file. */
  readonly #further: Trial[];
  /** What was queued, `trial until`: nothing is asked for twice. */
  readonly #queued = new Set<string>();

  constructor(run: Omit<SearchContext, 'trials'>, {rules, cells, further, isWhole}: Search, packing: Packing) {
    this.#run = run;
    this.#isWhole = isWhole;
    this.#rules = rules;
    this.#cells = cells;
    this.#further = [...further];
    this.#packing = packing;
  }

  next(): Portion[] {
    const state = this.#run.store.state();
    const decisions = this.#cells.map(cell => decide(cell, factsOf(cell, state, this.#rules), this.#rules));
    for (const decision of decisions) this.#tell(decision, state);
    const wanted = decisions.flatMap(decision => decision.wanted);
    return this.#portions([...wanted, ...(this.#isWhole ? this.#challenges(decisions) : [])]);
  }

  /** A decision that brings nothing new is not told again, by a resumed run either. */
  #tell({wanted, ...decision}: Decision, {searched}: RunState): void {
    const until = wanted[0]?.until ?? this.#cells.find(({id}) => id === decision.cell)!.steps;
    const event = {event: 'searched' as const, ...decision, trials: wanted.map(({trial}) => trial), until};
    if (
      isNews(
        searched.find(({cell}) => cell === decision.cell),
        event,
      )
    )
      this.#run.emit(event);
  }

  /** What the words on methods need before they may stand. */
  #challenges(decisions: readonly Decision[]): Wanted[] {
    const settings = this.#verdict();
    return comparisonsOf(this.#cells).flatMap(cells => {
      const own = decisions.filter(({cell}) => cells.some(({id}) => id === cell));
      const ask = () => challenge(withTrials(cells, this.#further), own, this.#facts(cells), settings);
      const first = ask();
      this.#tellChallenge(first);
      // What was added is wanted only now.
      return this.#add(first.seeds, cells) ? [...first.wanted, ...ask().wanted] : first.wanted;
    });
  }

  #verdict(): ChallengeSettings {
    const {margin, objective} = this.#rules;
    const methods = this.#run.prepared.sweep.methods.map(({method}) => method);
    const baseline = methods.find(method => method === 'lora') ?? methods[0]!;
    return {margin, baseline, ...this.#run.prepared.sweep.verdict, metric: objective.metrics[0]!};
  }

  #facts(cells: readonly Cell[]): Map<string, TrialFacts> {
    const state = this.#run.store.state();
    return new Map(withTrials(cells, this.#further).flatMap(cell => [...factsOf(cell, state, this.#rules)]));
  }

  /** Rates that were told before, by an earlier start or of trials that still wait, are not told again. */
  #tellChallenge({challenged}: Challenge): void {
    const before = this.#run.store.state().challenged;
    for (const {rates, ...one} of challenged) {
      const told = before.filter(({cell, by}) => cell === one.cell && by === one.by).flatMap(other => other.rates);
      const fresh = rates.filter(rate => !told.includes(rate));
      if (fresh.length > 0) this.#run.emit({event: 'challenged', ...one, rates: fresh});
    }
  }

  /** Whether there are trials now that were not there before. */
  #add(seeds: readonly MoreSeeds[], cells: readonly Cell[]): boolean {
    const known = new Set(withTrials(cells, this.#further).flatMap(({trials}) => trials.flat().map(({id}) => id)));
    const wishes = seeds.map(wish => {
      const cell = cells.find(({id}) => id === wish.cell)!;
      return {why: wish.why, trials: trialsFor(cell, wish).filter(({id}) => !known.has(id))};
    });
    const trials = wishes.flatMap(wish => wish.trials);
    if (trials.length === 0) return false;
    this.#further.push(...trials);
    this.#run.emit({event: 'trials-added', trials});
    for (const why of new Set(wishes.flatMap(wish => (wish.trials.length > 0 ? [wish.why] : []))))
      this.#run.emit({event: 'note', message: why});
    return true;
  }

  /** What was not queued before, in packs of trials that go equally far from the same step. */
  #portions(wanted: readonly Wanted[]): Portion[] {
    const {steps} = this.#run.prepared;
    const {stepOf, side} = this.#packing;
    const trials = new Map(
      [...this.#cells.flatMap(cell => cell.trials.flat()), ...this.#further].map(one => [one.id, one]),
    );
    const fresh = wanted.flatMap(({trial: id, until}) => {
      const trial = trials.get(id);
      if (!trial || this.#queued.has(`${id} ${until}`)) return [];
      this.#queued.add(`${id} ${until}`);
      return [{trial, until}];
    });
    return [...grouped(fresh, ({until}) => until)].flatMap(([until, own]) =>
      packsOf(
        own.map(({trial}) => trial),
        side,
        stepOf,
      ).map(pack => ({
        trials: pack,
        ...(until < steps(pack[0]!.batchSize) ? {until} : {}),
      })),
    );
  }
}

function isNews(last: Omit<Searched, 'event'> | undefined, now: Omit<Searched, 'event'>): boolean {
  if (last === undefined || last.stage !== now.stage) return true;
  if (last.place !== now.place || last.chosen !== now.chosen) return true;
  return now.trials.some(trial => last.until !== now.until || !last.trials.includes(trial));
}

/** Cells that are compared with each other, a method each. One without a rank stands beside those of every rank. */
function comparisonsOf(cells: readonly Cell[]): Cell[][] {
  const groups = new Map<string, Cell[]>();
  const first = ({trials}: Cell) => trials[0]![0]!;
  const ranks = new Set(cells.map(cell => first(cell).rank).filter(rank => rank !== noRank));
  for (const cell of cells) {
    const {rank, batchSize} = first(cell);
    for (const group of rank === noRank && ranks.size > 0 ? ranks : [rank]) {
      const key = `${group} ${batchSize}`;
      groups.set(key, [...(groups.get(key) ?? []), cell]);
    }
  }
  return [...groups.values()];
}
