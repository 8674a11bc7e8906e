/** `submit`: a sweep is planned and its tasks are handed over; of a submitted run what is left. */
import {existsSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {emptyRun, type RunState} from '../../core/run/fold.ts';
import {count} from '../../core/run/format.ts';
import {type TaskView, waitingTask} from '../../core/run/tasks/task-views.ts';
import {searchedBeside, type Task, tasksOf} from '../../core/run/tasks/tasks.ts';
import {onlySweep} from '../../core/sweep/only.ts';
import {expandTrials} from '../../core/sweep/trials.ts';
import {entryOf} from '../files/door.ts';
import {discard} from '../files/write-whole.ts';
import {refuseErrors} from '../inspect/check.ts';
import {sweepOf} from '../run/sweep-file.ts';
import {planRun, sourceOfFile} from '../run/tasks/part.ts';
import {readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {hasRun, readRun, runFolderOf} from '../store/run.ts';
import {forgetStop} from '../store/stop-file.ts';
import {againOf, handedOver} from './again.ts';
import {writeOut} from './elsewhere/written-out.ts';
import {askedTasks} from './facts.ts';
import {busyTasks, fileTasks, filingOf, type Handing, refuseNoTasks} from './left.ts';
import {checkOptions, type JobOptions} from './options.ts';
import {overProfile, readProfile} from './profiles.ts';
import {closingTask, refuseNoRounds, wantedIn} from './rounds.ts';
import {limitsHere, queueHere, refuseNoSlurm} from './slurm/commands.ts';
import {type Filed, type NamedScript, scriptsOf} from './slurm/filing.ts';
import {shellWord} from './words.ts';

export type Target = 'slurm' | 'kubernetes' | 'script';

export interface Submitting {
  to: Target;
  profile?: string;
  out?: string;
  only: string[];
  /** Trials of a task, at most; `auto`: a cell is a task. */
  perTask: number | 'auto';
  /** What the command line says of the jobs. */
  given: JobOptions;
  retryFailed: number;
  relay: boolean;
  prepare: boolean;
  dryRun: boolean;
  signal: AbortSignal;
  /** Hears what takes a moment. */
  note(line: string): void;
}

export interface Outcome {
  folder: string;
  dryRun: boolean;
  /** 0 where nothing was handed over. */
  round: number;
  /** What was handed over, or would be. */
  tasks: Task[];
  scripts: NamedScript[];
  jobs: {job: string; kind: 'prepare' | 'tasks' | 'relay'; tasks: string[]}[];
  /** In sentences. */
  said: string[];
}

/** @throws SweepError: the file's errors, those of options and profiles, `no-scheduler`, `refused` */
export async function submit(target: string, submitting: Submitting): Promise<Outcome> {
  return entryOf(target)?.isDirectory() ? submitLeft(resolve(target), submitting) : submitNew(target, submitting);
}

/** `sweepFolder`: the folder of the sweep file. */
type Asked = Submitting & Handing & {sweepFolder: string};

/** With what profile and command line come to. */
async function askedFor(submitting: Submitting, sweepFolder: string): Promise<Asked> {
  const options = checkOptions(overProfile(readProfile(submitting.profile), submitting.given));
  if (submitting.to === 'slurm' && !submitting.dryRun) await refuseNoSlurm();
  return {...submitting, options, sweepFolder};
}

async function submitNew(file: string, submitting: Submitting): Promise<Outcome> {
  const asked = await askedFor(submitting, dirname(resolve(file)));
  const {only, out, perTask, note, dryRun} = asked;
  await refuseErrors(file, only);
  const sweep = sweepOf(file);
  const folder = runFolderOf(file, sweep.name, out);
  if (hasRun(folder))
    throw new SweepError(
      'run-exists',
      `${folder} already holds a run; \`lora-sweep submit ${folder}\` hands over what is left of it, and --out names another folder.`,
      {folder},
    );
  const cut = {perTask: perTask === 'auto' ? undefined : perTask};
  const isByRounds = sweep.search !== undefined && perTask !== 'auto';
  if (isByRounds) refuseNoRounds(asked, only);
  if (dryRun) {
    const selected = onlySweep(sweep, only).map(({id}) => id);
    const tasks = tasksOf(expandTrials(sweep), cut, searchedBeside(sweep));
    const planned = {...emptyRun, name: sweep.name, tasks: tasks.map(waitingTask), selected};
    const shown = await handOver(folder, planned, askedTasks(planned), asked);
    return isByRounds ? {...shown, said: [...shown.said, byRounds]} : shown;
  }
  note('Reading model and data …');
  const isNew = !existsSync(folder);
  try {
    await planRun(sourceOfFile(file, folder), {only, cut, signal: asked.signal, provisional: asked.prepare});
    const {state} = await readRun(folder, undefined, true);
    refuseNoGpu(state, asked);
    const wanted = await wantedIn(folder, state);
    const first = askedTasks(state).filter(({task}) => wanted?.has(task) ?? true);
    return await handOver(folder, state, first, asked);
  } catch (error) {
    if (isNew) discard(folder);
    throw error;
  }
}

const byRounds =
  'The search begins with the tasks of the rates that it scans; the relay files the others as they come to be wanted.';

/** Without a job that settles the plan on a node, tasks are trained as it was made here. @throws SweepError `no-gpu` */
function refuseNoGpu({pinned}: RunState, {options, prepare, to}: Asked): void {
  const isOnGpu = pinned?.device === 'gpu' || pinned?.engine === 'tfjs-node-gpu' || pinned?.engine === 'webgpu';
  if (options.gpus === undefined || isOnGpu || (prepare && to === 'slurm')) return;
  throw new SweepError(
    'no-gpu',
    `--gpus ${options.gpus}: this machine has no GPU, so that the run would be planned for CPUs; ${to === 'slurm' ? 'leave --no-prepare out, and the plan is settled where the tasks run' : 'submit from a machine that has one'}.`,
  );
}

async function submitLeft(folder: string, submitting: Submitting): Promise<Outcome> {
  const {only, out, perTask, to, dryRun} = submitting;
  if (only.length > 0 || out !== undefined || perTask !== 'auto')
    throw new SweepError(
      'usage',
      'A run that was submitted keeps its trials, tasks and folder: leave out --only, --per-task and --out.',
    );
  const {state} = await readRun(folder, undefined, true);
  refuseNoTasks(folder, state);
  const busy = busyTasks(state, to === 'slurm' ? await queueHere() : null);
  const closing = await closingTask(folder, state);
  const left = askedTasks(state).filter(({task, state: now}) => now !== 'finished' || task === closing);
  const wanted = await wantedIn(folder, state);
  const tasks = left.filter(({task}) => !busy.has(task) && (wanted?.has(task) ?? true));
  if (tasks.length > 0) {
    const sweepFolder = readManifest(join(folder, manifestName))?.rerun?.folder ?? dirname(folder);
    return handOver(folder, state, tasks, await askedFor(againOf(submitting, state), sweepFolder));
  }
  const why =
    left.length === 0
      ? `${count(state.tasks.length, 'task')} of ${state.name} ${state.tasks.length === 1 ? 'has' : 'have'} ended`
      : `what is left of ${state.name} is in the queue or running (${count(left.length, 'task')})`;
  const nothing = {round: 0, tasks: [], scripts: [], jobs: []};
  return {folder, dryRun, ...nothing, said: [`There is nothing to do: ${why}.`]};
}

async function handOver(folder: string, state: RunState, tasks: readonly TaskView[], asked: Asked): Promise<Outcome> {
  const {dryRun, to, sweepFolder} = asked;
  const shared = {folder, dryRun, tasks: [...tasks], jobs: []};
  if (to !== 'slurm') return {...shared, ...writeOut({to, folder, sweepFolder, state, tasks}, asked)};
  const hasBegun = state.tasks.some(({attempt}) => attempt > 0);
  const names = tasks.map(({task}) => task);
  const filing = filingOf(folder, state, names, {...asked, prepare: asked.prepare && !hasBegun});
  const limits = await limitsHere();
  const {round} = filing;
  if (dryRun)
    return {
      ...shared,
      round,
      scripts: scriptsOf(filing, limits),
      said: [`${count(tasks.length, 'task')} would be filed; nothing was.`],
    };
  // Of somebody who cancelled it before.
  forgetStop(folder);
  const scripts = scriptsOf(filing, limits);
  const retried = tasks.flatMap(({task, state: now}) => (now === 'failed' ? [task] : []));
  const filed = await fileTasks(filing, state, {retried, ...handedOver(asked)});
  return {...shared, round, scripts, jobs: jobsIn(filed), said: saidOf(folder, filed, names.length)};
}

function jobsIn({arrays, prepare, relay}: Filed): Outcome['jobs'] {
  return [
    ...(prepare === undefined ? [] : [{job: prepare, kind: 'prepare' as const, tasks: []}]),
    ...arrays.map(({job, tasks}) => ({job, kind: 'tasks' as const, tasks})),
    ...(relay === undefined ? [] : [{job: relay, kind: 'relay' as const, tasks: []}]),
  ];
}

function saidOf(folder: string, {arrays, relay}: Filed, asked: number): string[] {
  const quoted = shellWord(folder);
  const filed = arrays.reduce((sum, {tasks}) => sum + tasks.length, 0);
  const rest =
    filed < asked ? [`Slurm takes no more of them now; the relay files the other ${asked - filed} later.`] : [];
  return [
    `${count(filed, 'task')} of ${folder} ${filed === 1 ? 'is' : 'are'} in Slurm's queue; nothing has to stay open here.`,
    ...rest,
    `  lora-sweep status ${quoted}   says how it stands`,
    `  lora-sweep cancel ${quoted}   stops it`,
    ...(relay === undefined
      ? [`  lora-sweep merge ${quoted}   makes one run of it when all have ended`]
      : [`  lora-sweep submit ${quoted}   files what is left, should the relay be lost`]),
  ];
}
