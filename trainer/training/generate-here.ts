import type {Programs} from '../engine/program/programs.ts';
import {type Choosing, generate} from '../generation/generation.ts';
import type {Decode} from '../generation/stopping.ts';
import type {BaseModel} from '../model/open-model.ts';
import {adaptedModel} from './adapted-model.ts';

/** What a worker is asked to generate. */
export interface GenerateJob extends Choosing {
  adapter?: string | undefined;
  prompts: number[][];
  maxNewTokens: number;
  eosIds: readonly number[];
}

/** Generates on this thread's engine. */
export async function generateHere(
  programs: Programs,
  base: BaseModel,
  {adapter, prompts, ...limits}: GenerateJob,
  decode: Decode,
): Promise<number[][]> {
  const generative = await (await adaptedModel(programs, base, adapter)).generative();
  const [answers] = await generate(programs, generative, prompts, {...limits, decode});
  return answers!;
}
