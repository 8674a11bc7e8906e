/**
 * What the words on a run's methods still need beside the trials of its file: the loser's neighbouring rates, and further seeds.
 * All it goes by are the stored events, so that a run which was killed asks for what it would have asked for.
 */
import {grouped} from '../../../core/grouped.ts';
import {isEnded} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {
  type Challenge,
  challenge,
  type MoreSeeds,
  trialsFor,
  withTrials,
} from '../../../core/search/comparing/challenge.ts';
import {challengeSettings, comparisonsOf} from '../../../core/search/comparing/comparisons.ts';
import {factsOf} from '../../../core/search/facts.ts';
import type {ComparisonRules, SearchRules} from '../../../core/search/rules.ts';
import type {Cell, Decision, TrialFacts, Wanted} from '../../../core/search/search.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {packsOf} from '../packs.ts';
import type {UnderWay} from '../under-way.ts';
import type {Stepping} from '../work.ts';
import type {Portion} from './agenda.ts';

/** What a run compares while it trains. */
export interface Compared {
  rules: ComparisonRules & Partial<Pick<SearchRules, 'search' | 'selected'>>;
  cells: Cell[];
  /** Trials beside those of the file, which belong to these cells: further seeds at a rate. */
  further: Trial[];
  /** It has all cells of the sweep, and all of their trials: so that they can be compared. */
  isWhole: boolean;
}

/** What is looked at for that. */
export interface SearchContext extends Pick<UnderWay, 'trials' | 'emit'> {
  prepared: Stepping;
  store: Pick<UnderWay['store'], 'earlier' | 'state'>;
  options: Pick<UnderWay['options'], 'only' | 'probeOnly' | 'evaluateOnly' | 'part'>;
}

/** How trials share a step. */
export interface Packing {
  stepOf(trial: Trial): number;
  /** Trials of a pack, at most. */
  side: number;
}

export class Comparing {
  readonly #run: Omit<SearchContext, 'trials'>;
  readonly #compared: Compared;
  readonly #packing: Packing;
  readonly #further: Trial[];
  /** What was queued, `trial until`: nothing is asked for twice. */
  readonly #queued = new Set<string>();

  constructor(run: Omit<SearchContext, 'trials'>, compared: Compared, packing: Packing) {
    this.#run = run;
    this.#compared = compared;
    this.#packing = packing;
    this.#further = [...compared.further];
  }

  /** What was added and has not ended, and what the words need before they may stand. `decisions`: of a search; none of a grid. */
  wanted(decisions: readonly Decision[]): Wanted[] {
    const {cells, isWhole} = this.#compared;
    // Where some trials are asked for, no more of them are.
    if (!isWhole) return this.#open();
    return [
      ...this.#open(),
      ...comparisonsOf(cells).flatMap(own => {
        const ids = new Set(own.map(({id}) => id));
        return this.#challenged(
          own,
          decisions.filter(({cell}) => ids.has(cell)),
        );
      }),
    ];
  }

  /** What was not queued before, in packs of trials that go equally far from the same step. */
  portions(wanted: readonly Wanted[]): Portion[] {
    const {stepOf, side} = this.#packing;
    const all = [...this.#compared.cells.flatMap(cell => cell.trials.flat()), ...this.#further];
    const trials = new Map(all.map(one => [one.id, one]));
    const fresh = wanted.flatMap(({trial: id, until}) => {
      const trial = trials.get(id);
      if (!trial || this.#isOfOthers(id) || this.#queued.has(`${id} ${until}`)) return [];
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
        ...(until < this.#stepsOf(pack[0]!) ? {until} : {}),
      })),
    );
  }

  /** Of a cell that is shared with other tasks, a trial of theirs. */
  #isOfOthers(id: string): boolean {
    const {beside} = this.#run.options.part ?? {};
    return beside?.places[id] !== undefined && this.#run.store.earlier.places[id] === undefined;
  }

  /** Optimizer steps of a trial. */
  #stepsOf(trial: Trial): number {
    return this.#run.prepared.of(trial).steps(trial.batchSize);
  }

  /** Trials that an earlier start, or somebody, added. */
  #open(): Wanted[] {
    const {trials, places} = this.#run.store.state();
    return this.#further.flatMap(trial => {
      const state = trials[places[trial.id] ?? -1]?.state ?? 'waiting';
      return isEnded(state) || state === 'running' ? [] : [{trial: trial.id, until: this.#stepsOf(trial)}];
    });
  }

  #challenged(cells: readonly Cell[], decisions: readonly Decision[]): Wanted[] {
    const ask = () => {
      const state = this.#run.store.state();
      const settings = {...challengeSettings(this.#run.prepared.sweep, this.#compared.rules), asked: state.asked};
      return challenge(withTrials(cells, this.#further), decisions, this.#facts(cells, state), settings);
    };
    const first = ask();
    this.#tell(first);
    // What was added is wanted only now.
    return this.#add(first.seeds, cells) ? [...first.wanted, ...ask().wanted] : first.wanted;
  }

  #facts(cells: readonly Cell[], state: RunState): Map<string, TrialFacts> {
    return new Map(withTrials(cells, this.#further).flatMap(cell => [...factsOf(cell, state, this.#compared.rules)]));
  }

  /** Rates that were told before, by an earlier start or of trials that still wait, are not told again. */
  #tell({challenged}: Challenge): void {
    const before = this.#run.store.state().challenged;
    for (const {rates, ...one} of challenged) {
      const told = before.filter(({cell, by}) => cell === one.cell && by === one.by).flatMap(other => other.rates);
      const fresh = rates.filter(rate => !told.includes(rate));
      if (fresh.length > 0) this.#run.emit({event: 'challenged', ...one, rates: fresh});
    }
  }

  /** Whether there are trials now that were not there before. */
  #add(seeds: readonly MoreSeeds[], cells: readonly Cell[]): boolean {
    const added = newTrials(withTrials(cells, this.#further), seeds);
    if (added.trials.length === 0) return false;
    this.#further.push(...added.trials);
    this.#run.emit({event: 'trials-added', trials: added.trials});
    for (const message of added.why) this.#run.emit({event: 'note', message});
    return true;
  }
}

/** The trials of these wishes that the cells do not have yet, and why. */
export function newTrials(cells: readonly Cell[], seeds: readonly MoreSeeds[]): {trials: Trial[]; why: string[]} {
  const known = new Set(cells.flatMap(({trials}) => trials.flat().map(({id}) => id)));
  const wishes = seeds.map(wish => {
    const cell = cells.find(({id}) => id === wish.cell)!;
    return {why: wish.why, trials: trialsFor(cell, wish).filter(({id}) => !known.has(id))};
  });
  return {
    trials: wishes.flatMap(wish => wish.trials),
    why: [...new Set(wishes.flatMap(wish => (wish.trials.length > 0 ? [wish.why] : [])))],
  };
}
