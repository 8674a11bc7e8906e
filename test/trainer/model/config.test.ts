import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readConfig} from '../../../trainer/model/read-config.ts';

const models = new URL('../../fixtures/goldens/models/', import.meta.url).pathname;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterAll(() => rmSync(folder, {recursive: true}));

function golden(name: string, file = 'config.json'): Record<string, unknown> {
  return JSON.parse(readFileSync(join(models, name, file), 'utf8'));
}

/** Reads a config made of a golden one and changes; undefined takes a key away. */
function read(base: string | Record<string, unknown>, changes: Record<string, unknown> = {}, generation?: unknown) {
  const config = {...(typeof base === 'string' ? golden(base) : base), ...changes};
  const parent = mkdtempSync(join(folder, 'm-'));
  writeFileSync(join(parent, 'config.json'), JSON.stringify(config));
  if (generation) writeFileSync(join(parent, 'generation_config.json'), JSON.stringify(generation));
  return readConfig(parent);
}

const small = {vocab_size: 100, hidden_size: 64, intermediate_size: 128, num_hidden_layers: 3, num_attention_heads: 4};

describe('config.json', () => {
  it.each(['llama', 'qwen3', 'gemma3'])('of %s means the same in the current and the older spelling', name => {
    expect(read(golden(name, 'config_legacy.json'))).toEqual(read(golden(name)));
  });

  it('of Gemma 3 gives two rotary bases, windows by layer, scaled embeddings and its own attention scale', () => {
    const config = readConfig(join(models, 'gemma3'));
    expect(config.layers).toEqual([
      {window: 6, rotary: {theta: 10_000, scaling: null}},
      {window: null, rotary: {theta: 1_000_000, scaling: null}},
      {window: 6, rotary: {theta: 10_000, scaling: null}},
    ]);
    expect(config).toMatchObject({
      normOffset: 1,
      norms: {
        beforeAttention: 'input_layernorm',
        behindAttention: 'post_attention_layernorm',
        beforeMlp: 'pre_feedforward_layernorm',
        behindMlp: 'post_feedforward_layernorm',
      },
      qkNorm: 'heads',
      activation: 'gelu-tanh',
      tiedEmbeddings: true,
    });
    expect(config.attentionScale).toBeCloseTo(24 ** -0.5, 15);
    expect(config.embeddingScale).toBeCloseTo(Math.sqrt(32), 15);
  });

  it('of Qwen 3 gives norms on q and k and a head size of its own', () => {
    expect(readConfig(join(models, 'qwen3'))).toMatchObject({
      qkNorm: 'heads',
      biases: [],
      headDim: 16,
      hiddenSize: 40,
      attentionScale: 0.25,
      embeddingScale: 1,
      layers: Array(2).fill({window: null, rotary: {theta: 1_000_000, scaling: null}}),
    });
  });

  it('that says little is completed as transformers does, family by family', () => {
    expect(read({model_type: 'llama', ...small})).toMatchObject({
      headDim: 16,
      kvHeads: 4,
      tiedEmbeddings: false,
      normEps: 1e-6,
      eosIds: [2],
      bosId: 1,
      padId: null,
      maxPositions: 2048,
    });
    expect(read({model_type: 'qwen3', ...small})).toMatchObject({
      headDim: 128,
      tiedEmbeddings: false,
      eosIds: [],
      bosId: null,
    });
    expect(read({model_type: 'qwen2', ...small}).biases).toEqual(['q_proj', 'k_proj', 'v_proj']);
    expect(read({model_type: 'mistral', ...small}).layers[0]).toMatchObject({window: 4096, rotary: {theta: 10_000}});
    const gemma = read({model_type: 'gemma3_text', ...small, num_hidden_layers: 12});
    expect(gemma).toMatchObject({headDim: 256, tiedEmbeddings: true, attentionScale: 1 / 16, eosIds: [1], padId: 0});
    expect(gemma.layers.map(layer => layer.window === null)).toEqual(Array.from({length: 12}, (_, i) => i % 6 === 5));
  });

  it('of Mistral has a window in every layer, or in none where it is null', () => {
    const windows = (changes: object) => read({model_type: 'mistral', ...small, ...changes}).layers.map(l => l.window);
    expect(windows({sliding_window: 6})).toEqual([6, 6, 6]);
    expect(windows({sliding_window: null})).toEqual([null, null, null]);
  });

  it('of Qwen 2 with windows has them from max_window_layers on', () => {
    const windows = (changes: object) => read({model_type: 'qwen2', ...small, ...changes}).layers.map(l => l.window);
    expect(windows({sliding_window: 8, max_window_layers: 1})).toEqual([null, null, null]);
    expect(windows({use_sliding_window: true, sliding_window: 8, max_window_layers: 1})).toEqual([null, 8, 8]);
  });

  it('takes rope_theta from rope_parameters first, and a default rope_scaling as none', () => {
    const theta = (changes: object) => read({model_type: 'llama', ...small, ...changes}).layers[0]!.rotary?.theta;
    expect(theta({rope_theta: 5})).toBe(5);
    expect(theta({rope_theta: 5, rope_scaling: null})).toBe(5);
    expect(theta({rope_theta: 5, rope_scaling: {type: 'default'}})).toBe(5);
    expect(theta({rope_theta: 5, rope_parameters: {rope_theta: 7, rope_type: 'default'}})).toBe(7);
  });

  it('tells rotary scaling in either spelling', () => {
    const scaling = (changes: object) => read({model_type: 'llama', ...small, ...changes}).layers[0]!.rotary?.scaling;
    expect(scaling({rope_scaling: {type: 'linear', factor: 8}})).toEqual({type: 'linear', factor: 8});
    const llama3 = {factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192};
    const read3 = {type: 'llama3', factor: 8, lowFrequency: 1, highFrequency: 4, originalPositions: 8192};
    expect(scaling({rope_scaling: {rope_type: 'llama3', ...llama3}})).toEqual(read3);
    expect(scaling({rope_parameters: {rope_type: 'llama3', rope_theta: 5e5, ...llama3}})).toEqual(read3);
    expect(() => scaling({rope_scaling: {rope_type: 'llama3', factor: 8}})).toThrow(/low_freq_factor is missing/);
  });

  it('of Gemma 3 with linear scaling stretches the full layers only', () => {
    const rotary = read({...golden('gemma3', 'config_legacy.json'), rope_scaling: {rope_type: 'linear', factor: 8}});
    expect(rotary.layers.map(layer => layer.rotary?.scaling)).toEqual([null, {type: 'linear', factor: 8}, null]);
  });

  it('of Gemma 3 with eyes is its text part, with what the files on the hub leave out', () => {
    const config = read({
      model_type: 'gemma3',
      eos_token_id: [1, 106],
      text_config: {
        hidden_size: 2560,
        intermediate_size: 10240,
        model_type: 'gemma3_text',
        num_hidden_layers: 34,
        rope_scaling: {factor: 8.0, rope_type: 'linear'},
        sliding_window: 1024,
      },
      vision_config: {hidden_size: 1152},
    });
    expect(config).toMatchObject({
      family: 'gemma3_text',
      modulePath: 'model.language_model',
      heads: 8,
      kvHeads: 4,
      headDim: 256,
      vocabSize: 262_208,
      tiedEmbeddings: true,
      eosIds: [1, 106],
    });
    expect(config.layers[5]).toMatchObject({window: null, rotary: {theta: 1e6, scaling: {factor: 8}}});
    expect(config.layers[0]).toEqual({window: 1024, rotary: {theta: 1e4, scaling: null}});
    expect(() => read({model_type: 'gemma3'})).toThrow(/text_config is missing/);
  });

  // What Mistral3Config and Gemma3Config of transformers 5.23 have as tie_word_embeddings.
  it.each([
    ['mistral3', 'ministral3'],
    ['gemma3', 'gemma3_text'],
  ])(
    'of %s takes its head from the embeddings unless the whole says otherwise, whatever its text part says',
    (whole, text) => {
      const tied = (above: object, inside: object) =>
        read({model_type: whole, ...above, text_config: {model_type: text, ...small, vocab_size: 96, ...inside}})
          .tiedEmbeddings;
      const [yes, no] = [{tie_word_embeddings: true}, {tie_word_embeddings: false}];
      for (const inside of [{}, yes, no]) {
        expect(tied({}, inside)).toBe(true);
        expect(tied(yes, inside)).toBe(true);
        expect(tied(no, inside)).toBe(false);
      }
    },
  );

  it('of SmolLM 3 leaves every fourth layer without rotary embedding, or those it lists', () => {
    const turning = (changes: object) =>
      read({model_type: 'smollm3', ...small, num_hidden_layers: 5, ...changes}).layers.map(l => l.rotary !== null);
    expect(turning({})).toEqual([true, true, true, false, true]);
    expect(turning({no_rope_layers: [0, 1, 1, 0, 1]})).toEqual([false, true, true, false, true]);
    expect(() => turning({no_rope_layers: [1, 1]})).toThrow(/no_rope_layers is not a list of 5/);
  });

  it('names the projections that have biases', () => {
    const biases = (changes: object) => read({model_type: 'llama', ...small, ...changes}).biases;
    expect(biases({attention_bias: true})).toEqual(['q_proj', 'k_proj', 'v_proj', 'o_proj']);
    expect(biases({mlp_bias: true})).toEqual(['gate_proj', 'up_proj', 'down_proj']);
    expect(read({...small, model_type: 'phi3', attention_bias: true}).biases).toEqual(['qkv_proj', 'o_proj']);
  });

  it('names the ends of a text together with generation_config.json', () => {
    expect(read('llama', {eos_token_id: 7}).eosIds).toEqual([7]);
    expect(read('llama', {eos_token_id: [7, 8]}).eosIds).toEqual([7, 8]);
    expect(read('llama', {eos_token_id: 7}, {eos_token_id: [3, 4]}).eosIds).toEqual([3, 4, 7]);
    expect(read('llama', {eos_token_id: undefined}, {eos_token_id: 3}).eosIds).toEqual([3]);
    expect(read('llama', {eos_token_id: 7}, {do_sample: false}).eosIds).toEqual([7]);
    expect(read('llama', {eos_token_id: null, pad_token_id: -1})).toMatchObject({eosIds: [], padId: null});
  });
});

