/** The thread behind inspector.ts: one question after another. */
import {resolve} from 'node:path';
import {parentPort} from 'node:worker_threads';
import {SweepError} from '../../core/error.ts';
import {columnsOf} from '../data/rows.ts';
import {findModel} from '../model/find-model.ts';
import {openModel} from '../model/open-model.ts';
import {candidates, sweepFiles} from './candidates.ts';
import {factsOf, inspect} from './inspect.ts';
import type {Answer, Question} from './inspector.ts';

/** Rows that are looked at for columns. */
const rowsForColumns = 20;

async function answer(question: Question): Promise<unknown> {
  switch (question.what) {
    case 'inspect':
      return inspect(...question.with);
    case 'model':
      return orElse(null, async () => factsOf(await openModel(findModel(...question.with))));
    case 'columns': {
      const [file, base] = question.with;
      return orElse([], () => columnsOf(resolve(base, file), rowsForColumns));
    }
    case 'candidates':
      return candidates(...question.with);
    case 'sweepFiles':
      return sweepFiles(...question.with);
  }
}

/** What cannot be read offers nothing. */
async function orElse<T>(fallback: T, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SweepError) return fallback;
    throw error;
  }
}

let queue = Promise.resolve();
parentPort!.on('message', ({id, question}: {id: number; question: Question}) => {
  const send = (message: Answer) => parentPort!.postMessage(message);
  queue = queue.then(async () => {
    try {
      send({id, value: await answer(question)});
    } catch (error) {
      send({id, error: error instanceof Error ? (error.stack ?? error.message) : String(error)});
    }
  });
});
