/** The plan of a run of tasks, made of a prepared sweep. */
import type {Pinned} from '../../../core/run/events.ts';
import {type Cut, searchedBeside, tasksOf} from '../../../core/run/tasks/tasks.ts';
import {onlySweep} from '../../../core/sweep/only.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {engineNames} from '../../engine/choices.ts';
import type {Choice} from '../../engine/choose.ts';
import type {Plan} from '../../store/tasks/plan-file.ts';
import type {Prepared} from '../prepare.ts';
import {costsOf, rolesIn} from '../work.ts';

export interface PlanSettings {
  cut: Cut;
  /** Filters KEY=VALUE on the trials that are trained. */
  only: readonly string[];
  pinned: Pinned;
  choice: Choice;
}

/** @throws SweepError `usage`, `no-trials` for filters */
export function planOf(prepared: Prepared, {cut, only, pinned, choice}: PlanSettings): Plan['event'] {
  const {sweep} = prepared;
  const trials = expandTrials(sweep);
  const {reason, setUp} = choice;
  return {
    ...{event: 'run-started', at: Date.now(), name: sweep.name, trials},
    ...{engine: engineNames(choice), reason, setUp, workers: 0, resumed: false},
    steps: pinned.steps,
    selected: onlySweep(sweep, only).map(({id}) => id),
    costs: costsOf(prepared, trials),
    ...(sweep.search && {search: sweep.search}),
    ...(sweep.verdict && {verdict: sweep.verdict}),
    ...rolesIn(sweep, choice),
    tasks: tasksOf(trials, cut, searchedBeside(sweep)),
    pinned,
  };
}
