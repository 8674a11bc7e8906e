/** Slurm's own programs, and nothing else of it: sbatch, squeue, scancel, scontrol. */
import {execFile} from 'node:child_process';
import {SweepError} from '../../../core/error.ts';
import {systemCode} from '../../files/write-whole.ts';
import {type Limits, usualLimits} from './array.ts';

/** Bytes of an answer: a line for each of a hundred thousand elements. */
const mostBytes = 64 << 20;

/** A controller that is down is asked again and again by Slurm's programs; whoever only looks on does not wait so long. */
const lookMilliseconds = 30_000;

/** What the scheduler says of a job, or of an element of an array. */
export interface QueuedJob {
  /** `12_3`, or `12` for what is no array. */
  job: string;
  /** As Slurm writes it: PENDING, RUNNING, COMPLETING, … */
  state: string;
  /** Why it is not running, e.g. `Priority`; null where there is nothing to say. */
  reason: string | null;
  /** Null where it runs nowhere. */
  node: string | null;
}

interface Answer {
  status: number | null;
  out: string;
  said: string;
  /** There is no such program. */
  missing: boolean;
}

/**
 * The environment without what Slurm set for a job: sbatch hands on all it has, and a task that did not ask for memory would take that
 * of the relay for its own.
 */
export function outsideOfJob(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (environment['SLURM_JOB_ID'] === undefined) return environment;
  const given =
    /^(SLURM_(?!CONF$|CLUSTERS$)|SLURMD_|PMI|CUDA_VISIBLE_DEVICES$|ROCR_VISIBLE_DEVICES$|GPU_DEVICE_ORDINAL$)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !given.test(name)));
}

function ask(program: string, words: readonly string[], timeout = 0): Promise<Answer> {
  return new Promise(resolve => {
    const options = {encoding: 'utf8', maxBuffer: mostBytes, timeout, env: outsideOfJob(process.env)} as const;
    const child = execFile(program, words, options, (error, out, said) => {
      const missing = error !== null && systemCode(error) === 'ENOENT';
      resolve({status: error === null ? 0 : child.exitCode, out, said: said.trim(), missing});
    });
    child.stdin?.end();
  });
}

/**
 * Files a script; returns the id of its job. `after`: jobs that must have ended, however; `pause`: seconds before it begins.
 * @throws SweepError `no-scheduler`; `refused` with Slurm's own words
 */
export async function fileScript(script: string, after: readonly string[] = [], pause = 0): Promise<string> {
  const dependency = after.length > 0 ? [`--dependency=afterany:${after.join(':')}`] : [];
  const begin = pause > 0 ? [`--begin=now+${pause}`] : [];
  const {status, out, said, missing} = await ask('sbatch', ['--parsable', ...dependency, ...begin, script]);
  if (missing) throw noSlurm();
  const id = /^(\d+)(;|$)/m.exec(out.trim())?.[1];
  if (status !== 0 || id === undefined)
    throw new SweepError(
      'refused',
      `Slurm did not take the job: ${oneLine(said) || `sbatch ended with status ${status} and said nothing`}`,
      {
        script,
      },
    );
  return id;
}

/** @throws SweepError `no-scheduler` where sbatch is not on the PATH */
export async function refuseNoSlurm(): Promise<void> {
  const {missing} = await ask('sbatch', ['--version']);
  if (missing) throw noSlurm();
}

function noSlurm(): SweepError {
  return new SweepError(
    'no-scheduler',
    'There is no sbatch on this machine; submit from a login node of the cluster, or write a script for another scheduler with --to script.',
  );
}

/** Whether Slurm refused because a user or the cluster has enough jobs, so that fewer may be taken. */
export function isForNumber(error: unknown): boolean {
  return (
    error instanceof SweepError &&
    error.code === 'refused' &&
    /MaxSubmit|SubmitJobs|job submit limit|Invalid job array specification|Slurm temporarily unable to accept job/i.test(
      error.message,
    )
  );
}

/** What Slurm writes on several lines with its own prefixes, as a sentence. */
function oneLine(said: string): string {
  const lines = said.split('\n').map(line => line.replace(/^(sbatch|scancel|scontrol|squeue): (error: )?/, '').trim());
  const text = lines.filter(line => line !== '').join('; ');
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What this cluster takes at a time; Slurm's own defaults where it does not say. */
export async function limitsHere(): Promise<Limits> {
  const {out} = await ask('scontrol', ['show', 'config'], lookMilliseconds);
  const read = (key: string): number | undefined => {
    const number = Number(new RegExp(`^${key}\\s*=\\s*(\\d+)\\s*$`, 'm').exec(out)?.[1]);
    return number > 1 ? number : undefined;
  };
  return {indexBelow: read('MaxArraySize') ?? usualLimits.indexBelow, jobs: read('MaxJobCount') ?? usualLimits.jobs};
}

/** All jobs of this user that Slurm has not forgotten; null where it cannot be asked. */
export async function queueHere(): Promise<QueuedJob[] | null> {
  const words = ['--noheader', '--array', '--states=all', '--format=%i|%T|%r|%N', ...(await ownUser())];
  const {status, out} = await ask('squeue', words, lookMilliseconds);
  return status === 0 ? out.split('\n').flatMap(line => readQueued(line) ?? []) : null;
}

async function ownUser(): Promise<string[]> {
  const {userInfo} = await import('node:os');
  try {
    return [`--user=${userInfo().username}`];
  } catch {
    // A user without a name: of all jobs the run's own are found by their ids.
    return [];
  }
}

/** A line of `%i|%T|%r|%N`. Null for any other. */
export function readQueued(line: string): QueuedJob | null {
  const [, job, state, reason, node] = /^\s*(\d+(?:_\d+)?)\|(\w+)\|(.*)\|([^|]*)$/.exec(line) ?? [];
  if (job === undefined || state === undefined) return null;
  return {job, state, reason: reason && reason !== 'None' ? reason : null, node: node ? node : null};
}

/** Of a job that Slurm keeps for a while after its end. */
export function isOver({state}: QueuedJob): boolean {
  return /^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL|DEADLINE|PREEMPTED|REVOKED)/.test(
    state,
  );
}

/** Takes jobs, or elements of arrays, out of the queue, in one call. @throws SweepError `no-scheduler`, `refused` */
export async function cancelJobs(jobs: readonly string[]): Promise<void> {
  if (jobs.length === 0) return;
  const {status, said, missing} = await ask('scancel', ['--quiet', ...jobs]);
  if (missing)
    throw new SweepError('no-scheduler', 'There is no scancel on this machine; use it on a login node of the cluster.');
  // What has ended already is as it should be.
  if (status !== 0 && !/Invalid job id|already completing or completed/i.test(said))
    throw new SweepError('refused', `Slurm did not cancel: ${oneLine(said)}`);
}
