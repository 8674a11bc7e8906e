/** The process of a user's scorer: one message {row, output} in, one verdict out. */
import {pathToFileURL} from 'node:url';
import {leaveSignalsToParent} from '../process/signals.ts';
import type {FromScorer} from './scorer.ts';

leaveSignalsToParent();

const file = process.argv[2]!;
const loaded = import(pathToFileURL(file).href) as Promise<{score?: unknown}>;
// It is awaited with the first message.
loaded.catch(() => {});

async function verdict(message: unknown): Promise<FromScorer> {
  try {
    const {score} = await loaded;
    if (typeof score !== 'function') return {fault: 'exports no function `score({row, output})`'};
    const value: unknown = await score(message);
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return {value};
    return {fault: `gave ${String(value).slice(0, 60)} where a number or true or false belongs`};
  } catch (error) {
    return {fault: `failed (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`};
  }
}

process.on('message', message => {
  verdict(message).then(said => process.send!(said));
});
