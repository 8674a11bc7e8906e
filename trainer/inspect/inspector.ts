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
import {processorTime} from '../process/processes.ts';
import {eventsName} from '../store/names.ts';
import {runFolderOf} from '../store/run.ts';
import {attemptFile, taskFilesIn} from '../store/tasks/task-files.ts';
import {watch} from '../task/watchdog.ts';

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
/** Megabytes of heap that small files need, and how much more a megabyte of JSON, of events or of rows takes. */
const [leastHeap, heapForJson, heapForEvents, heapForRows, mostHeap] = [96, 16, 4, 3, 3072];
/** Rows are read one at a time: more of them need no more memory. */
const mostRowBytes = 64 << 20;

export interface WatchedInspector extends Inspector {
  /** Ends the process; it starts again with the next question. */
  close(): void;
}

/** The process starts with the first question, and again where it had to be ended. */
export function openInspector(): WatchedInspector {
  const reader = new Reader();
  const orElse = async <T>(fallback: T, question: Question): Promise<T> => {
    try {
      return await reader.ask<T>(question);
    } catch (error) {
      if (error instanceof SweepError) return fallback;
      throw error;
    }
  };
  return {
    async inspect(draft, file) {
      try {
        return await reader.ask<Inspection>({what: 'inspect', with: [draft, file]});
      } catch (error) {
        if (error instanceof SweepError) return {...nothingFound, faults: [faultOf(error, draft, file)]};
        throw error;
      }
    },
    model: (...args) => orElse(null, {what: 'model', with: args}),
    columns: (...args) => orElse([], {what: 'columns', with: args}),
    candidates: (...args) => orElse([], {what: 'candidates', with: args}),
    sweepFiles: (...args) => orElse([], {what: 'sweepFiles', with: args}),
    close: () => reader.end(),
  };
}

/** The process that reads files, and its questions one after another. */
class Reader {
  #child: ChildProcess | undefined;
  /** Megabytes that the process may use. */
  #heap = 0;
  #queue: Promise<unknown> = Promise.resolve();

  /** @throws SweepError `bad-file` where a file had to be given up; what the process says otherwise */
  ask<T>(question: Question): Promise<T> {
    const next = this.#queue.then(() => this.#ask<T>(question));
    this.#queue = next.catch(() => undefined);
    return next;
  }

  end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  async #ask<T>(question: Question): Promise<T> {
    const child = this.#running(heapFor(question));
    // It must not keep the server alive once the editor has left; a question does.
    child.ref();
    child.channel?.ref();
    try {
      const said = await answerOf(child, question).catch(error => {
        this.end();
        throw error;
      });
      if ('error' in said) throw new Error(said.error);
      return said.value as T;
    } finally {
      child.unref();
      child.channel?.unref();
    }
  }

  /** A process with as much memory as the question needs. */
  #running(megabytes: number): ChildProcess {
    if (this.#child && this.#heap >= megabytes) return this.#child;
    this.end();
    this.#heap = Math.max(this.#heap, megabytes);
    const started = fork(program, [], {
      env: {...process.env, ELECTRON_RUN_AS_NODE: '1'},
      execArgv: [`--max-old-space-size=${this.#heap}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    watch(started);
    started.unref();
    started.channel?.unref();
    this.#child = started;
    return started;
  }
}

/** @throws SweepError `bad-file` where the process ends, or is silent for too long; what the system says where it does not start */
function answerOf(child: ChildProcess, question: Question): Promise<Exclude<FromInspector, {at: string}>> {
  return new Promise((resolve, reject) => {
    let at: string | undefined;
    const silence = new Silence(child.pid);
    const settle = () => {
      clearInterval(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
    };
    const giveUp = (why: string) => {
      settle();
      const where = at === undefined ? 'A file' : at;
      reject(new SweepError('bad-file', `${where} ${why}`, {file: at}));
    };
    const onMessage = (said: FromInspector) => {
      silence.broken();
      if ('at' in said) {
        at = said.at;
        return;
      }
      settle();
      resolve(said);
    };
    const onExit = () =>
      giveUp(
        'takes more memory to read than its size explains, so that the look at it was ended; it is damaged, or made to do that.',
      );
    const onError = (error: Error) => {
      settle();
      reject(error);
    };
    const timer = setInterval(() => {
      if (!silence.tooLong) return;
      giveUp(
        `kept its reader busy for ${patience} s without a sign of life, so that the look at it was ended; a pattern or a template that does not come to an end may be in it, or in the tokenizer that reads it.`,
      );
    }, interval);
    child.on('message', onMessage).on('exit', onExit).on('error', onError);
    child.send({question});
  });
}

/** How long nothing was heard of a process. */
class Silence {
  readonly #pid: number | undefined;
  #since = performance.now();
  /** Milliseconds of the processor that the process had taken then. */
  #taken: number | undefined;

  constructor(pid: number | undefined) {
    this.#pid = pid;
    this.#taken = processorTime(pid)?.milliseconds;
  }

  broken(): void {
    this.#since = performance.now();
    this.#taken = processorTime(this.#pid)?.milliseconds;
  }

  get tooLong(): boolean {
    const silent = (performance.now() - this.#since) / 1000;
    if (silent < patience) return false;
    const now = processorTime(this.#pid)?.milliseconds;
    const worked = now === undefined || this.#taken === undefined ? silent : (now - this.#taken) / 1000;
    return worked >= patience || silent >= mostPatience;
  }
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
  const at = String(error.data['file'] ?? '');
  const started = draft.methods.find(
    ({startFrom}) => startFrom !== undefined && at.startsWith(resolve(base, startFrom)),
  );
  if (started) return {code: 'model/bad-adapter', message, path: ['methods', started.method, 'start_from']};
  return {code: 'model/bad', message, path: ['model']};
}

/** Megabytes of heap for a question: tokenizers and runs take many times the size of their files. */
function heapFor(question: Question): number {
  const model = question.what === 'model' ? {name: question.with[0], base: question.with[1]} : modelOf(question);
  const json = model?.name === undefined ? 0 : jsonBytes(model.name, model.base);
  const events = question.what === 'inspect' ? eventBytes(question.with[0], question.with[1]) : 0;
  const rows = Math.min(
    mostRowBytes,
    question.what === 'inspect' ? rowBytes(question.with[0], question.with[1]) : mostRowBytes,
  );
  const megabytes = (bytes: number) => bytes / (1 << 20);
  const parts = heapForJson * megabytes(json) + heapForEvents * megabytes(events) + heapForRows * megabytes(rows);
  return Math.min(mostHeap, Math.ceil(leastHeap + parts));
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

function rowBytes({train, evaluate, probed}: Draft, file: string): number {
  const named = [...train, ...evaluate.map(({data}) => data), probed];
  const base = dirname(resolve(file));
  return named.reduce((sum, one) => sum + (one === undefined ? 0 : bytesOf(resolve(base, one))), 0);
}

function eventBytes({sweep}: Draft, file: string): number {
  if (!sweep) return 0;
  const folder = runFolderOf(file, sweep.name);
  const attempts = [...taskFilesIn(folder).attempts.values()].flat();
  return [join(folder, eventsName), ...attempts.map(one => attemptFile(folder, one))].reduce(
    (sum, path) => sum + bytesOf(path),
    0,
  );
}

const bytesOf = (path: string): number => entryOf(path)?.size ?? 0;
