/** Jobs of a scheduler that are known to be gone: whoever hands a task over again has made sure of that. */
import {join} from 'node:path';
import {tasksFolder} from '../../../core/run/tasks/names.ts';
import {readEvents} from '../events.ts';
import {taskFilesIn} from './task-files.ts';

/** Whether a job (`12_3`) is one of those that were handed over before the round of `own`. */
export async function earlierJobs(folder: string, own: string | undefined): Promise<(job: string) => boolean> {
  const rounds = new Map<string, number>();
  for (const name of own === undefined ? [] : taskFilesIn(folder).submissions)
    await readEvents(join(folder, tasksFolder, name), event => {
      if (event.event === 'submitted' && event.job !== null) rounds.set(event.job, event.round);
    });
  const mine = own === undefined ? undefined : rounds.get(arrayOf(own));
  return job => mine !== undefined && (rounds.get(arrayOf(job)) ?? mine) < mine;
}

const arrayOf = (job: string): string => job.split('_')[0]!;
