/**
 * What Slurm says of a run's jobs, asked at most once a minute by all who look at the run: the answer is kept in the run folder, or in
 * memory where nobody may write there.
 */
import {join} from 'node:path';
import {readText} from '../../files/door.ts';
import {isObject} from '../../files/json-file.ts';
import {writeWhole} from '../../files/write-whole.ts';
import type {Submission} from '../facts.ts';
import {type QueuedJob, queueHere} from './commands.ts';
import {scriptsFolder} from './filing.ts';

/** What the scheduler last said of a run's jobs, in its folder. */
export const queueFile = join(scriptsFolder, 'queue.json');

const keptMilliseconds = 60_000;
const mostBytes = 64 << 20;

interface Kept {
  at: number;
  jobs: QueuedJob[] | null;
}

const remembered = new Map<string, Kept>();

/** The jobs of the run that Slurm knows of; null where it cannot be asked, or where nothing was filed there. */
export async function queueOf(
  folder: string,
  {submitted}: {submitted: readonly Submission[]},
): Promise<QueuedJob[] | null> {
  const own = new Set(submitted.flatMap(({to, job, relay, prepare}) => (to === 'slurm' ? [job, relay, prepare] : [])));
  if (own.size === 0) return null;
  const file = join(folder, queueFile);
  const kept = [readKept(file), remembered.get(folder)].find(one => one && isFresh(one));
  if (kept) return kept.jobs;
  const all = await queueHere();
  const jobs = all?.filter(({job}) => own.has(job.split('_')[0]!)) ?? null;
  const asked = {at: Date.now(), jobs};
  remembered.set(folder, asked);
  try {
    writeWhole(file, JSON.stringify(asked));
  } catch {
    // Whoever only looks on may have no right to write.
  }
  return jobs;
}

/** The clock of another machine may be ahead. */
const isFresh = ({at}: Kept): boolean => Math.abs(Date.now() - at) < keptMilliseconds;

function readKept(file: string): Kept | null {
  try {
    const value: unknown = JSON.parse(readText(file, mostBytes));
    if (!isObject(value) || typeof value['at'] !== 'number') return null;
    const {at, jobs} = value;
    return Array.isArray(jobs) ? {at, jobs: jobs.filter(isJob)} : {at, jobs: null};
  } catch {
    return null;
  }
}

function isJob(value: unknown): value is QueuedJob {
  const isTextOrNull = (text: unknown) => text === null || typeof text === 'string';
  return (
    isObject(value) &&
    typeof value['job'] === 'string' &&
    typeof value['state'] === 'string' &&
    isTextOrNull(value['reason']) &&
    isTextOrNull(value['node'])
  );
}
