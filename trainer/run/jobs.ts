import type {MessagePort} from 'node:worker_threads';
import type {RunEventBody} from '../../core/run/events.ts';
import type {ProbeJob} from '../curvature/probe.ts';
import type {Precision} from '../engine/program/precision.ts';
import type {Generated} from '../generation/answers.ts';
import type {Site} from '../model/site.ts';
import type {Evaluation} from '../training/evaluation.ts';
import type {GenerateJob} from '../training/generate-here.ts';
import type {TrainJob} from '../training/open-pack.ts';
import type {MeasuredJob, TrialTimes} from '../training/timing.ts';
import type {SharedExpansion} from '../weights/expanded.ts';

/** What a worker is started with. */
export interface WorkerSetup {
  /** What the model is opened by. */
  model: string;
  engine: string;
  precision: Precision;
  /** Inside one operation. */
  threads: number;
  /** The compiled engine on the GPU. */
  onGpu: boolean;
  /** Memory for speed, where one worker has the machine to itself. */
  packsWeights: boolean;
  /** Where the workers expand weights that are not stored as float32. */
  expansion: SharedExpansion;
  /** From 0. */
  worker: number;
  /** [0] not 0: leave the job at the next step. [1] not 0: one worker is to leave its training, as memory is almost full. */
  stop: Int32Array;
}

export type ToWorker =
  /** Nothing but its engine. */
  | {kind: 'open'}
  | {kind: 'factorize'; site: Site; end: 'top' | 'bottom'; rank: number; settings: {iterations?: number}}
  | ({kind: 'generate'} & GenerateJob)
  /** `trial`, at its end after so many steps: whose results these are. */
  | {kind: 'evaluate'; evaluation: Evaluation; adapter?: string | undefined; trial?: string; step?: number}
  | {kind: 'measure'; job: MeasuredJob}
  | {kind: 'merge'; folder: string; adapter: string}
  | {kind: 'probe'; job: ProbeJob}
  | {kind: 'train'; job: TrainJob};

export type FromWorker =
  | {kind: 'event'; event: RunEventBody}
  | {kind: 'generated'; result: Generated}
  | {kind: 'measured'; times: TrialTimes}
  /** Asks for an answer when all it said before is on the disk: the bytes of the events, or null where that failed. */
  | {kind: 'store'; reply: MessagePort}
  | {kind: 'done'}
  | {kind: 'failed'; code: string; message: string; stack: string};

export interface Failure {
  code: string;
  message: string;
  stack: string;
}

export interface JobHandlers {
  event(event: RunEventBody): void;
  generated(result: Generated): void;
  /** Puts everything heard so far on the disk: the bytes of the events then, undefined where that failed. */
  store?(): number | undefined;
  /** What a training takes. */
  measured?(times: TrialTimes): void;
  /** A job ended; `failure` where it could not be done. */
  ended(job: ToWorker, failure?: Failure): void;
}
