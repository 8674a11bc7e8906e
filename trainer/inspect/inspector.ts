/** Looks around sweep files on a thread of its own, so that the language server answers meanwhile. */
import {Worker} from 'node:worker_threads';
import type {Inspector} from '../../core/sweep/inspection.ts';

export type Question = {[K in keyof Inspector]: {what: K; with: Parameters<Inspector[K]>}}[keyof Inspector];
export type Answer = {id: number; value: unknown} | {id: number; error: string};

/** This file's neighbour, as source or as built. */
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? './inspector-worker.ts' : './inspector-worker.js',
  import.meta.url,
);

/** The thread starts with the first question, and again should it ever die. */
export function openInspector(): Inspector {
  let worker: Worker | undefined;
  let last = 0;
  const waiting = new Map<number, {resolve(value: unknown): void; reject(error: Error): void}>();

  const fail = (error: Error) => {
    worker = undefined;
    for (const {reject} of waiting.values()) reject(error);
    waiting.clear();
  };
  const start = () => {
    const started = new Worker(workerFile, {stdout: false});
    // It must not keep the server alive once the editor has left.
    started.unref();
    started.on('message', (answer: Answer) => {
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('error' in answer) asked?.reject(new Error(answer.error));
      else asked?.resolve(answer.value);
    });
    started.on('error', fail);
    started.on('exit', status => fail(new Error(`the inspecting thread ended with status ${status}`)));
    return started;
  };
  const ask = <T>(question: Question): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      worker ??= start();
      const id = ++last;
      waiting.set(id, {resolve: value => resolve(value as T), reject});
      worker.postMessage({id, question});
    });
  return {
    inspect: (...args) => ask({what: 'inspect', with: args}),
    model: (...args) => ask({what: 'model', with: args}),
    columns: (...args) => ask({what: 'columns', with: args}),
    candidates: (...args) => ask({what: 'candidates', with: args}),
    sweepFiles: (...args) => ask({what: 'sweepFiles', with: args}),
  };
}
