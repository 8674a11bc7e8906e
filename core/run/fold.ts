/** Events → state. Everything shown anywhere (tree, charts, tables, report) is this fold of `events.jsonl`. */

import type {MethodCost} from '../method/cost.ts';
import {cellOf} from '../search/cells.ts';
import type {SearchSettings, VerdictSettings} from '../search/settings.ts';
import {stepsKey} from '../sweep/axes/axes.ts';
import type {Settings} from '../sweep/axes/keys.ts';
import type {StoredTrial} from '../sweep/sweep.ts';
import {startText} from './compare/starts.ts';
import {
  type Aggregated,
  type Challenged,
  type Evaluated,
  isEnded,
  type Pinned,
  type Prepared,
  type Probed,
  type RunEvent,
  type RunStarted,
  type Searched,
  type Stepped,
  type Submitted,
  type TaskEnded,
  type TaskStarted,
  type TrialEnded,
  type TrialStarted,
  type TrialState,
  type TrialsAdded,
} from './events.ts';
import {formatEvaluation} from './format.ts';
import {append, bucketLimit, emptySeries, type Series, type Unseen, upTo} from './series/series.ts';
import {
  begunTask,
  continuedTask,
  endedTask,
  type TaskView,
  together,
  waitingTask,
  withoutDead,
} from './tasks/task-views.ts';
import {cellsOfTask} from './tasks/tasks.ts';

/** Its `task` is the name that tells it from all others of the sweep; `at`: when it was stored, in milliseconds since 1970. */
export type Evaluation = Omit<Evaluated, 'event' | 'entry'> & {at?: number};
export type Aggregate = Omit<Aggregated, 'event'>;
export type Curvature = Omit<Probed, 'event'>;

/** What is known of one trial since its last start. */
export interface TrialView {
  trial: StoredTrial;
  state: TrialState;
  /** The sweep file no longer has it: kept, but it counts in no comparison. */
  dropped: boolean;
  /** The run beside this one that trained it; its times are not of this run. */
  taken?: string;
  /** Of several runs together: which it is part of, and whether that was imported. */
  part?: {run: string; imported?: true};
  /** Optimizer steps taken, and those it takes in all. */
  steps: number;
  totalSteps: number;
  /** Of the last step; null before the first one and where it is not finite. */
  loss: number | null;
  gradNorm: number | null;
  /** Finite values only. */
  losses: Series;
  gradNorms: Series;
  /** Learning rates used. */
  rates: Series;
  /** Trained on since its last start, without padding. */
  tokens: number;
  evaluations: Evaluation[];
  seconds: number;
  /** Of starts before the last one, where that went on from a checkpoint. */
  secondsBefore: number;
  /** Steps of those starts. */
  from: number;
  /** Milliseconds since 1970 of its start, its second step (rates count from there), its last step and its end. */
  startedAt: number | null;
  warmAt: number | null;
  lastStepAt: number | null;
  endedAt: number | null;
  /** Why it diverged or failed. */
  message: string | null;
  /** Mean training losses of the last tenth of the steps done, by the updates done: where a search paused it, and at its end. */
  tails: Readonly<Record<number, number | null>>;
}

export interface RunState {
  name: string;
  engine: string;
  reason: string;
  /** An engine that would be faster on the machine of the run, once it is set up. */
  setUp: string | null;
  workers: number;
  state: 'waiting' | 'running' | 'finished' | 'failed' | 'stopped';
  /** Milliseconds since 1970 of the last start or resumption, and of the last event. */
  startedAt: number | null;
  lastAt: number | null;
  /** Running time of all starts together. */
  seconds: number;
  resumed: boolean;
  /** Trials in the order of the sweep; behind them those that only an earlier start knew and that have results. */
  trials: TrialView[];
  /** Trial id → place in `trials`. */
  places: Record<string, number>;
  /** Ids that the last start works on. */
  selected: string[];
  /** Ids of trials beside those of the file: further seeds. */
  added: string[];
  /** Times that somebody asked for such when words stood already. */
  asked: number;
  curvature: Curvature[];
  /** Of every method and rank, as counted before it ran. */
  costs: MethodCost[];
  /** Of settings whose seeds have no values of their own. */
  aggregates: Aggregate[];
  notes: string[];
  /** Resident memory of the run's process, in bytes: as last heard of, and the most so far. */
  memory: {bytes: number; peak: number} | null;
  /** The preparation under way. */
  preparing: {what: string; done: number; total: number} | null;
  message: string | null;
  /** How rates are searched; null where every trial is trained whole. */
  search: SearchSettings | null;
  /** When methods count as different; null: the verdict's own defaults. */
  verdict: VerdictSettings | null;
  /** The last decision of each cell of a search, and what was challenged. */
  searched: Omit<Searched, 'event'>[];
  challenged: Omit<Challenged, 'event'>[];
  /** What a trial has of an axis that it says nothing of, as text. Empty in runs of earlier versions. */
  fixed: Settings;
  /** What results depend on beside the trials; null where that is not known. */
  made: Settings | null;
  /** Axes beside the learning rate over which each method takes its own best. */
  tune: string[];
  /** Evaluations whose mean decides what is best; empty: the first one. */
  objective: string[];
  /** What processes of several machines work through, in the order of the sweep; none where one process has the run. */
  tasks: TaskView[];
  /** The task whose events come next; null outside of one. */
  task: string | null;
  /** What all tasks do alike; null where one process has the run. */
  pinned: Pinned | null;
  /** Of several runs together: their names. */
  parts?: readonly string[];
  /** What was handed to a scheduler; `at`: when it was stored, in milliseconds since 1970. */
  submitted: (Omit<Submitted, 'event'> & {at?: number})[];
}

