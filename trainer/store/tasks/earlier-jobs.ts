/** Jobs of a scheduler that are known to be gone: whoever hands a task over again has made sure of that. */
import {submissionsIn} from './submissions.ts';

/** Whether a job (`12_3`) is one of those that were handed over before the round of `own`. */
export async function earlierJobs(folder: string, own: string | undefined): Promise<(job: string) => boolean> {
  const submitted = own === undefined ? [] : await submissionsIn(folder);
  const rounds = new Map(submitted.flatMap(({job, round}) => (job === null ? [] : [[job, round] as const])));
  const mine = own === undefined ? undefined : rounds.get(arrayOf(own));
  return job => mine !== undefined && (rounds.get(arrayOf(job)) ?? mine) < mine;
}

const arrayOf = (job: string): string => job.split('_')[0]!;
