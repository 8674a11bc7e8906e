/** What is left of a run, handed to Slurm: by `submit`, and by its relay. */
import {realpathSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {RunEventBody, Submitted} from '../../core/run/events.ts';
import type {RunState} from '../../core/run/fold.ts';
import {elementOf} from '../../core/run/tasks/elements.ts';
import type {TaskView} from '../../core/run/tasks/task-views.ts';
import {discard} from '../files/write-whole.ts';
import {doneOf, nextRound} from './facts.ts';
import {type JobOptions, optionWords} from './options.ts';
import {openRecord} from './record.ts';
import {cancelJobs, isOver, type QueuedJob} from './slurm/commands.ts';
import {type Filed, type Filing, fileRound} from './slurm/filing.ts';
import {queueFile} from './slurm/queue.ts';
import {refuseUnfit} from './words.ts';

/** How tasks are to be handed over. */
export interface Handing {
  options: JobOptions;
  retryFailed: number;
  relay: boolean;
  prepare: boolean;
}

/** The round that these tasks of a run would be filed in. @throws SweepError `usage` for a folder that no script can name */
export function filingOf(folder: string, state: RunState, tasks: readonly string[], handing: Handing): Filing {
  const program = realpathSync(process.argv[1]!);
  refuseUnfit(folder, 'The path of the run folder');
  refuseUnfit(program, "The path of LoRA Sweep's command");
  const round = nextRound(state);
  const words = [...optionWords(handing.options), `--retry-failed=${handing.retryFailed}`];
  const {options, prepare} = handing;
  return {
    ...{name: jobName(state.name), folder, program, options, tasks, round, prepare},
    ...(handing.relay && {relay: words}),
  };
}

/** As a scheduler shows it in a narrow column: letters that are safe everywhere. */
function jobName(name: string): string {
  return name.replace(/[^\w.+-]+/g, '-').slice(0, 40);
}

/** Who files, what of the tasks had failed before, and by hand how it was asked for. */
export interface By extends Pick<Submitted, 'options' | 'profile' | 'lines'> {
  by?: 'relay';
  retried: readonly string[];
}

/**
 * Files tasks and records it in the run folder: both, or neither.
 * @throws SweepError as `fileRound`, and `disk-full`, `cannot-write`
 */
export async function fileTasks(filing: Filing, state: RunState, by: By): Promise<Filed> {
  const record = openRecord(filing.folder);
  let filed: Filed | undefined;
  try {
    filed = await fileRound(filing);
    record.add(submissions(filed, filing.round, doneOf(state), by));
  } catch (error) {
    // Jobs that the folder knows nothing of would be filed twice.
    if (filed) await cancelJobs(jobsOf(filed));
    record.drop();
    throw error;
  }
  record.close();
  discard(join(filing.folder, queueFile));
  return filed;
}

export function jobsOf({arrays, prepare, relay}: Filed): string[] {
  return [prepare ?? [], arrays.map(({job}) => job), relay ?? []].flat();
}

function submissions(
  {arrays, prepare, relay}: Filed,
  round: number,
  done: number,
  {retried, ...by}: By,
): RunEventBody[] {
  return arrays.map(({job, tasks, script, offset}) => ({
    ...{event: 'submitted', to: 'slurm', job, tasks, round, script},
    ...(relay !== undefined && {relay}),
    ...(prepare !== undefined && {prepare}),
    ...(offset > 0 && {offset}),
    ...by,
    done,
    ...(retried.length > 0 && {retried: retried.filter(task => tasks.includes(task))}),
  }));
}

/**
 * Tasks that wait in the queue, or that somebody works on. Of a job that was filed only the queue counts, where it can be asked: what
 * a lost node wrote last may look alive.
 */
export function busyTasks({tasks, submitted}: RunState, queue: readonly QueuedJob[] | null): Set<string> {
  const queued = new Set((queue ?? []).filter(job => !isOver(job)).map(({job}) => job));
  const isBusy = ({task, state, job}: TaskView) =>
    queued.has(elementOf(submitted, task) ?? '') || (state === 'running' && (queue === null || job === null));
  return new Set(tasks.filter(isBusy).map(({task}) => task));
}

/** @throws SweepError `no-tasks` */
export function refuseNoTasks(folder: string, {tasks}: RunState): void {
  if (tasks.length === 0)
    throw new SweepError(
      'no-tasks',
      `The run in ${folder} was begun by one process and has no tasks to hand over; \`lora-sweep run FILE --out ${folder} --resume\` goes on with it.`,
    );
}
