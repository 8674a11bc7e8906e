/** Shapes of the study's models, from their configurations, for the table of costs in docs/methods.md. */
import type {DecoderShape} from './cost.ts';

function shape(
  layers: number,
  hiddenSize: number,
  intermediateSize: number,
  [heads, kvHeads, headDim]: [number, number, number],
  vocabSize: number,
  /** Of head and embeddings in one, and of the norms of a layer. */
  {tied, norms}: {tied: boolean; norms: number},
): DecoderShape {
  const [query, key] = [heads * headDim, kvHeads * headDim];
  const matrices: Record<string, [inputs: number, outputs: number]> = {
    q_proj: [hiddenSize, query],
    k_proj: [hiddenSize, key],
    v_proj: [hiddenSize, key],
    o_proj: [query, hiddenSize],
    gate_proj: [hiddenSize, intermediateSize],
    up_proj: [hiddenSize, intermediateSize],
    down_proj: [intermediateSize, hiddenSize],
  };
  const layer = Object.entries(matrices).map(([name, [inputs, outputs]]) => ({name, inputs, outputs}));
  const inLayer = norms + layer.reduce((sum, {inputs, outputs}) => sum + inputs * outputs, 0);
  return {
    everything: layers * inLayer + (tied ? 1 : 2) * vocabSize * hiddenSize + hiddenSize,
    adapted: Array.from({length: layers}, () => layer).flat(),
    others: [{inputs: hiddenSize, outputs: vocabSize}],
  };
}

export const knownShapes: Readonly<Record<string, DecoderShape>> = {
  'Qwen3-0.6B': shape(28, 1024, 3072, [16, 8, 128], 151_936, {tied: true, norms: 2 * 1024 + 2 * 128}),
  'Gemma-3-1B': shape(26, 1152, 6912, [4, 1, 256], 262_144, {tied: true, norms: 4 * 1152 + 2 * 256}),
  'Llama-2-7B': shape(32, 4096, 11_008, [32, 32, 128], 32_000, {tied: false, norms: 2 * 4096}),
};
