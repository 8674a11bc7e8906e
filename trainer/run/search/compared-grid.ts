/** A whole grid, and behind it what the words on its methods need. */
import type {RunState} from '../../../core/run/fold.ts';
import {isDone} from '../../../core/search/comparing/standing.ts';
import {factsOf} from '../../../core/search/facts.ts';
import type {Agenda, Portion} from './agenda.ts';
import type {Compared, Comparing} from './comparing.ts';

export class ComparedGrid implements Agenda {
  readonly #grid: Agenda;
  readonly #compared: Compared;
  readonly #comparing: Comparing;
  readonly #state: () => RunState;

  /** @param grid the trials that are left of the file, and of those that were added */
  constructor(grid: Agenda, compared: Compared, comparing: Comparing, state: () => RunState) {
    this.#grid = grid;
    this.#compared = compared;
    this.#comparing = comparing;
    this.#state = state;
  }

  next(): Portion[] {
    const portions = this.#grid.next();
    return portions.length > 0 || !this.#compared.isWhole || !this.#isDone()
      ? portions
      : this.#comparing.portions(this.#comparing.wanted([]));
  }

  /** No word may rest on a grid with holes: a trial that failed is waited for. */
  #isDone(): boolean {
    const {cells, rules, further} = this.#compared;
    const state = this.#state();
    const isOpen = further.some(
      ({id}) => !['finished', 'diverged'].includes(state.trials[state.places[id] ?? -1]?.state ?? 'waiting'),
    );
    return !isOpen && cells.every(cell => [...factsOf(cell, state, rules).values()].every(isDone));
  }
}
