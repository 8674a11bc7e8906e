import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import type {Engine} from '../../../trainer/engine/program/engine.ts';
import {Programs} from '../../../trainer/engine/program/programs.ts';
import {type GenerationLimits, type Generative, generate} from '../../../trainer/generation/generation.ts';
import {beginningOf} from '../../../trainer/generation/sizes.ts';
import {random} from '../../../trainer/math/random.ts';
import {frozenProjection} from '../../../trainer/model/decoder.ts';
import {type BaseModel, openFolder} from '../../../trainer/model/open-model.ts';
import {golden, modelOn} from '../golden.ts';

const families = fileURLToPath(new URL('../../fixtures/families/', import.meta.url));

/** Windows and two rotary bases; layers without a rotary embedding; two rotary tables. */
const models: Record<string, string> = {
  'gemma3-linear': `${families}gemma3-linear`,
  smollm3: `${families}smollm3`,
  'phi3-longrope': `${families}phi3-longrope`,
};

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine('compiled', {threads: 1});
});
afterAll(() => engine.dispose());

/** Trials that differ by an update of one projection in every layer. */
function generativeOf(model: BaseModel, strengths: number[]): Generative {
  const {config} = model;
  const trials = strengths.length;
  const rank = 4;
  const [out, size] = [config.hiddenSize, config.heads * config.headDim];
  const stream = random('adapter');
  const A = stream.normal(rank * size);
  const B = stream.normal(out * rank);
  return {
    config,
    trials,
    inputs: {A: {shape: [trials, rank, size], dtype: 'float32'}, B: {shape: [trials, out, rank], dtype: 'float32'}},
    feeds: {
      A: Float32Array.from(strengths.flatMap(() => [...A])),
      B: Float32Array.from(strengths.flatMap(strength => Array.from(B, value => strength * value))),
    },
    passes: ({A, B}) => {
      const on = modelOn(engine, model);
      const frozen = frozenProjection(on);
      const adapted = (site: string, x: Parameters<typeof frozen>[1]) =>
        on.macros.lowRank(x, on.weight(`${site}.weight`), {A: A!, B: B!}, 1);
      return {model: on, project: (site, x) => (site.endsWith('.o_proj') ? adapted(site, x) : frozen(site, x))};
    },
  };
}

function promptsOf({config}: BaseModel, lengths: number[]): number[][] {
  const stream = random('prompts');
  return lengths.map(length => Array.from({length}, () => stream.integerBelow(config.vocabSize)));
}

const strengths = [0, 0.05, -0.1];
const lengths = [3, 41, 1, 17, 70, 9, 2];

async function said(generative: Generative, prompts: number[][], limits: GenerationLimits): Promise<number[][][]> {
  const programs = new Programs(engine);
  const answers = await generate(programs, generative, prompts, limits);
  await programs.dispose();
  return answers;
}

for (const [name, folder] of Object.entries(models))
  describe(name, () => {
    const model = openFolder(folder);
    const prompts = promptsOf(model, lengths);
    const limits = {maxNewTokens: 40, eosIds: [5, 9]};
    const all = generativeOf(model, strengths);

    it('every trial says to every prompt what it says alone', async () => {
      const together = await said(all, prompts, limits);
      const one = generativeOf(model, [strengths[2]!]);
      for (const [i, prompt] of prompts.entries())
        expect(await said(one, [prompt], limits)).toEqual([[together[2]![i]]]);
      expect(together[2]).not.toEqual(together[0]);
      expect(new Set(together.flat().map(ids => ids.length)).size).toBeGreaterThan(2);
    });

    it('prompts that begin alike are continued as alone, where what they share was read for itself', async () => {
      // Some end before the cache grows, so that those behind them change their seats.
      const begun = [...prompts, ...prompts.map(prompt => [7, ...prompt])].map(prompt => [
        ...promptsOf(model, [21])[0]!,
        ...prompt,
      ]);
      expect(beginningOf(begun)).toBe(21);
      const together = await said(all, begun, limits);
      for (const trial of [0, 2]) {
        const one = generativeOf(model, [strengths[trial]!]);
        for (const [i, prompt] of begun.entries())
          expect(await said(one, [prompt], limits)).toEqual([[together[trial]![i]]]);
      }
    });

    it('draws are the same alone, in company and again', async () => {
      const drawing = {...limits, temperature: 0.9, topP: 0.95, seed: 4};
      const together = await said(all, prompts, {...drawing, samples: 3});
      expect(await said(all, prompts, {...drawing, samples: 3})).toEqual(together);
      const one = generativeOf(model, [strengths[1]!]);
      for (const i of [0, 4]) {
        const [alone] = await said(one, [prompts[i]!], {...drawing, samples: 2});
        expect(alone).toEqual(together[1]!.slice(3 * i, 3 * i + 2));
        expect(alone![0]).not.toEqual(alone![1]);
      }
      expect(await said(one, [prompts[1]!], {...drawing, seed: 5})).not.toEqual([[together[1]![3]]]);
    });

    it('answers are the same with packed weights', async () => {
      const one = generativeOf(model, [strengths[2]!]);
      const packing = openCompiled({threads: 1, packsWeights: true});
      const programs = new Programs(packing);
      expect(await generate(programs, one, prompts, limits)).toEqual(await said(one, prompts, limits));
      await packing.dispose();
    });
  });

it('texts share a beginning that is long enough, where enough is saved, and has something behind it', () => {
  const texts = (length: number, ends: number[][]) => ends.map(end => [...Array(length).fill(7), ...end]);
  const ends = [[1], [2, 3], [4], [5]];
  expect(beginningOf(texts(100, ends))).toBe(100);
  expect(beginningOf(texts(100, [...ends, []]))).toBe(99);
  expect(beginningOf(texts(80, ends))).toBe(0);
  expect(
    beginningOf(
      texts(
        9,
        Array.from({length: 99}, (_, i) => [i]),
      ),
    ),
  ).toBe(0);
  expect(beginningOf(texts(100, ends.slice(1)))).toBe(0);
  expect(beginningOf(texts(100, [[1], [1], [1], [1], [1]]))).toBe(0);
  expect(beginningOf([])).toBe(0);
});

describe('many sequences', () => {
  const model = openFolder(golden('models/llama'));
  const lengths = Array.from({length: 150}, (_, i) => 1 + ((i * 37) % 29));
  const prompts = promptsOf(model, lengths);

  it('take the seats of those that ended', async () => {
    const one = generativeOf(model, [0.05]);
    const limits = {maxNewTokens: 30, eosIds: [1, 2, 3, 4, 5, 6, 7, 8]};
    const [answers] = await said(one, prompts, limits);
    for (const i of [0, 77, 149]) expect(await said(one, [prompts[i]!], limits)).toEqual([[answers![i]]]);
    expect(new Set(answers!.map(ids => ids.length)).size).toBeGreaterThan(10);
  });

  it('stop when asked to', async () => {
    let steps = 0;
    const programs = new Programs(engine);
    const limits = {maxNewTokens: 30, eosIds: []};
    const [answers] = await generate(programs, generativeOf(model, [0]), prompts, limits, () => ++steps > 3);
    expect(Math.max(...answers!.map(ids => ids.length))).toBeLessThan(10);
    await programs.dispose();
  });

  it('there may be none', async () => {
    expect(await said(generativeOf(model, [0, 1]), [], {maxNewTokens: 3, eosIds: []})).toEqual([[], []]);
  });
});