describe('a model that is not supported is named in one sentence', () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    [
      'another family',
      {model_type: 'nobody'},
      /"nobody"; the families supported are llama, mistral, qwen2, qwen3, smollm3, phi3, gemma, gemma2, gemma3_text, olmo2/,
    ],
    ['a family named like an object method', {model_type: 'constructor'}, /"constructor"/],
    ['no family', {model_type: undefined}, /no model_type/],
    [
      'a mixture of experts',
      {model_type: 'mixtral', num_local_experts: 8},
      /"mixtral" and needs a mixture of experts, which the decoder has not; the families supported are/,
    ],
    [
      'dynamic scaling, older key',
      {rope_scaling: {type: 'dynamic', factor: 8}},
      /type "dynamic"; linear, llama3, longrope and yarn are/,
    ],
    ['scaling of an unknown kind in the current spelling', {rope_parameters: {rope_type: 'ntk'}}, /"ntk"/],
    ['quantised weights', {quantization_config: {bits: 4}}, /quantised weights/],
    ['soft capping', {final_logit_softcapping: 30}, /final_logit_softcapping: 30/],
    ['a partial rotary embedding', {partial_rotary_factor: 0.5}, /partial_rotary_factor: 0.5/],
    ['an activation', {hidden_act: 'relu'}, /activation "relu"/],
  ];
  it.each(cases)('%s', (_, changes, message) => {
    expect(() => read('llama', changes)).toThrow(
      expect.objectContaining({code: 'unknown-architecture', message: expect.stringMatching(message)}),
    );
  });

  it('rotary scaling of one kind of layer', () => {
    const rope = {
      full_attention: {rope_type: 'dynamic', factor: 8, rope_theta: 1e6},
      sliding_attention: {rope_theta: 1e4},
    };
    expect(() => read('gemma3', {rope_parameters: rope})).toThrow(/"dynamic"/);
  });
});

