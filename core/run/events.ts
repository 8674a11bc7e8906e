/**
 * The whole vocabulary between the trainer and everybody else: the lines of `events.jsonl`, which are also what
 * `run --json` prints. Append-only; everything shown anywhere is a fold of these.
 */
import type {MethodCost} from '../method/cost.ts';
import type {SearchStage} from '../search/search.ts';
import type {SearchSettings, VerdictSettings} from '../search/settings.ts';
import type {Settings} from '../sweep/axes/keys.ts';
import type {StoredTrial} from '../sweep/sweep.ts';
import type {Series} from './series/series.ts';
import type {Task} from './tasks/tasks.ts';

/** `paused`: a search trained it for a prefix of its schedule; its checkpoint is kept. */
export type TrialState = 'waiting' | 'running' | 'paused' | 'finished' | 'diverged' | 'failed' | 'stopped';

/** Of a trial: nothing is left to train. */
export function isEnded(state: TrialState): boolean {
  return state === 'finished' || state === 'diverged';
}

/** The run was started or resumed. */
export interface RunStarted {
  event: 'run-started';
  name: string;
  /** Every trial of the sweep, in order; earlier versions wrote down those that were asked for. */
  trials: StoredTrial[];
  engine: string;
  /** Why this engine was taken, one line. */
  reason: string;
  workers: number;
  resumed: boolean;
  /** Optimizer steps of a trial, by batch size (the JSON key is the number as text); with further axes by `stepsKey`. */
  steps: Record<string, number>;
  /** The part of a start: those that it works on (`--only`, not yet finished); absent = all of them. */
  selected?: string[];
  /**
   * Ids of the sweep's trials that `trials` leaves out, in runs of earlier versions (`--only`). A trial of an earlier start that stands in
   * neither is no longer in the sweep file; where this is absent, that is not known.
   */
  others?: string[];
  /** What every method and rank costs. */
  costs?: MethodCost[];
  /** Blocks whose curvature is probed before training; absent = none. */
  probes?: number;
  /** An engine that would be faster on this machine, once it is set up. */
  setUp?: string | undefined;
  /** How rates are searched; absent = every trial is trained whole. */
  search?: SearchSettings;
  /** When methods count as different; absent = the verdict's own defaults. */
  verdict?: VerdictSettings;
  /** Of every axis that has one value in the sweep, that value as text (core/sweep/axes). Absent in runs of earlier versions. */
  fixed?: Settings;
  /**
   * What results depend on beside the trials themselves, by key: a file as `sha256:…` with its path behind, another value as it is or as JSON. Absent
   * in runs of earlier versions, and where several machines share a run.
   */
  made?: Settings;
  /** Evaluations whose earlier results go by another name from here on, or (`to` null) count no longer. */
  evaluations?: {index: number; from: string; to: string | null}[];
  /** Of `selected`, those that runs beside this one had trained. */
  taken?: number;
  /** Axes beside the learning rate over which each method takes its own best. */
  tune?: string[];
  /** Evaluations whose mean decides what is best; absent = the first one. */
  objective?: string[];
  /** What processes of several machines work through; absent where one process has the run. */
  tasks?: Task[];
  /** What all tasks do alike, as the first start found it; with `tasks`. */
  pinned?: Pinned;
}

/** What would make the numbers of tasks differ, were it chosen anew on each machine. */
export interface Pinned {
  engine: string;
  precision: 'float32' | 'bfloat16';
  /** Where the sweep asks for several precisions: the same of each. */
  further?: Record<string, Pick<Pinned, 'engine' | 'precision'>>;
  /** Of the compiled engine; absent for others. */
  device?: 'cpu' | 'gpu';
  /** It was planned where what the sweep file asks for cannot be had, and is to be settled where it can. */
  provisional?: true;
  /** Rows that are computed at a time, by batch size. */
  microBatch: Record<string, number>;
  /** Layers are computed again in the backward pass. */
  recompute: boolean;
  /** Optimizer steps of a trial, by batch size. */
  steps: Record<string, number>;
}

