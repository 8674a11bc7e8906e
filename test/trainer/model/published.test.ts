/** Models as they are published: what is read in their config.json, against what transformers reads. */
import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {ModelConfig} from '../../../trainer/model/config.ts';
import {lackedBy} from '../../../trainer/model/lacking.ts';
import {readConfig} from '../../../trainer/model/read-config.ts';
import {rotaryFrequencies} from '../../../trainer/model/rotary.ts';
import {weightShapes} from '../../../trainer/model/weights.ts';

const folder = fileURLToPath(new URL('../../fixtures/configs/', import.meta.url));

interface Expected {
  family: string;
  vocab: number;
  hidden: number;
  heads: number;
  kv_heads: number;
  positions: number;
  norm_eps: number;
  scaling: number;
  embedding: number;
  residual: number;
  logits: number;
  score_cap: number | null;
  logit_cap: number | null;
  tied: boolean;
  bos: number | null;
  eos: number[];
  pad: number | null;
  layers: [window: number | null, turned: boolean][];
  biases: string[];
  shapes: Record<string, number[]>;
  rotary: Record<string, {inverse: number[]; magnification: number}>;
}

const all: Record<string, Expected> = JSON.parse(readFileSync(`${folder}expected.json`, 'utf8'));

/** Of the first layer, by their names in it. */
function layerShapes(config: ModelConfig): Record<string, number[]> {
  const prefix = 'model.layers.0.';
  const own = [...weightShapes(config)].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, shape]) => [name.slice(prefix.length), shape]));
}

describe('config.json as published means what transformers reads in it', () => {
  it.each(Object.entries(all))('%s', (name, expected) => {
    const config = readConfig(`${folder}${name}`);
    expect(config).toMatchObject({
      family: expected.family,
      vocabSize: expected.vocab,
      hiddenSize: expected.hidden,
      heads: expected.heads,
      kvHeads: expected.kv_heads,
      maxPositions: expected.positions,
      normEps: expected.norm_eps,
      residualScale: expected.residual,
      scoreCap: expected.score_cap,
      logitCap: expected.logit_cap,
      tiedEmbeddings: expected.tied,
      bosId: expected.bos,
      eosIds: expected.eos,
      padId: expected.pad,
    });
    expect(config.attentionScale).toBeCloseTo(expected.scaling, 12);
    expect(config.embeddingScale).toBeCloseTo(expected.embedding, 12);
    expect(config.logitScale).toBeCloseTo(1 / expected.logits, 12);
    expect(config.layers.map(({window, rotary}) => [window, rotary !== null])).toEqual(expected.layers);
    expect(layerShapes(config)).toEqual(expected.shapes);
    for (const {window, rotary} of config.layers) {
      if (rotary === null) continue;
      const kind = window === null ? 'full_attention' : 'sliding_attention';
      const {inverse, magnification} = (expected.rotary[kind] ?? expected.rotary['all'])!;
      const found = rotaryFrequencies(1, config.rotarySize, rotary);
      expect(found.length).toBe(inverse.length);
      // transformers has them in float32.
      for (const [i, value] of inverse.entries()) expect(Math.abs(found[i]! / value - 1)).toBeLessThan(3e-6);
      const {scaling} = rotary;
      expect(scaling && 'magnification' in scaling ? scaling.magnification : 1).toBeCloseTo(magnification, 12);
    }
  });
});

/** What the sentence that refuses them says the decoder has not. */
const refused: Record<string, RegExp> = {
  'qwen3.5-0.8b': /"qwen3_5" and needs linear attention \(gated delta rules\), gated attention, which/,
  'gemma-3n-e2b':
    /needs alternating updates \(AltUp\), learnt augmented residuals, an embedding for each layer, sparse/,
  'gemma-4-e2b': /needs heads of two sizes, keys and values shared between layers, an embedding for each layer, which/,
  'falcon-h1-0.5b': /needs state-space layers \(Mamba\), multipliers of its own, which/,
  'deepseek-v2-lite': /needs latent attention, a mixture of experts, which/,
  'phi-2': /needs norms that subtract a mean, attention and MLP side by side, which/,
  'gpt-oss-20b': /needs a mixture of experts, attention sinks, which/,
  'qwen3-30b-a3b': /needs a mixture of experts, which/,
  gpt2: /needs norms that subtract a mean, learned positions, which/,
  'lfm2-350m': /needs short convolutions instead of attention in some layers, which/,
  'bitnet-b1.58-2b-4t': /needs ternary weights, squared activations, norms inside attention and MLP, which/,
  'granite-4.0-h-tiny':
    /asks for a mixture of experts \(num_local_experts: 64\) and state-space layers \(layer_types\), which/,
  'llama-3.2-1b-bnb-4bit': /asks for quantised weights \(quantization_config\), which/,
};

describe('config.json as published that cannot be computed', () => {
  it.each(Object.entries(refused))('%s', (name, message) => {
    expect(() => readConfig(`${folder}${name}`)).toThrow(
      expect.objectContaining({code: 'unknown-architecture', message: expect.stringMatching(message)}),
    );
    expect(() => readConfig(`${folder}${name}`)).toThrow(expect.not.objectContaining({message: /images/}));
  });

  it('is told by the name of the family, where its keys would mislead', () => {
    // Both have norms like Llama's.
    for (const type of ['exaone', 'qwen'])
      expect(lackedBy({model_type: type, layer_norm_epsilon: 1e-5}).join()).not.toMatch(/norms/);
    // Of a family that nobody knows the key alone says too little.
    expect(lackedBy({model_type: 'new', layer_norm_epsilon: 1e-5})).toEqual([
      'norms that may subtract a mean (layer_norm_epsilon)',
    ]);
    expect(lackedBy({model_type: 'new', layer_norm_eps: 1e-5})).toEqual(['norms that subtract a mean']);
    expect(lackedBy({model_type: 'arcee', hidden_act: 'relu2'})).toEqual([
      'squared activations',
      'an MLP without a gate',
    ]);
  });

  it('or is taken: there is no other', () => {
    const names = readdirSync(folder, {withFileTypes: true}).flatMap(entry => (entry.isDirectory() ? entry.name : []));
    expect(names.sort()).toEqual([...Object.keys(all), ...Object.keys(refused)].sort());
    expect(names.length).toBeGreaterThanOrEqual(43);
  });
});
