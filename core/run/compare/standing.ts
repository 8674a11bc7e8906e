/** Where the trials of a run stand in what is compared: the same as long as it has the same trials. */
import type {StoredTrial} from '../../sweep/sweep.ts';
import type {RunState, TrialView} from '../fold.ts';
import {type Axes, axesIn, belongs, type Conditions, conditionsOf} from './conditions.ts';

type Run = Pick<RunState, 'trials' | 'aggregates' | 'tune' | 'fixed'>;

export class Standing {
  readonly axes: Axes;
  readonly #run: Run;
  readonly #conditions = new Map<StoredTrial, {conditions: Conditions; key: string}>();
  readonly #places = new Map<string, number[]>();

  constructor(run: Run) {
    this.#run = run;
    this.axes = axesIn(run);
  }

  /** Whether it is that of this run as well. */
  holdsFor({trials, aggregates, tune, fixed}: Run): boolean {
    const known = this.#run;
    if (known.aggregates !== aggregates || known.tune !== tune || known.fixed !== fixed) return false;
    return known.trials.length === trials.length && trials.every(({trial}, k) => trial === known.trials[k]!.trial);
  }

  /** What a trial names, and the same as a text. */
  conditionsOf(trial: StoredTrial): {conditions: Conditions; key: string} {
    const known = this.#conditions.get(trial);
    if (known) return known;
    const conditions = conditionsOf(trial, this.axes);
    const found = {conditions, key: JSON.stringify(conditions)};
    this.#conditions.set(trial, found);
    return found;
  }

  /** The trials of a run that stand under some conditions. */
  under(conditions: Conditions, {trials}: Run): TrialView[] {
    const {model, rank, batchSize, settings} = conditions;
    const key = JSON.stringify([model, rank, batchSize, settings]);
    let places = this.#places.get(key);
    if (!places) {
      places = trials.flatMap(({trial}, place) => (belongs(trial, conditions, this.axes) ? [place] : []));
      this.#places.set(key, places);
    }
    return places.map(place => trials[place]!);
  }
}