/** Tasks were handed to a scheduler. */
export interface Submitted {
  event: 'submitted';
  /** E.g. `slurm`. */
  to: string;
  /** As the scheduler names it; null where it is the user who hands it over. */
  job: string | null;
  tasks: string[];
  /** From 1: the first hand-over, and each one of what was left. */
  round: number;
  /** Name of the script in the run folder, e.g. `slurm/submit-0001.sh`. */
  script?: string;
  /** The job that looks after what is left when this one has ended. */
  relay?: string;
  /** The job that fills the caches before. */
  prepare?: string;
  /** Where elements have other numbers than their tasks: how much smaller. */
  offset?: number;
  /** `relay`: what was left, without anybody asking. Absent where it was submitted by hand. */
  by?: 'relay';
  /** Steps, evaluations, eigenvalues and ends of trials that were stored by then. */
  done?: number;
  /** Those of the tasks that had failed before. */
  retried?: string[];
  /** Options that it was handed over with, as `submit` reads them (`--cpus=8`), and the profile that was named. */
  options?: string[];
  profile?: string;
  /** There were lines of shell or further options on the command line, which no folder holds. */
  lines?: true;
}

/** A process has begun to work on a task: the first line of an attempt's file. */
export interface TaskStarted {
  event: 'task-started';
  task: string;
  /** From 1. */
  attempt: number;
  host: string;
  /** The process among those of all machines, for who can see whether it lives; absent where the system has no such words. */
  process?: string;
  /** The scheduler's name of the job, e.g. `1234_7`; absent outside of one. */
  job?: string;
  engine: string;
  workers: number;
  /** The trials that are left. */
  selected: string[];
}

/** `superseded`: a later attempt has the task now. `stopped`: something is left, and may be started again. */
export interface TaskEnded {
  event: 'task-ended';
  task: string;
  attempt: number;
  state: 'finished' | 'failed' | 'stopped' | 'superseded';
  seconds: number;
  message?: string | undefined;
}

/** What stands before this line came from the tasks' files. */
export interface Merged {
  event: 'merged';
  /** Bytes that were taken of each, by its name, e.g. `t0007.a2.jsonl`. */
  files: Record<string, number>;
}

/** Trials beside those of the file: further seeds at a chosen rate. */
export interface TrialsAdded {
  event: 'trials-added';
  trials: StoredTrial[];
  /** Somebody asked for them, when words stood already: they are one more look at the same methods. */
  asked?: true;
}

/** A search took a decision. */
export interface Searched {
  event: 'searched';
  cell: string;
  stage: SearchStage;
  place: number | null;
  /** Trials that go further, all of them up to `until`. */
  trials: string[];
  until: number;
  chosen: number | null;
  /** Where several axes are tuned: the cell of the same method and conditions that did better, so that this one was left. */
  left?: string;
  why: string;
}

/** Before a method is called better or worse, the loser is trained at its neighbouring rates with all seeds. */
export interface Challenged {
  event: 'challenged';
  cell: string;
  method: string;
  /** The method it was compared with. */
  by: string;
  rates: number[];
}

/**
 * A long preparation (reading data, factorising weights) made progress. While there is no run folder yet, `run --json` sends it
 * to the process that started it, where that opened Node's channel to it.
 */
export interface Prepared {
  event: 'prepared';
  what: string;
  done: number;
  total: number;
}

export interface TrialStarted {
  event: 'trial-started';
  trial: string;
  /** Steps the trial will take. */
  steps: number;
  worker: number;
  /** One hash over everything that moves its numbers, the form that it is computed in among it; absent in runs of earlier versions. */
  fingerprint?: string;
  /** The run beside this one that trained it. */
  taken?: string;
  /** Updates done before, where the trial goes on from a checkpoint; its earlier steps stand. */
  from?: number;
  /** Of the last of those updates. */
  loss?: number | null;
  gradNorm?: number | null;
  /** Up to that update, where they are too long for a fold to cut off their ends exactly. */
  curves?: Curves;
}

/** The curves of a trial. */
export interface Curves {
  losses: Series;
  gradNorms: Series;
  rates: Series;
}

