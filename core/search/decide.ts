/** One cell's search for its best learning rate: what it knows, and what it wants next. */
import type {SearchRules} from './rules.ts';
import type {Cell, Decision, TrialFacts} from './search.ts';

/**
 * What a cell wants after these facts. Pure: the same facts give the same decision, in whatever order they arrived, so that a
 * run that was killed asks for what it would have asked for. `wanted` leaves out what is running and what is done; it names again
 * what waits and what failed. The trainer asks for each (trial, until) once a start.
 */
export function decide(cell: Cell, _facts: ReadonlyMap<string, TrialFacts>, _rules: SearchRules): Decision {
  return {cell: cell.id, stage: 'scan', place: null, chosen: null, wanted: [], why: ''};
}
