/** What schedulers tell the processes that they start, by the environment. */

type Environment = Readonly<Record<string, string | undefined>>;

/** The place of a process in an array of jobs. */
export interface ArrayIndex {
  /** Where it was read. */
  variable: string;
  index: number;
  /** The least index of the array. */
  first: number;
  /** How many jobs the array has; null where the scheduler does not tell. */
  count: number | null;
}

interface Source {
  index: string;
  /** The least index, where the scheduler tells it; else a number. */
  first: string | number;
  count: string | null;
  /** The greatest index, where that is told instead of the number. */
  last?: string;
}

/** In this order; a job inside of another one's has both. */
const sources: readonly Source[] = [
  {index: 'SLURM_ARRAY_TASK_ID', first: 'SLURM_ARRAY_TASK_MIN', count: 'SLURM_ARRAY_TASK_COUNT'},
  {index: 'JOB_COMPLETION_INDEX', first: 0, count: null},
  {index: 'PBS_ARRAY_INDEX', first: 1, count: null},
  {index: 'LSB_JOBINDEX', first: 1, count: null, last: 'LSB_JOBINDEX_END'},
  {index: 'SGE_TASK_ID', first: 'SGE_TASK_FIRST', count: null, last: 'SGE_TASK_LAST'},
  {index: 'AWS_BATCH_JOB_ARRAY_INDEX', first: 0, count: 'AWS_BATCH_JOB_ARRAY_SIZE'},
  {index: 'SKYPILOT_JOB_RANK', first: 0, count: 'SKYPILOT_NUM_JOBS'},
];

/** The variables that are looked at. */
export const indexVariables: readonly string[] = sources.map(({index}) => index);

/** Null outside of an array. LSF and SGE set theirs to 0 and `undefined` there. */
export function arrayIndex(environment: Environment = process.env): ArrayIndex | null {
  for (const {index: variable, first: least, count, last} of sources) {
    const index = wholeOf(environment[variable]);
    if (index === null || (variable === 'LSB_JOBINDEX' && index === 0)) continue;
    const first = typeof least === 'number' ? least : (wholeOf(environment[least]) ?? 1);
    const end = last === undefined ? null : wholeOf(environment[last]);
    const told = count === null ? null : wholeOf(environment[count]);
    return {variable, index, first, count: told ?? (end === null ? null : end - first + 1)};
  }
  return null;
}

/** The scheduler's name of this job, the same when it is started again; undefined outside of one. */
export function jobName(environment: Environment = process.env): string | undefined {
  const {SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: task, SLURM_JOB_ID: job} = environment;
  if (array !== undefined && task !== undefined) return `${array}_${task}`;
  const {PBS_JOBID: pbs, LSB_JOBID: lsf, LSB_JOBINDEX: place, AWS_BATCH_JOB_ID: batch} = environment;
  return job ?? pbs ?? (lsf === undefined ? batch : `${lsf}[${place ?? 0}]`);
}

function wholeOf(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