export const emptyRun: RunState = {
  name: '',
  engine: '',
  reason: '',
  setUp: null,
  workers: 0,
  state: 'waiting',
  startedAt: null,
  lastAt: null,
  seconds: 0,
  resumed: false,
  trials: [],
  places: {},
  selected: [],
  added: [],
  asked: 0,
  curvature: [],
  costs: [],
  aggregates: [],
  notes: [],
  memory: null,
  preparing: null,
  message: null,
  search: null,
  verdict: null,
  searched: [],
  challenged: [],
  fixed: {},
  made: null,
  tune: [],
  objective: [],
  tasks: [],
  task: null,
  pinned: null,
  submitted: [],
};

/** The state after one more event. Pure; the two states share whatever did not change. */
export function fold(state: RunState, event: RunEvent): RunState {
  return folded(state, event);
}

/** The state after many more events: the same as one by one, without a copy of every curve for each point. */
export function foldAll(state: RunState, events: Iterable<RunEvent>): RunState {
  const unseen: Unseen = new WeakSet();
  let after = state;
  for (const event of events) after = folded(after, event, unseen);
  return after;
}

function folded(state: RunState, event: RunEvent, unseen?: Unseen): RunState {
  if (state.tasks.length > 0) return applied(clocked(state, event), event, unseen);
  return {...applied(state, event, unseen), lastAt: event.at, seconds: state.seconds + elapsed(state, event)};
}

/** A merged file tells of one task after another, each by the clock of its own machine. */
function clocked(state: RunState, {event, at}: RunEvent): RunState {
  if (event === 'merged') return state;
  const lastAt = Math.max(at, state.lastAt ?? at);
  if (event === 'task-started' || state.task === null) return {...state, lastAt};
  const tasks = state.tasks.map(view => (view.task === state.task ? continuedTask(view, at) : view));
  return {...state, lastAt, tasks};
}

/** All but what only charts show: of a run of thousands of trials that is most of it. */
export function withoutCurves(state: RunState): RunState {
  const none = {losses: emptySeries, gradNorms: emptySeries, rates: emptySeries};
  return {...state, trials: state.trials.map(view => ({...view, ...none}))};
}

/**
 * The state of a run whose process is gone without a word: what was running stands still. `isLive`: of a run of tasks, whether
 * a task's process still works on it.
 */
export function interrupted(state: RunState, isLive: (task: string) => boolean = () => false): RunState {
  if (state.tasks.length > 0) return withoutDeadTasks(state, isLive);
  if (state.state !== 'running') return state.preparing === null ? state : {...state, preparing: null};
  return {...state, state: 'stopped', preparing: null, trials: stopped(state.trials)};
}

function withoutDeadTasks(state: RunState, isLive: (task: string) => boolean): RunState {
  const tasks = withoutDead(state.tasks, isLive);
  const dead = new Set(tasks.flatMap(({state: now, trials}) => (now === 'running' ? [] : trials)));
  const trials = state.trials.map(view => (dead.has(view.trial.id) ? stoppedTrial(view) : view));
  const now = together(tasks, state.selected);
  const isWhole = now.state !== 'running';
  return {
    ...state,
    ...now,
    tasks,
    // Trials that a search added stand in no task's list.
    trials: isWhole ? stopped(trials) : trials,
    preparing: isWhole ? null : state.preparing,
  };
}

