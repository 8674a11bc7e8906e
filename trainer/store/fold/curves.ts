/**
 * The curves of trials as they were at an earlier step. A fold keeps long curves in buckets of several steps; where a trial goes on
 * from the middle of one, what was in it before is known from the events alone.
 */
import type {Curves, RunEvent} from '../../../core/run/events.ts';
import {emptyRun} from '../../../core/run/fold.ts';
import {Folding} from './folding.ts';

/**
 * @param replay hands over all events that are stored
 * @param steps by trial, the step to which its curves are wanted; its events reach at least so far
 */
export async function curvesAt(
  replay: (onEvent: (event: RunEvent) => void) => Promise<unknown>,
  steps: ReadonlyMap<string, number>,
): Promise<Map<string, Curves>> {
  const folding = new Folding(emptyRun);
  await replay(event => {
    const kept = upTo(event, steps);
    if (kept) folding.add(kept);
  });
  const state = folding.state();
  return new Map(
    [...steps.keys()].flatMap(trial => {
      const view = state.trials[state.places[trial] ?? -1];
      return view ? [[trial, {losses: view.losses, gradNorms: view.gradNorms, rates: view.rates}] as const] : [];
    }),
  );
}

/** What an event says of these trials up to their steps. */
function upTo(event: RunEvent, steps: ReadonlyMap<string, number>): RunEvent | undefined {
  if (event.event === 'run-started') return event;
  if (event.event === 'trial-started') return (event.from ?? 0) <= (steps.get(event.trial) ?? -1) ? event : undefined;
  if (event.event !== 'step') return undefined;
  const lanes = event.trials.flatMap((trial, lane) => (event.step <= (steps.get(trial) ?? 0) ? [lane] : []));
  if (lanes.length === 0) return undefined;
  const {trials, losses, rates, gradNorms, tokens: _, ...rest} = event;
  const of = <Value>(column: readonly Value[]) => lanes.map(lane => column[lane]!);
  return {...rest, trials: of(trials), losses: of(losses), rates: of(rates), gradNorms: of(gradNorms)};
}
