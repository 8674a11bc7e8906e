/** A tiny model with a published tokenizer: random weights, made when a test needs them. */
import {copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {random} from '../../trainer/math/random.ts';
import {writeSafetensors} from '../../trainer/weights/safetensors.ts';
import {modelFolder, type Published} from './published.ts';

export interface TinyModel {
  tokenizer: Published;
  vocabSize: number;
  /** Of config.json. */
  eos: number;
  /** What tokenizer_config.json says otherwise than as published. */
  tokenizerConfig?: Record<string, unknown>;
}

const [hidden, inner, heads, layers] = [32, 64, 4, 2];

/** Writes a model folder of Qwen3's architecture, whose embeddings are its head. */
export function writeTinyModel(folder: string, {tokenizer, vocabSize, eos, tokenizerConfig = {}}: TinyModel): void {
  mkdirSync(folder, {recursive: true});
  const from = modelFolder(tokenizer);
  copyFileSync(join(from, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const published = JSON.parse(readFileSync(join(from, 'tokenizer_config.json'), 'utf8'));
  const write = (name: string, value: object) => writeFileSync(join(folder, name), JSON.stringify(value));
  write('tokenizer_config.json', {...published, ...tokenizerConfig});
  write('config.json', {
    architectures: ['Qwen3ForCausalLM'],
    model_type: 'qwen3',
    vocab_size: vocabSize,
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    head_dim: hidden / heads,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    tie_word_embeddings: true,
    eos_token_id: eos,
  });
  write('generation_config.json', {eos_token_id: eos});
  const shapes: [string, number[]][] = [['model.embed_tokens.weight', [vocabSize, hidden]]];
  for (let layer = 0; layer < layers; layer++) {
    const name = (rest: string) => `model.layers.${layer}.${rest}.weight`;
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'o_proj'])
      shapes.push([name(`self_attn.${part}`), [hidden, hidden]]);
    for (const part of ['q_norm', 'k_norm']) shapes.push([name(`self_attn.${part}`), [hidden / heads]]);
    for (const part of ['gate_proj', 'up_proj']) shapes.push([name(`mlp.${part}`), [inner, hidden]]);
    shapes.push([name('mlp.down_proj'), [hidden, inner]]);
    for (const part of ['input_layernorm', 'post_attention_layernorm']) shapes.push([name(part), [hidden]]);
  }
  shapes.push(['model.norm.weight', [hidden]]);
  const stream = random(1, 'tiny model');
  const tensors = shapes.map(([name, shape]) => {
    const isNorm = shape.length === 1;
    // Sharp enough that one of so many tokens can be the likeliest by far.
    const norm = name === 'model.norm.weight' ? 6 : 1;
    const size = shape.reduce((product, length) => product * length, 1);
    const data = Float32Array.from({length: size}, () => (isNorm ? norm : (stream.next() - 0.5) * 0.8));
    return [name, {shape, data}] as const;
  });
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors));
}
