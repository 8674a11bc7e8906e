/** `submit`: a sweep is planned and its tasks are handed over; of a submitted run what is left. */
import {existsSync, statSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {emptyRun, type RunState} from '../../core/run/fold.ts';
import {count} from '../../core/run/format.ts';
import type {Task} from '../../core/run/tasks/tasks.ts';
import {discard} from '../files/write-whole.ts';
import {refuseErrors} from '../inspect/check.ts';
import {sweepOf} from '../run/sweep-file.ts';
import {hasRun, readRun, runFolderOf} from '../store/run.ts';
import {forgetStop} from '../store/stop-file.ts';
import {relayFacts} from './facts.ts';
import {type Filed, type NamedScript, scriptsOf} from './filing.ts';
import {busyTasks, fileTasks, filingOf, type Handing, refuseNoTasks} from './left.ts';
import {checkOptions, type JobOptions} from './options.ts';
import {overProfile, readProfile} from './profiles.ts';
import {limitsHere, queueHere, refuseNoSlurm} from './slurm.ts';

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
  const options = checkOptions(overProfile(readProfile(submitting.profile), submitting.given));
  const handing = {...submitting, options};
  if (submitting.to === 'slurm' && !submitting.dryRun) await refuseNoSlurm();
  return isFolder(target) ? submitLeft(resolve(target), handing) : submitNew(target, handing);
}
