/** The story of one start of some tasks of a run, beside other processes on any machine. */
import {dirname, join, resolve} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {SweepError} from '../../../core/error.ts';
import type {Pinned, RunEvent} from '../../../core/run/events.ts';
import type {Cut} from '../../../core/run/tasks/tasks.ts';
import type {SeedWish} from '../../../core/search/comparing/more-seeds.ts';
import {onlySweep} from '../../../core/sweep/only.ts';
import type {Choice, Wish} from '../../engine/choose.ts';
import {sweepCaches, sweepRunFolder} from '../../store/leftovers.ts';
import {readManifest} from '../../store/manifest.ts';
import {manifestName} from '../../store/names.ts';
import {refuseLinks, refuseNoRun, runFolderOf} from '../../store/run.ts';
import {heedStopOf} from '../../store/stop-file.ts';
import type {OpenTasks} from '../../store/tasks/open-tasks.ts';
import {followPlan, type Plan, readPlan, storePlan} from '../../store/tasks/plan-file.ts';
import {surroundingsOf} from '../opening.ts';
import {arrange, checkTrials, coresFor} from '../packs.ts';
import type {Prepared} from '../prepare.ts';
import {checkProbed} from '../probing.ts';
import {RunFailure} from '../run-failure.ts';
import {anyOf, readingProgress} from '../sweep.ts';
import {openSweep} from '../sweep-file.ts';
import type {SweepEnd, SweepOptions} from '../under-way.ts';
import type {Wanted} from './choose-tasks.ts';
import {checkSteps, chooseFor, chooseForNow, pinnedBy} from './pinned.ts';
import {planOf} from './plan-run.ts';
import {type Planned, workOn} from './work-on.ts';

export interface PartOptions extends Pick<SweepOptions, 'signal' | 'onEvent' | 'onPreparing'> {
  wanted: Wanted;
  /** Filters KEY=VALUE on the trials of a run that is not planned yet. */
  only: readonly string[];
  /** Further seeds of a run that is finished. */
  moreSeeds: readonly SeedWish[];
  /** Hears of every event as it is stored. */
  onStored?(event: RunEvent): void;
  /** Sentences for people. */
  onRemark(sentence: string): void;
}

/** Where a part finds its sweep and its run. */
export interface PartSource {
  file: string;
  /** The folder that the paths in the file start from. */
  base: string;
  folder: string;
}

/** `run FILE --shard I/N` */
export function sourceOfFile(file: string, out: string | undefined): PartSource {
  const {sweep} = openSweep(file);
  return {file: resolve(file), base: dirname(resolve(file)), folder: runFolderOf(file, sweep.name, out)};
}

/**
 * `run --task ID DIR`: the sweep file as it was planned, whatever became of the original.
 * @throws SweepError `no-run`, `bad-manifest`
 */
export function sourceOfRun(dir: string): PartSource {
  const folder = resolve(dir);
  refuseNoRun(folder);
  const manifest = readManifest(join(folder, manifestName));
  const [first] = manifest?.starts ?? [];
  if (!manifest?.rerun || !first)
    throw new SweepError(
      'bad-manifest',
      `${folder} does not say which sweep file it was planned with; start its parts by \`run FILE --shard I/N --out ${folder}\`.`,
    );
  return {file: join(folder, first.sweepFile), base: manifest.rerun.folder, folder};
}

/**
 * Works on the tasks that are asked for, until nothing of them is left. Everything that can be refused is refused before a task is
 * claimed. @throws SweepError
 */
