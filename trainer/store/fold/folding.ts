/** A fold of many events, some at a time: one by one would copy every curve for each point. */
import type {RunEvent} from '../../../core/run/events.ts';
import {foldAll, type RunState} from '../../../core/run/fold.ts';

const atOnce = 1000;

export class Folding {
  #state: RunState;
  #waiting: RunEvent[] = [];

  constructor(state: RunState) {
    this.#state = state;
  }

  add(event: RunEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length >= atOnce) this.#fold();
  }

  /** What all events so far come to. */
  state(): RunState {
    this.#fold();
    return this.#state;
  }

  #fold(): void {
    if (this.#waiting.length === 0) return;
    this.#state = foldAll(this.#state, this.#waiting);
    this.#waiting = [];
  }
}