/** Seconds that the run went on between the event before and this one; a new start follows a pause. */
function elapsed(state: RunState, event: RunEvent): number {
  if (state.state !== 'running' || event.event === 'run-started') return 0;
  return Math.max(0, event.at - (state.lastAt ?? event.at)) / 1000;
}

function applied(state: RunState, event: RunEvent, unseen?: Unseen): RunState {
  switch (event.event) {
    case 'run-started':
      return started(state, event);
    case 'trials-added':
      return added(state, event);
    case 'submitted': {
      const {event: _, ...submission} = event;
      return {...state, submitted: [...state.submitted, submission]};
    }
    case 'task-started':
      return taskStarted(state, event);
    case 'task-ended':
      return taskEnded(state, event);
    case 'merged':
      return {...state, task: null, ...(state.tasks.length > 0 && together(state.tasks, state.selected))};
    case 'searched':
      return decided(state, event);
    case 'challenged': {
      const {event: _, ...challenge} = event;
      return {...state, challenged: [...state.challenged, challenge]};
    }
    case 'prepared':
      return {...state, preparing: preparedSoFar(state, event)};
    case 'trial-started':
      return change({...state, preparing: null}, event.trial, view => begun(view, event));
    case 'step':
      return stepped(state, event, unseen);
    case 'evaluation':
      return change(state, event.trial, view => evaluated(view, event));
    case 'aggregate': {
      const {event: _, ...aggregate} = event;
      return {...state, aggregates: [...state.aggregates, aggregate]};
    }
    case 'trial-ended':
      return change(state, event.trial, view => ended(view, event));
    case 'curvature': {
      const {event: _, ...row} = event;
      return {...state, curvature: withCurvature(state.curvature, row)};
    }
    case 'resources': {
      const bytes = event.memoryBytes;
      return {...state, memory: {bytes, peak: Math.max(bytes, state.memory?.peak ?? 0)}};
    }
    case 'note':
      // Tasks find the same things worth a note.
      if (state.tasks.length > 0) return {...state, notes: withNote(state.notes, event.message)};
      return {...state, notes: [...state.notes, event.message]};
    case 'run-ended':
      return {
        ...state,
        state: event.state,
        preparing: null,
        message: event.message ?? null,
        trials: stopped(state.trials),
      };
  }
}

/** What is waited for; beside a training it is nothing that anybody waits for. */
function preparedSoFar({trials}: RunState, {what, done, total}: Prepared): RunState['preparing'] {
  return done < total && trials.every(view => view.state !== 'running') ? {what, done, total} : null;
}

function started(state: RunState, event: RunStarted & {at: number}): RunState {
  const known = new Set(event.trials.map(trial => trial.id));
  const others = event.others && new Set(event.others);
  const earlier = stopped(state.trials).map(view => withNames(view, event.evaluations));
  const trials = [
    ...event.trials.map(trial => {
      const view = earlier[state.places[trial.id] ?? -1];
      if (view && view.state !== 'waiting') return {...view, trial, dropped: false};
      return waiting(trial, event.steps[stepsKey(trial)] ?? 0);
    }),
    ...earlier
      .filter(view => !known.has(view.trial.id) && view.state !== 'waiting')
      .map(view => ({...view, dropped: others ? !others.has(view.trial.id) : view.dropped})),
  ];
  const places: Record<string, number> = Object.create(null);
  trials.forEach((view, place) => {
    places[view.trial.id] = place;
  });
  return {
    ...state,
    name: event.name,
    engine: event.engine,
    reason: event.reason,
    setUp: event.setUp ?? null,
    workers: event.workers,
    state: event.tasks ? 'waiting' : 'running',
    startedAt: event.at,
    resumed: event.resumed,
    tasks: event.tasks?.map(waitingTask) ?? [],
    task: null,
    pinned: event.pinned ?? null,
    trials,
    places: placesOf(trials),
    selected:
      event.selected ??
      trials.filter(view => known.has(view.trial.id) && !isEnded(view.state)).map(view => view.trial.id),
    costs: event.costs ?? state.costs,
    search: event.search ?? null,
    verdict: event.verdict ?? null,
    // What was fixed when trials began says what those are that name no value.
    fixed: {...event.fixed, ...state.fixed},
    made: event.made ?? null,
    tune: event.tune ?? [],
    objective: event.objective ?? [],
    preparing: null,
    message: null,
  };
}