/** One optimizer step of every trial of a pack: arrays run side by side with `trials`. */
export interface Stepped {
  event: 'step';
  /** Trial ids. */
  trials: string[];
  /** From 1. */
  step: number;
  losses: (number | null)[];
  /** The rate used in this step. */
  rates: number[];
  /** Before clipping; null where it is not finite. */
  gradNorms: (number | null)[];
  /** Tokens of each trial's batch, without padding. */
  tokens?: number[];
}

/** What the run takes of the machine, now and then. */
export interface Measured {
  event: 'resources';
  /** Resident memory of the process with all its workers. */
  memoryBytes: number;
}

export interface Evaluated {
  event: 'evaluation';
  trial: string;
  step: number;
  task: string;
  /** What tells it from other entries of `evaluate` with this task: the name of its data; absent where there are none. */
  entry?: string | undefined;
  /** Place in the sweep file's list, from 0: results come in any order. */
  index?: number;
  /** `accuracy` (0..1) or `loss` (token mean). */
  metric: string;
  value: number | null;
  correct: number | null;
  total: number;
  /** Which questions were answered rightly (`packRight`), where there is one answer to each; absent in runs of earlier versions. */
  right?: string;
}

/** What is known of a setting over several seeds where their single values are not: from imported results only. */
export interface Aggregated {
  event: 'aggregate';
  model?: string;
  /** As of a trial: its values of axes, and keys in which it stands beside whatever others have. */
  settings?: Settings;
  own?: readonly string[];
  method: string;
  rank: number;
  batchSize: number;
  learningRate: number;
  task: string;
  metric: string;
  mean: number;
  /** Sample standard deviation (n - 1); null where it is not given. */
  std: number | null;
  seeds: number;
}

/** A trial ended. */
export interface TrialEnded {
  event: 'trial-ended';
  trial: string;
  state: 'finished' | 'diverged' | 'failed' | 'stopped' | 'paused';
  steps: number;
  /** Mean training loss of the last tenth (3 steps at least) of the steps done; absent in runs of earlier versions. */
  tail?: number | null;
  seconds: number;
  /** What happened, for diverged and failed. */
  message?: string | undefined;
  /** SHA-256 of the adapter that a finished trial left. */
  adapter?: string;
}

/**
 * Extreme Hessian eigenvalues of one block: {A, B} of a projection, or the weight itself (method `full`, rank 0). At
 * step 0 they are those of every trial of this method, rank, batch size and seed, whatever its learning rate.
 */
export interface Probed {
  event: 'curvature';
  method: string;
  rank: number;
  batchSize: number;
  seed: number;
  /** Updates done at the point looked at. */
  step: number;
  layer: number;
  /** E.g. `q_proj`. */
  module: string;
  lambdaMax: number;
  /** This and the next two are null where published results say nothing of them. */
  lambdaMin: number | null;
  /** Hessian products taken. */
  iterations: number | null;
  /** Of the largest Ritz pair: an eigenvalue lies within this of `lambdaMax`. */
  residual: number | null;
  /** At step 0, where the sweep has several: the variant's name, and the model and values of axes that the start depends on. */
  name?: string;
  model?: string;
  settings?: Settings;
  /** Keys that the variant gives itself. */
  own?: readonly string[];
  /** Behind step 0: the trial, and its peak learning rate. */
  trial?: string;
  learningRate?: number;
  /**
   * Largest eigenvalue of P^-1/2 H P^-1/2 with P = sqrt(second moment, bias-corrected) + eps, where Adam has one;
   * null where the iteration did not end well.
   */
  preconditioned?: number | null;
}

/** A message for the reader of the log: something was split, substituted, skipped. */
export interface Noted {
  event: 'note';
  message: string;
}

export interface RunEnded {
  event: 'run-ended';
  state: 'finished' | 'failed' | 'stopped';
  seconds: number;
  message?: string | undefined;
}

export type RunEventBody =
  | RunStarted
  | Submitted
  | TaskStarted
  | TaskEnded
  | Merged
  | TrialsAdded
  | Searched
  | Challenged
  | Prepared
  | TrialStarted
  | Stepped
  | Evaluated
  | Aggregated
  | Measured
  | TrialEnded
  | Probed
  | Noted
  | RunEnded;

/** A stored event: `at` is milliseconds since 1970. */
export type RunEvent = RunEventBody & {at: number};
