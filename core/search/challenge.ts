/**
 * What is still to be trained before words on methods may stand: the loser's neighbouring rates, and further seeds.
 * The only part of a search that looks across cells.
 */
import type {Challenged} from '../run/events.ts';
import type {Cell, Decision, TrialFacts, VerdictSettings, Wanted} from './search.ts';

export interface ChallengeSettings extends VerdictSettings {
  /** The objective's metric, e.g. `accuracy` or `loss`: it says which way is better. */
  metric: string;
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
  /** What is behind it, once for each time: trials that run already are not named again. */
  challenged: Omit<Challenged, 'event'>[];
  /** Trials to be added (`trials-added`); they belong behind the others in `cell.trials[rate]`. */
  seeds: MoreSeeds[];
}

/**
 * Pure: the same facts give the same answer. Nothing is asked for while a cell still searches (`decisions` without `done`);
 * without decisions, as in a grid, every cell counts as done. All three lists empty and nothing running: the words stand.
 *
 * `cells` are those of one comparison, a method each; `cell.trials[rate]` may hold further trials behind those of `cell.seeds`.
 */
export function challenge(
  _cells: readonly Cell[],
  _decisions: readonly Decision[],
  _facts: ReadonlyMap<string, TrialFacts>,
  _settings: ChallengeSettings,
): Challenge {
  return {wanted: [], challenged: [], seeds: []};
}
