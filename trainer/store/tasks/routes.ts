/** Which task an event belongs to. */

import {grouped} from '../../../core/grouped.ts';
import {startText} from '../../../core/run/compare/starts.ts';
import type {Probed, RunEventBody, Stepped, TrialsAdded} from '../../../core/run/events.ts';
import type {RunState} from '../../../core/run/fold.ts';
import {cellsOfTask, type Task} from '../../../core/run/tasks/tasks.ts';
import {cellOf} from '../../../core/search/cells.ts';
import type {StoredTrial} from '../../../core/sweep/sweep.ts';

export class Routes {
  readonly #tasks: readonly Task[];
  readonly #byTrial = new Map<string, string>();
  readonly #byStart = new Map<string, string>();
  readonly #trials: readonly StoredTrial[];

  constructor(tasks: readonly Task[], {trials}: Pick<RunState, 'trials'>) {
    this.#tasks = tasks;
    this.#trials = trials.map(({trial}) => trial);
    for (const {task, trials: ids} of tasks) for (const id of ids) this.#byTrial.set(id, task);
    for (const trial of this.#trials) this.add(trial);
  }

  /** A trial beside those of the file belongs to the task of its cell. */
  add(trial: StoredTrial): void {
    if (!this.#byTrial.has(trial.id)) this.#byTrial.set(trial.id, this.ofCell(cellOf(trial)));
  }

  ofTrial(id: string): string {
    return this.#byTrial.get(id) ?? this.first;
  }

  ofCell(cell: string): string {
    return this.#tasks.find(one => cellsOfTask(one).includes(cell))?.task ?? this.first;
  }

  /** Of a block at the start: the first task with a trial that starts there. */
  ofStart(row: Pick<Probed, 'method' | 'rank' | 'batchSize' | 'seed' | 'name' | 'model' | 'settings'>): string {
    const {method, rank, batchSize, seed} = row;
    const of = startText(row);
    const key = `${method} ${rank} ${batchSize} ${seed} ${of}`;
    const known = this.#byStart.get(key);
    if (known !== undefined) return known;
    const isThere = (trial: StoredTrial) =>
      trial.batchSize === batchSize &&
      trial.seed === seed &&
      (rank === 0 || (trial.method === method && trial.rank === rank && startText(trial) === of));
    const trial = this.#trials.find(isThere);
    const task = trial ? this.ofTrial(trial.id) : this.first;
    this.#byStart.set(key, task);
    return task;
  }

  get first(): string {
    return this.#tasks[0]!.task;
  }
}

/** The event, cut where it is about trials of several tasks; each part with its task. */
export function routed(body: RunEventBody, routes: Routes): [task: string, part: RunEventBody][] {
  switch (body.event) {
    case 'step':
      return stepParts(body, routes);
    case 'trial-started':
    case 'trial-ended':
    case 'evaluation':
      return [[routes.ofTrial(body.trial), body]];
    case 'curvature':
      return [[body.trial === undefined ? routes.ofStart(body) : routes.ofTrial(body.trial), body]];
    case 'searched':
    case 'challenged':
      return [[routes.ofCell(body.cell), body]];
    case 'trials-added':
      for (const trial of body.trials) routes.add(trial);
      return addedParts(body, routes);
    default:
      return [[routes.first, body]];
  }
}

/** That somebody asked is told once, however many tasks have a part of it: it is one more look. */
function addedParts({asked, ...body}: TrialsAdded, routes: Routes): [string, TrialsAdded][] {
  const parts = [...grouped(body.trials, ({id}) => routes.ofTrial(id))];
  return parts.map(([task, trials], place) => [task, {...body, trials, ...(place === 0 && asked && {asked})}]);
}

function stepParts(body: Stepped, routes: Routes): [string, Stepped][] {
  const lanes = [...grouped(body.trials.keys(), lane => routes.ofTrial(body.trials[lane]!))];
  if (lanes.length === 1) return [[lanes[0]![0], body]];
  const {trials, losses, rates, gradNorms, tokens, ...rest} = body;
  return lanes.map(([task, own]) => {
    const of = <Value>(column: readonly Value[]) => own.map(lane => column[lane]!);
    const columns = {trials: of(trials), losses: of(losses), rates: of(rates), gradNorms: of(gradNorms)};
    return [task, {...rest, ...columns, ...(tokens && {tokens: of(tokens)})}];
  });
}
