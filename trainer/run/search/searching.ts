/** The search of a run: whenever something has ended, every cell is asked what it wants by then; that is told and trained. */
import type {Searched} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {overlaid} from '../../../core/run/tasks/join.ts';
import {decideAll} from '../../../core/search/decide-all.ts';
import type {SearchRules} from '../../../core/search/rules.ts';
import type {Cell, Decision} from '../../../core/search/search.ts';
import type {Agenda, Portion} from './agenda.ts';
import type {Comparing, SearchContext} from './comparing.ts';

export class Searching implements Agenda {
  readonly #run: Pick<SearchContext, 'store' | 'emit' | 'options'>;
  readonly #rules: SearchRules;
  readonly #cells: readonly Cell[];
  readonly #comparing: Comparing;

  constructor(
    run: Pick<SearchContext, 'store' | 'emit' | 'options'>,
    {rules, cells}: {rules: SearchRules; cells: readonly Cell[]},
    comparing: Comparing,
  ) {
    this.#run = run;
    this.#rules = rules;
    this.#cells = cells;
    this.#comparing = comparing;
  }

  next(): Portion[] {
    const state = this.#run.store.state();
    const {beside} = this.#run.options.part ?? {};
    const decisions = decideAll(this.#cells, beside ? overlaid(beside, state) : state, this.#rules);
    for (const decision of decisions) if (this.#isOwn(decision)) this.#tell(decision, state);
    const wanted = decisions.flatMap(decision => decision.wanted);
    return this.#comparing.portions([...wanted, ...this.#comparing.wanted(decisions)]);
  }

  /** Whether this run has trials of the cell; a part of one may have those of some only. */
  #isOwn({cell: id}: Decision): boolean {
    const {places} = this.#run.store.earlier;
    const {beside} = this.#run.options.part ?? {};
    const {trials} = this.#cells.find(cell => cell.id === id)!;
    return !beside || trials.flat().some(trial => places[trial.id] !== undefined);
  }

  /** A decision that brings nothing new is not told again, by a resumed run either. */
  #tell({wanted, ...decision}: Decision, {searched}: RunState): void {
    const until = wanted[0]?.until ?? this.#cells.find(({id}) => id === decision.cell)!.steps;
    const last = searched.find(({cell}) => cell === decision.cell);
    // A cell that waits for another one has decided nothing yet.
    if (!last && decision.stage === 'scan' && wanted.length === 0) return;
    const event = {event: 'searched' as const, ...decision, trials: wanted.map(({trial}) => trial), until};
    if (isNews(last, event)) this.#run.emit(event);
  }
}

function isNews(last: Omit<Searched, 'event'> | undefined, now: Omit<Searched, 'event'>): boolean {
  if (last === undefined || last.stage !== now.stage) return true;
  if (last.place !== now.place || last.chosen !== now.chosen || last.left !== now.left) return true;
  return now.trials.some(trial => last.until !== now.until || !last.trials.includes(trial));
}
