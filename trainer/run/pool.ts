/** The worker threads of a run: a queue of jobs, each given to the next free worker. */
import '../process/no-telemetry.ts';
import {Worker} from 'node:worker_threads';
import type {Precision} from '../engine/program/precision.ts';
import {isNative, prepareEnvironment} from '../engine/tensorflow/binding.ts';
import type {BaseModel} from '../model/open-model.ts';
import {shareExpansion} from '../weights/expanded.ts';
import {removeFile, sweepFiles} from '../weights/expansion-file.ts';
import type {Failure, FromWorker, JobHandlers, ToWorker, WorkerSetup} from './jobs.ts';
import {JobQueue} from './search/queue.ts';

export interface Pool {
  /**
   * Works through jobs in order, each on the next free worker. Resolves when all have ended or were dropped by `stop`; with a
   * queue, when that is closed as well.
   */
  run(jobs: ToWorker[] | JobQueue, handlers: JobHandlers): Promise<void>;
  /** Jobs under way end at their next step; those that wait are dropped. */
  stop(): void;
  /** One training that is under way ends at its next step, as one that there is no room for. */
  crowd(): void;
  /** From here on there are at most so many workers: one leaves with the job that it ends next. */
  narrow(workers: number): void;
  close(): Promise<void>;
}

/** Of a worker's JavaScript heap: a step leaves little garbage, and a small young generation keeps memory flat. */
const maxYoungGenerationSizeMb = 8;

/** This file's neighbour, as source or as built. */
const workerFile = new URL(import.meta.url.endsWith('.ts') ? '../worker.ts' : './worker.js', import.meta.url);

export interface PoolSettings extends Pick<WorkerSetup, 'engine' | 'threads'> {
  /** Default float32. */
  precision?: Precision;
  onGpu?: boolean;
  packsWeights?: boolean;
  base: Pick<BaseModel, 'path' | 'weights'>;
}

export function openPool(count: number, {base, ...settings}: PoolSettings): Pool {
  if (isNative(settings.engine)) prepareEnvironment(settings.threads);
  const expansion = shareExpansion(base.weights.tensors.values());
  const tidy = () => void (expansion.file && removeFile(expansion.file));
  sweepFiles();
  process.once('exit', tidy);
  const stop = new Int32Array(new SharedArrayBuffer(8));
  const defaults = {precision: 'float32', onGpu: false, packsWeights: false} as const;
  const setup = {...defaults, ...settings, model: base.path, expansion, stop};
  const seats = Array.from({length: count}, (_, worker) => new Seat({...setup, worker}));
  const queues = new Set<JobQueue>();
  let most = count;
  let serving = count;
  const isStopped = () => Atomics.load(stop, 0) !== 0;
  return {
    async run(jobs, handlers) {
      const queue = jobs instanceof JobQueue ? jobs : new JobQueue(jobs);
      if (queue !== jobs) queue.close();
      if (isStopped()) queue.drop();
      queues.add(queue);
      const serve = async (seat: Seat) => {
        for (let job = await queue.take(); job !== undefined && !isStopped(); job = await queue.take()) {
          await seat.work(job, handlers);
          if (serving <= most) continue;
          serving--;
          return seat.close();
        }
      };
      await Promise.all(seats.filter(({isOpen}) => isOpen).map(serve));
      queues.delete(queue);
    },
    stop() {
      Atomics.store(stop, 0, 1);
      for (const queue of queues) queue.drop();
    },
    crowd: () => void Atomics.store(stop, 1, 1),
    narrow(workers) {
      most = workers;
    },
    async close() {
      await Promise.all(seats.map(seat => seat.close()));
      process.off('exit', tidy);
      tidy();
    },
  };
}

/** A worker thread; one that dies is replaced, and its job counts as failed. */
class Seat {
  readonly #setup: WorkerSetup;
  #worker: Worker;
  #isClosed = false;

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.#worker = this.#start();
  }

  /** One job. Never fails: what goes wrong is told to the handlers. */
  work(job: ToWorker, handlers: JobHandlers): Promise<void> {
    const worker = this.#worker;
    return new Promise(resolve => {
      const end = (failure?: Failure) => {
        worker.off('message', onMessage).off('messageerror', onUnread).off('error', onError).off('exit', onExit);
        handlers.ended(job, failure);
        resolve();
      };
      const replace = (message: string, stack = '') => {
        // Nobody would end a worker that begins after the others were ended.
        if (!this.#isClosed) this.#worker = this.#start();
        end({code: 'worker-died', message, stack});
      };
      const onMessage = (message: FromWorker) => {
        if (message.kind === 'done') end();
        else if (message.kind === 'failed') end(message);
        else hear(message, handlers);
      };
      const onError = (error: Error) => replace(error.message, error.stack);
      const onExit = (code: number) => replace(`The worker thread ended with status ${code}.`);
      const onUnread = (error: Error) => {
        // What else it would say of this job would be heard as if it were of the next one.
        void worker.terminate();
        replace(`What a worker thread said cannot be read: ${error.message}`, error.stack);
      };
      worker.on('message', onMessage).on('messageerror', onUnread).on('error', onError).on('exit', onExit);
      try {
        worker.postMessage(job);
      } catch (error) {
        const {message, stack = ''} = error instanceof Error ? error : new Error(String(error));
        end({code: 'internal', message: `The job cannot be given to a worker thread: ${message}`, stack});
      }
    });
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker.terminate();
  }

  #start(): Worker {
    return new Worker(workerFile, {workerData: this.#setup, resourceLimits: {maxYoungGenerationSizeMb}});
  }
}

/** What a worker says in the middle of a job. */
function hear(message: Exclude<FromWorker, {kind: 'done' | 'failed'}>, handlers: JobHandlers): void {
  if (message.kind === 'event') handlers.event(message.event);
  else if (message.kind === 'generated') handlers.generated(message.result);
  else if (message.kind === 'measured') handlers.measured?.(message.times);
  else {
    message.reply.postMessage(handlers.store ? (handlers.store() ?? null) : 0);
    message.reply.close();
  }
}
