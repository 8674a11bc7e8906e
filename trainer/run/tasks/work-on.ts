/** The work of a part: its tasks are claimed and trained; of a search, whoever is last asks what only all cells together tell. */
import {SweepError} from '../../../core/error.ts';
import type {RunEvent, RunEventBody} from '../../../core/run/events.ts';
import {count} from '../../../core/run/format.ts';
import type {SeedWish} from '../../../core/search/comparing/more-seeds.ts';
import {areCut} from '../../../core/search/rounds.ts';
import {isTrial} from '../../../core/sweep/sweep.ts';
import {jobName} from '../../process/scheduler.ts';
import {earlierJobs} from '../../store/tasks/earlier-jobs.ts';
import {type OpenTasks, openTasks} from '../../store/tasks/open-tasks.ts';
import type {Plan} from '../../store/tasks/plan-file.ts';
import {readFolder} from '../../store/tasks/read-folder.ts';
import {Routes} from '../../store/tasks/routes.ts';
import {isTaskLive} from '../../store/tasks/task-files.ts';
import {coresFor} from '../packs.ts';
import {play} from '../play.ts';
import type {RunFailure} from '../run-failure.ts';
import type {SweepEnd, SweepOptions, UnderWay} from '../under-way.ts';
import type {Wanted} from './choose-tasks.ts';
import {closingAttempt} from './closing.ts';

/** A part that may begin. */
export interface Planned extends Pick<UnderWay, 'prepared' | 'choice'> {
  folder: string;
  plan: Plan;
  notes: string[];
}

export interface WorkOptions extends Pick<SweepOptions, 'signal' | 'onEvent'> {
  wanted: Wanted;
  /** Further seeds at best rates, once all tasks have ended. */
  moreSeeds: readonly SeedWish[];
  onStored?(event: RunEvent): void;
  onRemark(sentence: string): void;
}

/**
 * @param hold hears of the tasks that are claimed
 * @throws SweepError
 */
export async function workOn(
  planned: Planned,
  options: WorkOptions,
  failure: RunFailure,
  hold: (tasks: OpenTasks) => void,
): Promise<SweepEnd> {
  const {plan} = planned;
  const all = plan.event.tasks.map(({task}) => task);
  const own = options.wanted.of(plan.event.tasks).map(({task}) => task);
  if (own.length === 0) {
    options.onRemark(`The sweep has ${all.length} tasks, fewer than there are parts: nothing is left for this one.`);
    return 'finished';
  }
  const {moreSeeds} = options;
  const through = (tasks: readonly string[], again: Pick<Claiming, 'again' | 'moreSeeds'> = {}) =>
    workThrough(planned, {tasks, ...again}, options, failure, hold);
  const first =
    moreSeeds.length === 0
      ? await through(own)
      : ((await through(all, {again: await attemptAtEnd(planned), moreSeeds})) ?? notFinished());
  if (first === null) options.onRemark(`Nothing is left to do of ${listOf(own)}.`);
  let end = first ?? 'finished';
  const closing = {folder: planned.folder, plan, sweep: planned.prepared.sweep};
  while (end === 'finished') {
    const again = await closingAttempt(closing, options.signal);
    if (again === null) return end;
    // Where another process was first, it is looked at anew what that has left.
    end = (await through(all, {again})) ?? end;
  }
  return end;
}

const listOf = ([first, ...others]: readonly string[]): string =>
  others.length === 0 ? `${first}` : `${first} and ${count(others.length, 'more task')}`;

interface Claiming {
  tasks: readonly string[];
  /** They are opened again, where the first one still has so many attempts. */
  again?: number;
  /** What is asked for then; absent: nothing. */
  moreSeeds?: readonly SeedWish[];
}

/** How it ended; null where nothing was left of these tasks. */
async function workThrough(
  {folder, plan, notes, prepared, choice}: Planned,
  claiming: Claiming,
  options: WorkOptions,
  failure: RunFailure,
  hold: (tasks: OpenTasks) => void,
): Promise<SweepEnd | null> {
  const {engine} = choice;
  const store = await openTasks({
    ...{folder, plan, notes, engine, tasks: claiming.tasks},
    ...(claiming.again !== undefined && {again: claiming.again}),
    ...{
      job: jobName(),
      isOver: await earlierJobs(folder, jobName()),
      workers: coresFor(choice, prepared.sweep.run.workers),
      signal: options.signal,
    },
    stored: event => options.onStored?.(event),
    failed: failure.report,
    waits: (task, {attempt, host}) =>
      options.onRemark(
        `${task} is worked on by attempt ${attempt}${host === null ? '' : ` on ${host}`}; waiting for its end.`,
      ),
  });
  if (store === null) return null;
  hold(store);
  const own = store.earlier;
  const chosen = new Set(own.selected);
  const routes = new Routes(plan.event.tasks, plan.state);
  const mine = new Set(own.tasks.map(({task}) => task));
  const part = {
    probes: (row: Parameters<Routes['ofStart']>[0]) => mine.has(routes.ofStart(row)),
    isWhole: mine.size === plan.event.tasks.length,
    isSelected: chosen.size < own.tasks.flatMap(({trials}) => trials).length,
    ...(plan.event.search && areCut(plan.event.tasks) && {beside: (await readFolder(folder)).state}),
  };
  const trials = plan.event.trials.filter(isTrial).filter(({id}) => chosen.has(id));
  const emit = failure.guard((body: RunEventBody) => options.onEvent(store.append(body)));
  const {moreSeeds = []} = claiming;
  const settings = {only: [], resume: true, part, moreSeeds, signal: options.signal, onEvent: options.onEvent};
  try {
    const end = await play({prepared, trials, choice, store, options: settings, failure, emit, began: Date.now()});
    if (end !== 'finished' || store.left.length === 0) return end;
    options.onRemark(`${listOf(store.left)}: no more is wanted until other trials of the search have come further.`);
    return 'stopped';
  } finally {
    store.close();
  }
}

/** The attempts of the first task of a run that is finished. @throws SweepError `not-finished` */
async function attemptAtEnd({folder}: Planned): Promise<number> {
  const {state} = await readFolder(folder);
  const isBusy = state.tasks.some(view => view.state === 'running' && isTaskLive(folder, view));
  return state.state !== 'finished' || isBusy ? notFinished() : state.tasks[0]!.attempt;
}

function notFinished(): never {
  throw new SweepError(
    'not-finished',
    'More seeds are for a run that is finished, and tasks of this one are not, or are being worked on: go on with `run FILE --shard 1/1`, then ask for them.',
  );
}