describe('a config.json that cannot be is refused with the key', () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ['zero heads', {num_attention_heads: 0}, /num_attention_heads is 0/],
    ['heads that do not divide', {num_attention_heads: 4, num_key_value_heads: 3}, /\(4\) is not a multiple .*\(3\)/],
    ['a missing size', {hidden_size: undefined}, /hidden_size is missing/],
    ['a size in quotes', {hidden_size: '32'}, /hidden_size is "32"/],
    ['a hidden size the heads do not divide', {hidden_size: 33, head_dim: undefined}, /head_dim is 8.25/],
    ['an odd head', {head_dim: 7}, /\(7\) is not even/],
    ['a million layers', {num_hidden_layers: 1_000_000}, /num_hidden_layers is 1000000/],
    ['a negative epsilon', {rms_norm_eps: -1}, /rms_norm_eps is -1/],
    ['yarn without a factor', {rope_parameters: {rope_type: 'yarn'}}, /factor is missing/],
    ['tied: 1', {tie_word_embeddings: 1}, /tie_word_embeddings is 1/],
    ['a token id with a fraction', {eos_token_id: 1.5}, /eos_token_id is 1.5/],
    ['a rotary base of zero', {rope_parameters: undefined, rope_theta: 0}, /rope_theta is 0/],
  ];
  it.each(cases)('%s', (_, changes, message) => {
    expect(() => read('llama', changes)).toThrow(
      expect.objectContaining({code: 'bad-model', message: expect.stringMatching(message)}),
    );
  });

  it('layer_types of the wrong length or kind, or windows without a size', () => {
    expect(() => read('gemma3', {layer_types: ['full_attention']})).toThrow(/layer_types is not a list of 3/);
    expect(() => read('qwen3', {layer_types: ['full_attention', 'linear_attention']})).toThrow(/layer_types/);
    expect(() => read('gemma3', {sliding_window: null})).toThrow(/sliding_window is null/);
  });

  it('no folder, no file, no JSON, no object', () => {
    expect(() => readConfig(join(folder, 'nowhere'))).toThrow(/no model folder/);
    const parent = mkdtempSync(join(folder, 'bad-'));
    expect(() => readConfig(parent)).toThrow(/no config.json in/);
    writeFileSync(join(parent, 'config.json'), '{"model_type": ');
    expect(() => readConfig(parent)).toThrow(/is not JSON/);
    writeFileSync(join(parent, 'config.json'), '[1]');
    expect(() => readConfig(parent)).toThrow(/not a JSON object/);
  });
});