/** Evaluations that go by another name, or count no longer. */
function withNames(view: TrialView, changes: RunStarted['evaluations'] = []): TrialView {
  if (changes.length === 0) return view;
  const names = new Map(changes.map(({from, to}) => [from, to]));
  const evaluations = view.evaluations.flatMap(one => {
    const to = names.get(one.task);
    return to === undefined ? one : to === null ? [] : {...one, task: to};
  });
  return {...view, evaluations};
}

/** The last decision of a cell counts. */
function decided(state: RunState, {event: _, ...decision}: Searched): RunState {
  return {...state, searched: [...state.searched.filter(({cell}) => cell !== decision.cell), decision]};
}

/** What a later attempt finds running of an earlier one stands still, until it goes on with it. */
function taskStarted(state: RunState, event: TaskStarted & {at: number}): RunState {
  const after = taskChanged(state, event.task, view => begunTask(view, event));
  return after === state ? state : {...after, task: event.task};
}

function taskEnded(state: RunState, event: TaskEnded): RunState {
  // A late word of an earlier attempt says nothing of the last one.
  return taskChanged(state, event.task, view => (view.attempt === event.attempt ? endedTask(view, event) : view));
}

/** Its trials stand still. A task that the plan does not know changes nothing. */
function taskChanged(state: RunState, name: string, to: (view: TaskView) => TaskView): RunState {
  const own = state.tasks.find(({task}) => task === name);
  if (own === undefined) return state;
  const tasks = state.tasks.map(view => (view === own ? to(view) : view));
  const ids = new Set(own.trials);
  // Trials that a search added are those of its cells.
  const added = new Set(state.added);
  const isOwn = (trial: StoredTrial) =>
    ids.has(trial.id) || (added.has(trial.id) && cellsOfTask(own).includes(cellOf(trial)));
  const trials = state.trials.map(view => (isOwn(view.trial) ? stoppedTrial(view) : view));
  return {...state, trials, tasks, ...together(tasks, state.selected), preparing: null};
}

/**
 * Trials that are known already stay as they are. Those beside the file's stand behind the others in an order of their own: by cell, rate
 * and seed, whichever came first.
 */
function added(state: RunState, event: TrialsAdded): RunState {
  const fresh = event.trials.filter(({id}) => state.places[id] === undefined);
  const ids = new Set([...state.added, ...event.trials.map(({id}) => id)]);
  const own = state.trials.filter(({trial}) => !ids.has(trial.id));
  const views = fresh.map(trial => {
    const alike = own.find(view => stepsKey(view.trial) === stepsKey(trial));
    return waiting(trial, alike?.totalSteps ?? 0);
  });
  const further = [...state.trials.filter(({trial}) => ids.has(trial.id)), ...views];
  const cells = new Map([...new Set(own.map(({trial}) => cellOf(trial)))].map((cell, place) => [cell, place]));
  const placeOf = ({trial}: TrialView) => cells.get(cellOf(trial)) ?? cells.size;
  further.sort(
    (a, b) => placeOf(a) - placeOf(b) || a.trial.learningRate - b.trial.learningRate || a.trial.seed - b.trial.seed,
  );
  const trials = [...own, ...further];
  return {
    ...state,
    trials,
    places: placesOf(trials),
    added: [...ids],
    asked: state.asked + (event.asked ? 1 : 0),
    // They are trained by the start that added them.
    selected: [...new Set([...state.selected, ...event.trials.map(({id}) => id)])],
  };
}

export function placesOf(trials: readonly TrialView[]): RunState['places'] {
  const places: RunState['places'] = Object.create(null);
  for (const [place, {trial}] of trials.entries()) places[trial.id] = place;
  return places;
}

/** What a new start leaves of an earlier one: all up to the checkpoint it goes on from, nothing without one. */
function keptUpTo(view: TrialView, from: number, totalSteps: number): TrialView {
  const fresh = waiting(view.trial, totalSteps);
  if (from === 0) return fresh;
  return {
    ...fresh,
    steps: from,
    losses: upTo(view.losses, from),
    gradNorms: upTo(view.gradNorms, from),
    rates: upTo(view.rates, from),
    tails: Object.fromEntries(Object.entries(view.tails).filter(([step]) => Number(step) <= from)),
    evaluations: view.evaluations.filter(({step}) => step <= from),
    secondsBefore: view.seconds,
    from,
  };
}

function waiting(trial: StoredTrial, totalSteps: number): TrialView {
  return {
    trial,
    state: 'waiting',
    dropped: false,
    steps: 0,
    totalSteps,
    loss: null,
    gradNorm: null,
    losses: emptySeries,
    gradNorms: emptySeries,
    rates: emptySeries,
    tokens: 0,
    evaluations: [],
    seconds: 0,
    secondsBefore: 0,
    from: 0,
    startedAt: null,
    warmAt: null,
    lastStepAt: null,
    endedAt: null,
    message: null,
    tails: {},
  };
}

