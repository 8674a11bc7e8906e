/** Continuing prompts with a base model or an adapter. */
import {freemem} from 'node:os';
import {SweepError} from '../../core/error.ts';
import type {EngineName} from '../../core/sweep/sweep.ts';
import {endsOfTrained} from '../data/answer-ends.ts';
import {promptIds} from '../data/encode.ts';
import {chooseEngine, inFloat32} from '../engine/choose.ts';
import type {Choosing} from '../generation/generation.ts';
import {textBefore} from '../generation/stopping.ts';
import {findModel} from '../model/find-model.ts';
import {openModel} from '../model/open-model.ts';
import {allocatedCores, allocatedMemory} from '../process/allocation.ts';
import type {Failure} from '../run/jobs.ts';
import {openPool} from '../run/pool.ts';
import {weightBytes} from '../size/memory.ts';
import {dataOfRun} from '../store/run-data.ts';
import {openTokenizer} from '../text/tokenizer.ts';

export interface GenerateOptions extends Choosing {
  model: string;
  /** PEFT adapter folder. */
  adapter?: string;
  prompts: ({text: string} | {tokens: number[]})[];
  maxNewTokens: number;
  engine: EngineName;
}

/**
 * Continuations in the order of the prompts, all samples of one before the next; greedy unless the options say
 * otherwise: the new ids (with an end-of-sequence token or the tokens of a stop string) and their text, which ends
 * before a stop string.
 * @throws SweepError
 */
export async function generateText(options: GenerateOptions): Promise<{tokens: number[]; text: string}[]> {
  const {model, prompts, maxNewTokens, adapter, engine: _, ...choosing} = options;
  const {stop = [], samples = 1, temperature} = choosing;
  if (samples > 1 && temperature === 0)
    throw new SweepError(
      'usage',
      'All samples of a prompt are the same at temperature 0; give a higher one, or one sample.',
    );
  const base = await openModel(findModel(model, '.'));
  const {config, folder} = base;
  const asksForText = stop.length > 0 || prompts.some(prompt => 'text' in prompt);
  const tokenizer = asksForText ? openTokenizer(folder) : tokenizerIfAny(folder);
  const ids = prompts.map(prompt => ('text' in prompt ? promptIds(prompt.text, tokenizer!) : prompt.tokens));
  for (const prompt of ids) {
    if (prompt.length === 0) throw new SweepError('usage', 'A prompt is empty; give at least one token.');
    const beyond = prompt.find(id => id < 0 || id >= config.vocabSize);
    if (beyond !== undefined)
      throw new SweepError(
        'bad-data',
        `Token ${beyond} is not in the model's vocabulary of ${config.vocabSize}; token ids go from 0 to ${config.vocabSize - 1}.`,
      );
  }
  const ends = endsOfTrained({tokenizer: tokenizer ?? null, config}, dataOfRun(adapter ?? model));
  const {engine, precision} = await chooseEngine({...inFloat32, engine: options.engine});
  // Packed weights stand beside the others, and while they are packed a copy of them does too.
  const packsWeights = 3 * weightBytes(base.weights) < Math.min(freemem(), allocatedMemory());
  const pool = openPool(1, {base, engine, precision, threads: allocatedCores(), packsWeights});
  try {
    let answers: number[][] = [];
    let failure: Failure | undefined;
    const asked = {...choosing, stop: [...stop, ...ends.texts]};
    const job = {prompts: ids, maxNewTokens, eosIds: ends.ids, ...asked, adapter};
    await pool.run([{kind: 'generate', ...job}], {
      event: () => {},
      generated: result => {
        answers = result.answers;
      },
      ended: (_, fault) => {
        failure = fault;
      },
    });
    if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
    return answers.map((tokens, i) => {
      const said = ends.ids.includes(tokens.at(-1)!) ? tokens.slice(0, -1) : tokens;
      const text = tokenizer?.decode(said, {skipSpecial: true, after: ids[Math.floor(i / samples)]!}) ?? '';
      return {tokens, text: textBefore(text, asked.stop)};
    });
  } finally {
    await pool.close();
  }
}

function tokenizerIfAny(folder: string): ReturnType<typeof openTokenizer> | undefined {
  try {
    return openTokenizer(folder);
  } catch {
    // Token ids go in and out without one.
    return undefined;
  }
}
