/**
 * Looks around sweep files in a process of its own: the language server answers meanwhile, and a file that was made to
 * hang its reader or to fill its memory ends that process and nothing else.
 */
import {type ChildProcess, fork} from 'node:child_process';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {SweepError} from '../../core/error.ts';
import type {Draft} from '../../core/sweep/draft.ts';
import type {Inspection, Inspector} from '../../core/sweep/inspection.ts';
import {entryOf} from '../files/door.ts';
import {findModel} from '../model/find-model.ts';
import {eventsName, runFolderOf} from '../store/run.ts';
import {watch} from '../task/watchdog.ts';
import {processorSeconds} from './processor-seconds.ts';

export type Question = {[K in keyof Inspector]: {what: K; with: Parameters<Inspector[K]>}}[keyof Inspector];
/** `at`: a sign of life, and the file that is being looked at. */
export type FromInspector = {at: string} | {value: unknown} | {error: string};

/** This file's neighbour, as source or as built. */
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './inspector-process.ts' : './inspector-process.js', import.meta.url),
);

/** Seconds without a sign of life after which a file is given up. */
const patience = 5;
/** On a machine that has no time for the process its silence says little: so many seconds then. */
const mostPatience = 60;
/** Milliseconds between two looks at the clock. */
const interval = 250;
/** Megabytes of heap that small files need, and how much more a megabyte of JSON or of events takes. */
const [leastHeap, heapForJson, heapForEvents, mostHeap] = [160, 16, 4, 3072];

export interface WatchedInspector extends Inspector {
  /** Ends the process; it starts again with the next question. */
  close(): void;
}

/** The process starts with the first question, and again where it had to be ended. */
export function openInspector(): WatchedInspector {
  let child: ChildProcess | undefined;
  let heap = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const end = () => {
    child?.kill('SIGKILL');
    child = undefined;
  };
  /** A process with as much memory as the question needs. */
  const running = (megabytes: number): ChildProcess => {
    if (child && heap >= megabytes) return child;
    end();
    heap = Math.max(heap, megabytes);
    const started = fork(program, [], {
      env: {...process.env, ELECTRON_RUN_AS_NODE: '1'},
      execArgv: [`--max-old-space-size=${heap}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    watch(started);
    // It must not keep the server alive once the editor has left; a question does.
    started.unref();
    started.channel?.unref();
    child = started;
    return started;
  };
  const one = <T>(question: Question): Promise<T> =>
    new Promise<T>((done, fail) => {
      const asked = running(heapFor(question));
      asked.ref();
      asked.channel?.ref();
      let at: string | undefined;
      let heard = performance.now();
      let spent = processorSeconds(asked.pid);
      const settle = () => {
        clearInterval(timer);
        asked.off('message', onMessage).off('exit', onExit).off('error', onError);
        asked.unref();
        asked.channel?.unref();
      };
      const giveUp = (why: string) => {
        settle();
        end();
        const where = at === undefined ? 'A file' : at;
        fail(new SweepError('bad-file', `${where} ${why}`, {file: at}));
      };
      const onMessage = (said: FromInspector) => {
        heard = performance.now();
        spent = processorSeconds(asked.pid);
        if ('at' in said) {
          at = said.at;
          return;
        }
        settle();
        if ('error' in said) fail(new Error(said.error));
        else done(said.value as T);
      };
      const onExit = () =>
        giveUp(
          'takes more memory to read than its size explains, so that the look at it was ended; it is damaged, or made to do that.',
        );
      const onError = (error: Error) => {
        settle();
        end();
        fail(error);
      };
      const timer = setInterval(() => {
        const silent = (performance.now() - heard) / 1000;
        if (silent < patience) return;
        const now = processorSeconds(asked.pid);
        const worked = now === undefined || spent === undefined ? silent : now - spent;
        if (worked < patience / 2 && silent < mostPatience) return;
        giveUp(
          `kept its reader busy for ${patience} s without a sign of life, so that the look at it was ended; a pattern or a template that does not come to an end may be in it, or in the tokenizer that reads it.`,
        );
      }, interval);
      asked.on('message', onMessage).on('exit', onExit).on('error', onError);
      asked.send({question});
    });
  const ask = <T>(question: Question): Promise<T> => {
    const next = queue.then(() => one<T>(question));
    queue = next.catch(() => undefined);
    return next;
  };
  const orElse = <T>(fallback: T, asked: Promise<T>): Promise<T> =>
    asked.catch(error => {
      if (error instanceof SweepError) return fallback;
      throw error;
    });
  return {
    inspect: (draft, file) =>
      ask<Inspection>({what: 'inspect', with: [draft, file]}).catch(error => {
        if (error instanceof SweepError) return {...nothingFound, faults: [faultOf(error, draft, file)]};
        throw error;
      }),
    model: (...args) => orElse(null, ask({what: 'model', with: args})),
    columns: (...args) => orElse([], ask({what: 'columns', with: args})),
    candidates: (...args) => orElse([], ask({what: 'candidates', with: args})),
    sweepFiles: (...args) => orElse([], ask({what: 'sweepFiles', with: args})),
    close: end,
  };
}

const nothingFound: Inspection = {faults: [], model: null, data: null, cost: null, results: null};

/** A file that ended the process, under the key that names it; all else is the model's. */
function faultOf(error: SweepError, draft: Draft, file: string): Inspection['faults'][number] {
  const base = dirname(resolve(file));
  const isIt = (path: string | undefined) => path !== undefined && resolve(base, path) === error.data['file'];
  const {message} = error;
  const train = draft.train.findIndex(isIt);
  if (train >= 0) return {code: 'data/bad-rows', message, path: ['data', 'train', train]};
  const tested = draft.evaluate.find(({data}) => isIt(data));
  if (tested) return {code: 'data/bad-rows', message, path: ['evaluate', tested.index, 'data']};
  return {code: 'model/bad', message, path: ['model']};
}

/** Megabytes of heap for a question: tokenizers and runs take many times the size of their files. */
function heapFor(question: Question): number {
  const model = question.what === 'model' ? {name: question.with[0], base: question.with[1]} : modelOf(question);
  const json = model?.name === undefined ? 0 : jsonBytes(model.name, model.base);
  const events = question.what === 'inspect' ? eventBytes(question.with[0], question.with[1]) : 0;
  const megabytes = (bytes: number) => bytes / (1 << 20);
  return Math.min(mostHeap, Math.ceil(leastHeap + heapForJson * megabytes(json) + heapForEvents * megabytes(events)));
}

function modelOf(question: Question): {name: string | undefined; base: string} | undefined {
  return question.what === 'inspect'
    ? {name: question.with[0].model, base: dirname(resolve(question.with[1]))}
    : undefined;
}

function jsonBytes(name: string, base: string): number {
  try {
    const folder = findModel(name, base);
    const names = ['tokenizer.json', 'tokenizer_config.json', 'model.safetensors.index.json'];
    return names.reduce((sum, one) => sum + bytesOf(join(folder, one)), 0);
  } catch {
    // It is missing, which the look itself says.
    return 0;
  }
}

function eventBytes({sweep}: Draft, file: string): number {
  return sweep ? bytesOf(join(runFolderOf(file, sweep.name), eventsName)) : 0;
}

const bytesOf = (path: string): number => entryOf(path)?.size ?? 0;
