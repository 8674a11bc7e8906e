/** `cancel`, as far as Slurm's queue goes. */
import {join} from 'node:path';
import type {RunState} from '../../../core/run/fold.ts';
import {count} from '../../../core/run/format.ts';
import {elementOf} from '../../../core/run/tasks/elements.ts';
import {discard} from '../../files/write-whole.ts';
import {readRun} from '../../store/run.ts';
import {askToStop} from '../../store/stop-file.ts';
import {openRecord} from '../record.ts';
import {cancelJobs, isOver, queueHere} from './commands.ts';
import {queueFile} from './queue.ts';

/**
 * Takes tasks of a run out of the queue, all of them with its relay where none are named; what was done, in sentences.
 * @throws SweepError `no-run`; `refused` with Slurm's words
 */
export async function takeOutOfQueue(folder: string, tasks?: readonly string[]): Promise<string[]> {
  const {state} = await readRun(folder);
  const taken = await takeOut(folder, state, tasks);
  if (taken === null) {
    // The relay sees it.
    askToStop(folder, tasks ?? []);
    return [
      'Slurm cannot be asked from here: what waits in its queue stays there, and what ends is not filed again. Cancel where Slurm is, too.',
    ];
  }
  return taken > 0
    ? [`${count(taken, 'job')} taken out of Slurm's queue; \`lora-sweep submit ${folder}\` files again what is left.`]
    : [];
}

/** How many jobs; null where there is no Slurm to ask. */
async function takeOut(folder: string, state: RunState, tasks?: readonly string[]): Promise<number | null> {
  const {submitted} = state;
  if (submitted.every(({job}) => job === null)) return 0;
  const queue = await queueHere();
  if (queue === null) return null;
  const live = queue.filter(job => !isOver(job)).map(({job}) => job);
  const elements = new Set(tasks?.flatMap(task => elementOf(submitted, task) ?? []));
  const jobs = new Set(submitted.flatMap(({job, relay, prepare}) => [job ?? [], relay ?? [], prepare ?? []].flat()));
  const own = tasks ? live.filter(job => elements.has(job)) : live.filter(job => jobs.has(job.split('_')[0]!));
  if (own.length === 0) return 0;
  await cancelJobs(tasks ? own : [...new Set(own.map(job => job.split('_')[0]!))]);
  const record = openRecord(folder);
  record.add([{event: 'note', message: `Cancelled in the queue: ${count(own.length, 'job')}.`}]);
  record.close();
  discard(join(folder, queueFile));
  return own.length;
}
