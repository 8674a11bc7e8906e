/** Whether a run has anything left to train, as its sweep file is now. */
import {isEnded} from '../../run/events.ts';
import type {RunState} from '../../run/fold.ts';
import {furtherTrials} from '../../run/trials/known-trials.ts';
import {stepsKey} from '../../sweep/axes/axes.ts';
import type {Sweep, Trial} from '../../sweep/sweep.ts';
import {cellsOf} from '../cells.ts';
import {decideAll} from '../decide-all.ts';
import {factsOf} from '../facts.ts';
import {comparisonRules} from '../rules.ts';
import {challenge, withTrials} from './challenge.ts';
import {challengeSettings, comparisonsOf} from './comparisons.ts';

/**
 * True where a new start would find nothing to do: every trial of a grid has ended, a search has chosen, and no word needs more.
 * `trials`: those of the file under the ids of the run.
 */
export function isSettled(
  sweep: Pick<Sweep, 'methods' | 'search' | 'verdict' | 'evaluate' | 'training' | 'axes' | 'objective' | 'tune'>,
  trials: readonly Trial[],
  state: RunState,
): boolean {
  const {places} = state;
  const further = furtherTrials(trials, state);
  const isOver = ({id}: Trial) => isEnded(state.trials[places[id] ?? -1]?.state ?? 'waiting');
  if (state.state !== 'finished' || trials.length === 0 || !further.every(isOver)) return false;
  const rules = comparisonRules(sweep);
  if (!sweep.search || !rules) {
    if (!trials.every(isOver)) return false;
    if (!rules || sweep.verdict?.seeds === undefined) return true;
  }
  // A trial that no start has heard of is one that the file has since then.
  if (!trials.every(({id}) => places[id] !== undefined)) return false;
  const steps = Object.fromEntries(trials.map(trial => [stepsKey(trial), state.trials[places[trial.id]!]!.totalSteps]));
  const known = {...rules, ...(sweep.search && {search: sweep.search})};
  const cells = cellsOf(trials, steps, sweep);
  const {search} = sweep;
  const decisions = search ? decideAll(cells, state, {...rules, search}) : [];
  if (decisions.some(({stage, wanted}) => stage !== 'done' || wanted.length > 0)) return false;
  return comparisonsOf(withTrials(cells, further)).every(own => {
    const facts = new Map(own.flatMap(cell => [...factsOf(cell, state, known)]));
    const {wanted, seeds} = challenge(own, decisions, facts, {
      ...challengeSettings(sweep, rules),
      asked: state.asked,
    });
    return wanted.length + seeds.length === 0;
  });
}

/** The same as far as the run itself tells: a search that has chosen leaves most of its trials waiting. */
export function hasChosen({search, state, searched, trials}: RunState): boolean {
  if (!search || state !== 'finished' || searched.length === 0) return false;
  return (
    searched.every(({stage}) => stage === 'done') && trials.every(view => !['stopped', 'failed'].includes(view.state))
  );
}
