/** Continuing prompts with a base model or an adapter. */

import {availableParallelism} from 'node:os';
import {SweepError} from '../core/error.ts';
import type {EngineName} from '../core/sweep/sweep.ts';
import {adaptedModel} from './adapted.ts';
import {promptIds} from './data/encode.ts';
import {chooseEngine, inFloat32} from './engine/choose.ts';
import type {Programs} from './engine/programs.ts';
import {findModel} from './model/find-model.ts';
import {generate} from './model/generation.ts';
import {type BaseModel, openModel} from './model/open-model.ts';
import {openTokenizer} from './model/tokenizer.ts';
import {type Failure, openPool} from './pool.ts';

export interface GenerateOptions {
  model: string;
  /** PEFT adapter folder. */
  adapter?: string;
  prompts: ({text: string} | {tokens: number[]})[];
  maxNewTokens: number;
  engine: EngineName;
}

/** Greedy continuations in the order of the prompts: the new ids (end-of-sequence token included) and their text. */
export async function generateText(options: GenerateOptions): Promise<{tokens: number[]; text: string}[]> {
  const {prompts, maxNewTokens, adapter} = options;
  const base = await openModel(findModel(options.model, '.'));
  const {config, folder} = base;
  const asksForText = prompts.some(prompt => 'text' in prompt);
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
  const {engine, precision} = await chooseEngine({...inFloat32, engine: options.engine});
  const pool = openPool(1, {base, engine, precision, threads: availableParallelism()});
  try {
    let answers: number[][] = [];
    let failure: Failure | undefined;
    await pool.run([{kind: 'generate', prompts: ids, maxNewTokens, ...(adapter === undefined ? {} : {adapter})}], {
      event: () => {},
      generated: result => {
        answers = result.answers;
      },
      ended: (_, fault) => {
        failure = fault;
      },
    });
    if (failure) throw new SweepError(failure.code, failure.message, {stack: failure.stack});
    return answers.map(tokens => ({tokens, text: tokenizer?.decode(tokens, {skipSpecial: true}) ?? ''}));
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

/** Generates on this thread's engine. */
export async function generateHere(
  programs: Programs,
  base: BaseModel,
  {adapter, prompts, maxNewTokens}: {adapter?: string; prompts: number[][]; maxNewTokens: number},
): Promise<number[][]> {
  const generative = await (await adaptedModel(programs, base, adapter)).generative();
  const [answers] = await generate(programs, generative, prompts, {maxNewTokens, eosIds: base.config.eosIds});
  return answers!;
}
