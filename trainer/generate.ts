/** Continuing prompts with a base model or an adapter. */

import {availableParallelism} from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import {SweepError} from '../core/error.ts';
import type {EngineName} from '../core/sweep/sweep.ts';
import {promptIds} from './data/encode.ts';
import {chooseEngine} from './engine/choose.ts';
import type {Programs} from './engine/programs.ts';
import {methods} from './method/index.ts';
import {frozenProjection, type Model, withBias} from './model/decoder.ts';
import {findModel} from './model/find-model.ts';
import {type Generative, generate} from './model/generation.ts';
import {type BaseModel, openModel} from './model/open-model.ts';
import {sitesOf} from './model/sites.ts';
import {openTokenizer} from './model/tokenizer.ts';
import {type Failure, openPool} from './pool.ts';
import {type Adapter, readAdapter} from './store/adapter.ts';

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
  const {engine} = await chooseEngine({engine: options.engine, device: 'auto'});
  const pool = openPool(1, {base, engine, threads: availableParallelism()});
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
  await programs.use(`generate ${adapter ?? ''}`);
  const {config, weights} = base;
  const factors = adapter === undefined ? undefined : openAdapter(adapter, base);
  const generative: Generative = {
    config,
    trials: 1,
    inputs: {},
    feeds: {},
    passes: () => {
      const model: Model = {
        config,
        macros: programs.engine.macros({merged: false}),
        weight: name => programs.engine.weight(weights.tensors.get(name)!),
      };
      return {model, project: factors ? adaptedProjection(model, factors) : frozenProjection(model)};
    },
  };
  const [answers] = await generate(programs, generative, prompts, {maxNewTokens, eosIds: config.eosIds});
  return answers!;
}

/**
 * An adapter that gives its trained model on this base.
 * @throws SweepError `bad-adapter`
 */
function openAdapter(folder: string, {config, weights}: BaseModel): Adapter {
  const adapter = readAdapter(folder);
  const refused = (why: string) => new SweepError('bad-adapter', `The adapter ${folder} ${why}.`, {folder});
  if (adapter.residualOf !== null && !adapter.start)
    throw refused(
      `belongs to a base that ${adapter.residualOf} changed, and does not say how; convert it to a plain LoRA with PEFT first`,
    );
  const sites = new Map(sitesOf(config.layers.length, 'all', weights).map(site => [site.name, site]));
  for (const [name, {inputs, outputs}] of adapter.factors) {
    const site = sites.get(name);
    if (!site) throw refused(`trains ${name}, which is no projection of this model; take the model it was trained on`);
    if (site.inputs !== inputs || site.outputs !== outputs)
      throw refused(
        `is for ${outputs} × ${inputs} at ${name}, but this model has ${site.outputs} × ${site.inputs}; take the model it was trained on`,
      );
  }
  return adapter;
}

/** The projections with an adapter's factors, which are constants here. */
function adaptedProjection(model: Model, {method, factors, start}: Adapter): ReturnType<typeof frozenProjection> {
  const frozen = frozenProjection(model);
  return (site, x) => {
    const own = factors.get(site);
    if (!own) return frozen(site, x);
    const {rank, inputs, outputs, scale, magnitude} = own;
    const pair = ({A, B}: {A: Float32Array; B: Float32Array}) => ({
      A: tf.tensor(A, [1, rank, inputs]),
      B: tf.tensor(B, [1, outputs, rank]),
    });
    const before = start?.get(site);
    const tensors = {
      ...pair(own),
      ...(before ? {start: pair(before)} : {}),
      ...(magnitude ? {magnitude: tf.tensor(magnitude, [1, outputs])} : {}),
    };
    const y = methods[method].apply(model.macros, x, model.weight(`${site}.weight`), tensors, scale);
    return withBias(model.config, model.weight, site, y);
  };
}
