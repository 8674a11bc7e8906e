/** Rows to tokens on several threads; they come out in the order of the rows, whichever thread is done first. */
import {Worker} from 'node:worker_threads';
import {SweepError} from '../../../core/error.ts';
import {sendable} from '../../files/written-json.ts';
import {allocatedMemory} from '../../process/allocation.ts';
import {freeAddresses} from '../../process/memory-limit.ts';
import type {Batch, Encoded} from '../read/timed-rows.ts';
import type {TokenList} from '../token-row.ts';
import type {EncodingSetup, SentError, SentRows} from './encoding-thread.ts';

/** Bytes of data that are worth a thread, which opens a tokenizer of its own first. */
const bytesAThread = 5e6;
/** Of data that lies packed, so many times as much comes out. */
const packedTimes = 4;
/** Of memory that a tokenizer with its remembered words may take. */
const memoryAThread = 5e8;
/** Of addresses that a thread reserves, mostly without using them; as many again are left to others. */
const addressesAThread = 7e8;
/** One thread reads and collects for all of them. */
const mostThreads = 16;
/** Batches a thread has ahead of it. */
const ahead = 3;

/** How many threads these files are worth, of `most`. */
export function threadsFor(files: readonly {name: string; bytes: number}[], most: number): number {
  const bytes = files.reduce(
    (sum, {name, bytes}) => sum + bytes * (/\.(gz|parquet)$/i.test(name) ? packedTimes : 1),
    0,
  );
  const room = Math.min(allocatedMemory() / 4 / memoryAThread, freeAddresses() / 2 / addressesAThread);
  return Math.floor(Math.min(most, mostThreads, bytes / bytesAThread, room));
}

/** Tokens of all rows of the batches, in order; an error comes in its row's place. The threads end with it. */
export async function* encodedOnThreads(
  batches: AsyncIterable<Batch>,
  setup: EncodingSetup,
  count: number,
): AsyncGenerator<Encoded<TokenList>> {
  const threads = Array.from({length: count}, () => new Thread(setup));
  const waiting: Promise<Encoded<TokenList>>[] = [];
  try {
    for await (const batch of batches) {
      const idle = threads.reduce((least, thread) => (thread.waiting < least.waiting ? thread : least));
      waiting.push(idle.encode(batch));
      if (waiting.length >= count * ahead) yield await waiting.shift()!;
    }
    for (const one of waiting) yield await one;
  } finally {
    await Promise.all(threads.map(thread => thread.close()));
  }
}

/** Answers in the order in which it is asked. Never fails: what goes wrong is in the answers. */
class Thread {
  readonly #worker: Worker;
  /** `failure`: of reading what comes behind the rows. */
  readonly #asked: (Pick<Batch, 'failure'> & {answer(encoded: Encoded<TokenList>): void})[] = [];
  #ended: Error | undefined;

  constructor(setup: EncodingSetup) {
    // Its neighbour, as source or as built.
    const file = import.meta.url.endsWith('.ts') ? './encoding-thread.ts' : './encoding-thread.js';
    this.#worker = new Worker(new URL(file, import.meta.url), {workerData: setup})
      .on('message', (sent: SentRows) => {
        const {answer, failure} = this.#asked.shift()!;
        answer({...(failure && {failure}), ...encodedOf(sent)});
      })
      .on('error', error => this.#end(error))
      .on('exit', code => this.#end(new Error(`A thread that makes tokens of rows ended with status ${code}.`)));
  }

  get waiting(): number {
    return this.#asked.length;
  }

  encode({rows, characters, failure}: Batch): Promise<Encoded<TokenList>> {
    return new Promise(answer => {
      if (this.#ended) return answer({found: [], failure: {error: this.#ended}});
      this.#asked.push({answer, ...(failure && {failure})});
      this.#worker.postMessage({rows: rows.map(row => ({...row, values: sendable(row.values)})), characters});
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const {answer} of this.#asked.splice(0)) answer({found: [], failure: {error: this.#ended}});
  }
}

function encodedOf({lengths, ids, labels, failure}: SentRows): Encoded<TokenList> {
  const found: TokenList[] = [];
  let at = 0;
  for (const length of lengths) {
    found.push({ids: ids.subarray(at, at + length), labels: labels.subarray(at, at + length)});
    at += length;
  }
  return {found, ...(failure && {failure: {error: errorOf(failure)}})};
}

function errorOf({code, message, stack, data}: SentError): Error {
  const error = code === null ? new Error(message) : new SweepError(code, message, data);
  error.stack = stack;
  return error;
}
