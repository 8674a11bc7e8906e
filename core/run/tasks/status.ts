/** How a run stands, as `status --json` prints it. */
import type {TrialState} from '../events.ts';
import type {TaskState} from './task-views.ts';

export interface Status {
  state: 'waiting' | 'running' | 'finished' | 'failed' | 'stopped';
  name: string;
  /** How many trials are in each state. */
  trials: Partial<Record<TrialState, number>>;
  /** Of runs over several machines. */
  tasks: TaskStatus[];
  /** Who was asked about them; null where there was nobody to ask. */
  scheduler: 'slurm' | null;
  jobs: JobStatus[];
  /** Seconds left; null where it is not known or nothing runs. */
  eta_s: number | null;
}

export interface TaskStatus {
  task: string;
  state: TaskState;
  /** The last one; 0 before the first. */
  attempt: number;
  host: string | null;
  job: string | null;
  /** Why it waits, as the scheduler says; or why it failed. */
  reason: string | null;
  /** How many it has. */
  trials: number;
  /** Optimizer steps done, and of all of its trials. */
  steps: number;
  total: number;
}

/** A job in the scheduler's queue. */
export interface JobStatus {
  job: string;
  /** The array of tasks, what fills the caches before them, what looks after what is left. */
  kind: 'tasks' | 'prepare' | 'relay';
  state: string;
  reason: string | null;
}