function begun(view: TrialView, event: TrialStarted & {at: number}): TrialView {
  return {
    ...keptUpTo(view, event.from ?? 0, event.steps),
    loss: event.loss ?? null,
    gradNorm: event.gradNorm ?? null,
    ...event.curves,
    ...(event.taken !== undefined && {taken: event.taken}),
    state: 'running',
    startedAt: event.at,
  };
}

function evaluated(view: TrialView, {event: _, entry, ...named}: Evaluated & {at: number}): TrialView {
  const evaluation = {...named, task: formatEvaluation(named.task, entry)};
  return {...view, evaluations: withEvaluation(view.evaluations, evaluation)};
}

function stopped(trials: TrialView[]): TrialView[] {
  return trials.map(stoppedTrial);
}

function stoppedTrial(view: TrialView): TrialView {
  return view.state === 'running' ? {...view, state: 'stopped'} : view;
}

function stepped(state: RunState, event: Stepped & {at: number}, unseen?: Unseen): RunState {
  const trials = state.trials.slice();
  const grown = (series: Series, value: number | null): Series =>
    value === null ? series : append(series, event.step, value, bucketLimit, unseen);
  event.trials.forEach((id, lane) => {
    const place = state.places[id];
    const view = place === undefined ? undefined : trials[place];
    // Steps rise; a line that stands in the file twice tells of one.
    if (place === undefined || view === undefined || event.step <= view.steps) return;
    const loss = event.losses[lane] ?? null;
    const gradNorm = event.gradNorms[lane] ?? null;
    trials[place] = {
      ...view,
      steps: event.step,
      loss,
      gradNorm,
      losses: grown(view.losses, loss),
      gradNorms: grown(view.gradNorms, gradNorm),
      rates: grown(view.rates, event.rates[lane] ?? null),
      tokens: view.tokens + (event.tokens?.[lane] ?? 0),
      seconds: view.secondsBefore + (event.at - (view.startedAt ?? event.at)) / 1000,
      warmAt: event.step === view.from + 2 && view.taken === undefined ? event.at : view.warmAt,
      lastStepAt: event.at,
    };
  });
  return {...state, trials};
}

function ended(view: TrialView, event: TrialEnded & {at: number}): TrialView {
  return {
    ...view,
    state: event.state,
    steps: event.steps,
    seconds: event.seconds,
    endedAt: event.at,
    message: event.message ?? null,
    tails: event.tail === undefined ? view.tails : {...view.tails, [event.steps]: event.tail},
  };
}

function change(state: RunState, id: string, to: (view: TrialView) => TrialView): RunState {
  const place = state.places[id];
  const view = place === undefined ? undefined : state.trials[place];
  if (place === undefined || view === undefined) return state;
  const trials = state.trials.slice();
  trials[place] = to(view);
  return {...state, trials};
}

/** In the place of an earlier row of the same block. */
export function withCurvature(rows: readonly Curvature[], row: Curvature): Curvature[] {
  return [...rows.filter(earlier => !sameBlock(earlier, row)), row];
}

export function withNote(notes: readonly string[], note: string): string[] {
  return notes.includes(note) ? [...notes] : [...notes, note];
}

/** By step, then in the order of the sweep file, whichever came first. */
function withEvaluation(evaluations: readonly Evaluation[], evaluation: Evaluation): Evaluation[] {
  const others = evaluations.filter(earlier => !sameEvaluation(earlier, evaluation));
  const isBehind = ({step, index}: Evaluation) =>
    step === evaluation.step ? (index ?? 0) > (evaluation.index ?? 0) : step > evaluation.step;
  const place = others.findIndex(isBehind);
  return others.toSpliced(place < 0 ? others.length : place, 0, evaluation);
}

function sameEvaluation(a: Evaluation, b: Evaluation): boolean {
  return a.step === b.step && a.task === b.task && a.metric === b.metric;
}

function sameBlock(a: Curvature, b: Curvature): boolean {
  return (
    a.method === b.method &&
    a.model === b.model &&
    JSON.stringify(a.settings) === JSON.stringify(b.settings) &&
    a.rank === b.rank &&
    a.batchSize === b.batchSize &&
    a.seed === b.seed &&
    a.step === b.step &&
    a.layer === b.layer &&
    a.module === b.module &&
    a.trial === b.trial &&
    startText(a) === startText(b)
  );
}