export async function runPart(source: PartSource, options: PartOptions): Promise<SweepEnd> {
  const failure = new RunFailure();
  const held: {tasks?: OpenTasks} = {};
  const stop = heedStopOf(source.folder, () => held.tasks?.attempts ?? []);
  const signal = AbortSignal.any([options.signal, stop.signal, failure.signal]);
  const leave = failure.guard(() => held.tasks?.close());
  process.once('exit', leave);
  let end: SweepEnd = 'stopped';
  try {
    sweepCaches();
    sweepRunFolder(source.folder, {ours: false});
    const planned = await follow(source, options, signal);
    if (!signal.aborted)
      end = await workOn(planned, {...options, signal}, failure, tasks => {
        held.tasks = tasks;
      });
  } catch (error) {
    if (!(anyOf(options.signal, stop.signal).aborted && isStop(error))) failure.report(error);
  } finally {
    leave();
    stop.close();
    process.off('exit', leave);
  }
  try {
    failure.check();
  } catch (error) {
    if (!(error instanceof SweepError && error.code === 'superseded')) throw error;
    options.onRemark(error.message);
    return 'stopped';
  }
  return end;
}

export interface PlanOptions extends Pick<SweepOptions, 'signal' | 'onPreparing'> {
  cut: Cut;
  only: readonly string[];
  /** The plan is settled later, where the tasks run: what this machine lacks is no obstacle. */
  provisional?: boolean;
}

/**
 * Plans a run without working on it; of one that is planned already the plan is followed. What its first part would find.
 * @throws SweepError
 */
export function planRun(source: PartSource, {cut, ...options}: PlanOptions): Promise<Planned> {
  return follow(source, {...options, wanted: {cut, of: tasks => [...tasks]}}, options.signal);
}

const isStop = (error: unknown): boolean => error instanceof SweepError && error.code === 'stopped';

/** Prepares the sweep as the plan has it; the first part makes the plan. @throws SweepError */
async function follow(
  {file, base, folder}: PartSource,
  options: Pick<PartOptions, 'wanted' | 'only' | 'onPreparing'> & Pick<PlanOptions, 'provisional'>,
  signal: AbortSignal,
): Promise<Planned> {
  const {sweep, prepare, wish} = openSweep(file, undefined, base);
  refuseLinks(folder);
  let plan = await readPlan(folder);
  for (;;) {
    const pinned = plan?.event.pinned;
    const {choice, provisional} = await chosen(await wish(), pinned, options.provisional);
    const cores = coresFor(choice, sweep.run.workers);
    const loading = {signal, progress: readingProgress(options)};
    const prepared = await prepare(cores, undefined, loading, {...choice, pinned});
    const trials = onlySweep(sweep, []);
    checkTrials(prepared, trials);
    arrange(prepared, trials, choice.gpu, undefined, cores);
    if (sweep.curvature) checkProbed(prepared, sweep.curvature, trials);
    const here: Pinned = {...pinnedBy(prepared, choice), ...(provisional && {provisional})};
    plan ??= await storePlan(
      folder,
      planOf(prepared, {cut: options.wanted.cut, only: options.only, pinned: here, choice}),
    );
    const there = plan.event.pinned;
    // Another process was first with a plan that has this machine do otherwise.
    if (pinned === undefined && !isDeepStrictEqual(there, here)) continue;
    const around = await surroundingsOf(prepared, choice);
    const original = join(base, file.slice(dirname(file).length + 1));
    const again = {verb: 'run', words: options.only.flatMap(filter => ['--only', filter])};
    const notes = followPlan(folder, plan, {sweep, around, sweepFile: {file, original}, again});
    checkSteps(prepared, there);
    refuseOtherChoice(plan, prepared, options.only);
    return {folder, plan, notes, prepared, choice};
  }
}

async function chosen(
  wish: Wish,
  pinned: Pinned | undefined,
  mayBeProvisional = false,
): Promise<{choice: Choice; provisional: boolean}> {
  if (pinned === undefined && mayBeProvisional) return chooseForNow(wish);
  return {choice: await chooseFor(wish, pinned), provisional: false};
}

function refuseOtherChoice({event}: Plan, {sweep}: Prepared, only: readonly string[]): void {
  if (only.length === 0) return;
  const chosen = onlySweep(sweep, only).map(({id}) => id);
  if (isDeepStrictEqual(chosen, event.selected)) return;
  throw new SweepError(
    'not-comparable',
    `--only ${only.join(' ')}: this run was planned for ${event.selected?.length} trials and this part asks for ${chosen.length}; give every part the same filters, or start a new run with --out.`,
  );
}
