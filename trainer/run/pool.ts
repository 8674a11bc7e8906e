/** The worker threads of a run: a queue of jobs, each given to the next free worker. */
import '../process/no-telemetry.ts';
import {Worker} from 'node:worker_threads';
import type {Precision} from '../engine/program/precision.ts';
import {isNative, prepareEnvironment} from '../engine/tensorflow/binding.ts';
import type {BaseModel} from '../model/open-model.ts';
import {shareExpansion} from '../weights/expanded.ts';
import {removeFile, sweepFiles} from '../weights/expansion-file.ts';
import type {Failure, FromWorker, JobHandlers, ToWorker, WorkerSetup} from './jobs.ts';

export interface Pool {
  /** Works through jobs in order, each on the next free worker. Resolves when all have ended or were dropped by `stop`. */
  run(jobs: ToWorker[], handlers: JobHandlers): Promise<void>;
  /** Jobs under way end at their next step; those that wait are dropped. */
  stop(): void;
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

export function openPool(
  count: number,
  {base, engine, precision = 'float32', threads, onGpu = false, packsWeights = false}: PoolSettings,
): Pool {
  if (isNative(engine)) prepareEnvironment(threads);
  const expansion = shareExpansion(base.weights.tensors.values());
  const tidy = () => void (expansion.file && removeFile(expansion.file));
  sweepFiles();
  process.once('exit', tidy);
  const setup = {model: base.path, engine, precision, threads, onGpu, packsWeights, expansion};
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const start = (worker: number) =>
    new Worker(workerFile, {
      workerData: {...setup, worker, stop} satisfies WorkerSetup,
      resourceLimits: {maxYoungGenerationSizeMb},
    });
  const workers = Array.from({length: count}, (_, i) => start(i));
  let closed = false;

  /** One job on one worker; a worker that dies is replaced, and its job counts as failed. */
  const work = (index: number, job: ToWorker, handlers: JobHandlers) =>
    new Promise<void>(resolve => {
      const worker = workers[index]!;
      const end = (failure?: Failure) => {
        worker.off('message', onMessage).off('messageerror', onUnread).off('error', onError).off('exit', onExit);
        handlers.ended(job, failure);
        resolve();
      };
      const replace = (message: string, stack = '') => {
        // Nobody would end a worker that begins after the others were ended.
        if (!closed) workers[index] = start(index);
        end({code: 'worker-died', message, stack});
      };
      const onMessage = (message: FromWorker) => {
        if (message.kind === 'event') handlers.event(message.event);
        else if (message.kind === 'generated') handlers.generated(message.result);
        else if (message.kind === 'measured') handlers.measured?.(message.times);
        else if (message.kind === 'store') {
          message.reply.postMessage(handlers.store ? (handlers.store() ?? null) : 0);
          message.reply.close();
        } else if (message.kind === 'done') end();
        else end(message);
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

  return {
    async run(jobs, handlers) {
      const waiting = [...jobs];
      const serve = async (index: number) => {
        while (Atomics.load(stop, 0) === 0) {
          const job = waiting.shift();
          if (job === undefined) return;
          await work(index, job, handlers);
        }
      };
      await Promise.all(workers.map((_, index) => serve(index)));
    },
    stop: () => void Atomics.store(stop, 0, 1),
    async close() {
      closed = true;
      await Promise.all(workers.map(worker => worker.terminate()));
      process.off('exit', tidy);
      tidy();
    },
  };
}
