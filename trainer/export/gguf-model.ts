/** A model folder as one GGUF file in float16, for llama.cpp and Ollama: families whose tensors it has under names of its own. */
import type {ModelConfig} from '../model/config.ts';
import {ggufNames} from '../model/gguf-names.ts';
import {openFolder} from '../model/open-model.ts';
import {rotaryFrequencies} from '../model/rotary.ts';
import {readTensor} from '../weights/safetensors.ts';
import {type GgufTensor, type GgufValue, writeGguf} from '../weights/write-gguf.ts';
import {noGguf, tokenizerKeys} from './gguf-tokenizer.ts';

/** llama.cpp's architectures by family. */
const architectures: Readonly<Record<string, 'llama' | 'qwen2' | 'qwen3'>> = {
  llama: 'llama',
  mistral: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
};

/** `general.file_type`: matrices in float16. */
const mostlyFloat16 = 1;

export interface PlannedGguf {
  keys: [string, GgufValue][];
  tensors: GgufTensor[];
}

/**
 * What a GGUF file of a model folder with safetensors holds: matrices in float16, norms and biases in float32.
 * @throws SweepError `no-gguf` for what is not surely right in llama.cpp
 */
export function planGguf(folder: string, name: string): PlannedGguf {
  const {config, weights} = openFolder(folder);
  const architecture = architectureOf(config);
  const keys = [...modelKeys(config, architecture, name), ...tokenizerKeys(folder, config)];
  const names = ggufNames[architecture]!;
  const nameOf = spelling(names.layer);
  const tensors = [...weights.tensors.values()].flatMap((stored): GgufTensor[] => {
    const own = nameOf(stored.name);
    if (own === null) throw noGguf(`it has a weight ${stored.name}, which llama.cpp's ${architecture} has not`);
    // A head that is the embeddings is not written twice.
    if (own === 'output.weight' && config.tiedEmbeddings) return [];
    const heads = /q_proj/.test(stored.name) ? config.heads : /k_proj/.test(stored.name) ? config.kvHeads : null;
    const values = (): Float32Array =>
      names.interleaved && heads !== null ? asPairs(readTensor(stored), heads, config.headDim) : readTensor(stored);
    return [{name: own, shape: stored.shape, dtype: stored.shape.length > 1 ? 'F16' : 'F32', values}];
  });
  return {keys, tensors: [...ropeFactors(config), ...tensors]};
}

/** @throws SweepError as `planGguf`, and `out-of-range` for weights that float16 cannot hold */
export function writeGgufModel(
  folder: string,
  file: string,
  name: string,
  progress?: (done: number, total: number) => void,
): void {
  const {keys, tensors} = planGguf(folder, name);
  writeGguf(file, keys, tensors, done => progress?.(done, tensors.length));
}

/** Names of transformers in llama.cpp's words: the other way round than reading has them. */
function spelling(layer: Readonly<Record<string, string>>): (name: string) => string | null {
  const parts = new Map(Object.entries(layer).map(([short, long]) => [long, short]));
  const whole = new Map([
    ['model.embed_tokens.weight', 'token_embd.weight'],
    ['model.norm.weight', 'output_norm.weight'],
    ['lm_head.weight', 'output.weight'],
  ]);
  return name => {
    const [, block, part = '', kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
    const short = parts.get(part);
    return whole.get(name) ?? (short === undefined ? null : `blk.${block}.${short}.${kind}`);
  };
}

/** Rows of a head's two halves become pairs side by side, as llama.cpp turns them. `values`: [heads · headDim, …]. */
function asPairs(values: Float32Array, heads: number, headDim: number): Float32Array {
  const turned = new Float32Array(values.length);
  const width = values.length / (heads * headDim);
  for (let row = 0; row < heads * headDim; row++) {
    const [head, k] = [Math.floor(row / headDim), row % headDim];
    const from = (head * headDim + (k % 2) * (headDim / 2) + (k >> 1)) * width;
    turned.set(values.subarray(from, from + width), row * width);
  }
  return turned;
}

function architectureOf(config: ModelConfig): 'llama' | 'qwen2' | 'qwen3' {
  const {family, layers, headDim, rotarySize} = config;
  const architecture = Object.hasOwn(architectures, family) ? architectures[family] : undefined;
  if (architecture === undefined)
    throw noGguf(`the family ${family} is none of ${Object.keys(architectures).join(', ')}`);
  const biased = config.biases.join();
  const isPlain =
    config.activation === 'silu' &&
    [config.embeddingScale, config.residualScale, config.logitScale].every(scale => scale === 1) &&
    Math.abs(config.attentionScale * Math.sqrt(headDim) - 1) < 1e-9 &&
    config.scoreCap === null &&
    config.logitCap === null &&
    config.qkNorm === (architecture === 'qwen3' ? 'heads' : 'none') &&
    biased === (architecture === 'qwen2' ? 'q_proj,k_proj,v_proj' : '') &&
    rotarySize === headDim;
  if (!isPlain) throw noGguf(`it computes something that llama.cpp's ${architecture} does not`);
  const [first] = layers;
  const scaling = first?.rotary?.scaling ?? null;
  const isAlike = layers.every(
    ({window, rotary}) => window === null && JSON.stringify(rotary) === JSON.stringify(first?.rotary),
  );
  if (!isAlike || !first?.rotary || first.rotary.sharpening || !(scaling === null || scaling.type === 'llama3'))
    throw noGguf('its attention has windows, or rotary embeddings that are scaled in another way than Llama 3');
  return architecture;
}

function modelKeys(config: ModelConfig, architecture: string, name: string): [string, GgufValue][] {
  const {hiddenSize, intermediateSize, heads, kvHeads, headDim, maxPositions, vocabSize, normEps, layers} = config;
  const count = (key: string, value: number): [string, GgufValue] => [
    `${architecture}.${key}`,
    {type: 'uint32', value},
  ];
  const real = (key: string, value: number): [string, GgufValue] => [
    `${architecture}.${key}`,
    {type: 'float32', value},
  ];
  return [
    ['general.architecture', {type: 'string', value: architecture}],
    ['general.type', {type: 'string', value: 'model'}],
    ['general.name', {type: 'string', value: name}],
    ['general.file_type', {type: 'uint32', value: mostlyFloat16}],
    ['general.quantization_version', {type: 'uint32', value: 2}],
    count('block_count', layers.length),
    count('context_length', maxPositions),
    count('embedding_length', hiddenSize),
    count('feed_forward_length', intermediateSize),
    count('attention.head_count', heads),
    count('attention.head_count_kv', kvHeads),
    count('attention.key_length', headDim),
    count('attention.value_length', headDim),
    count('rope.dimension_count', headDim),
    count('vocab_size', vocabSize),
    real('rope.freq_base', layers[0]!.rotary!.theta),
    real('attention.layer_norm_rms_epsilon', normEps),
  ];
}

/** What Llama 3.1 divides each frequency by. */
function ropeFactors({layers, headDim, maxPositions}: ModelConfig): GgufTensor[] {
  const rotary = layers[0]!.rotary!;
  if (rotary.scaling === null) return [];
  const scaled = rotaryFrequencies(maxPositions, headDim, rotary);
  const plain = rotaryFrequencies(maxPositions, headDim, {...rotary, scaling: null});
  const values = () => Float32Array.from(plain, (frequency, k) => frequency / scaled[k]!);
  return [{name: 'rope_freqs.weight', shape: [headDim / 2], dtype: 'F32', values}];
}
