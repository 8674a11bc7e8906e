/** What a grid that was trained whole came to, as a small file: all that a search of its trials goes by. */
import type {RunState} from '../../../core/run/fold.ts';
import {trialsOf} from '../../../core/run/trials/known-trials.ts';
import {cellsOf} from '../../../core/search/cells.ts';
import {factsOf} from '../../../core/search/facts.ts';
import {comparisonRules, type SearchRules} from '../../../core/search/rules.ts';
import type {Cell, TrialFacts} from '../../../core/search/search.ts';
import {stepsKey} from '../../../core/sweep/axes/axes.ts';
import type {Sweep} from '../../../core/sweep/sweep.ts';
import {searchDefaults} from '../../../core/sweep/table/fields.ts';

/** Of a trial: the metric at its end (null: diverged), and the training losses of the first step, of the scan and of the end. */
type Recorded = [metric: number | null, first: number | null, scan: number | null, end: number | null];

export interface Recording {
  rules: SearchRules;
  cells: (Omit<Cell, 'trials'> & {trials: Cell['trials']; recorded: Recorded[][]})[];
}

/** Cells with a trial that has not ended are left out. */
export function record(sweep: Sweep, state: RunState): Recording {
  const rules: SearchRules = {search: searchDefaults, ...comparisonRules(sweep)!};
  const trials = trialsOf(sweep, state);
  const steps = Object.fromEntries(trials.map(one => [stepsKey(one), state.trials[state.places[one.id]!]!.totalSteps]));
  const cells = cellsOf(trials, steps, sweep).flatMap(cell => {
    const facts = factsOf(cell, state, rules);
    const all = cell.trials.map(row => row.map(({id}) => facts.get(id)!));
    if (!all.flat().every(({state: end}) => end === 'finished' || end === 'diverged')) return [];
    const recorded = all.map(row =>
      row.map((fact): Recorded => [fact.metric, ...([fact.firstLoss, fact.scanTail, fact.endTail] as const)]),
    );
    return [{...cell, recorded}];
  });
  return {rules, cells};
}

export interface Known {
  cell: Cell;
  /** Of every trial at its end. */
  whole: ReadonlyMap<string, TrialFacts>;
}

/** The cells again, and the facts of all their trials. */
export function replay({cells}: Recording): Known[] {
  return cells.map(({recorded, ...cell}) => {
    const facts = cell.trials.flatMap((row, rate) =>
      row.map(({id}, seed): [string, TrialFacts] => {
        const [metric, firstLoss, scanTail, endTail] = recorded[rate]![seed]!;
        const state = metric === null ? 'diverged' : 'finished';
        return [id, {state, steps: cell.steps, firstLoss, scanTail, endTail, metric}];
      }),
    );
    return {cell, whole: new Map(facts)};
  });
}
