/** The process behind inspector.ts: one question after another, and signs of life meanwhile. */
import {resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {columnsOf} from '../data/read/rows.ts';
import {isWatched} from '../files/clock.ts';
import {watchLooks} from '../files/looking.ts';
import {findModel} from '../model/find-model.ts';
import {openModel} from '../model/open-model.ts';
import {candidates, sweepFiles} from './candidates.ts';
import {factsOf, inspect} from './inspect.ts';
import type {FromInspector, Question} from './inspector.ts';

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

const send = (message: FromInspector) => void process.send!(message);

// Whoever asks watches: what hangs here is ended from outside.
isWatched();
watchLooks(file => send({at: file}));
// Ctrl-C reaches a whole group of processes: whoever started this one ends it.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
process.on('message', ({question}: {question: Question}) => {
  answer(question).then(
    value => send({value}),
    error => send({error: error instanceof Error ? (error.stack ?? error.message) : String(error)}),
  );
});
