/** Shapes of the study's models, from their configurations, for the table of costs in docs/methods.md. */
import type {DecoderShape} from './cost.ts';

function shape(
  layers: number,
  hiddenSize: number,
  intermediateSize: number,
  [heads, kvHeads, headDim]: [number, number, number],
  vocabSize: number,
): DecoderShape {
  const [query, key] = [heads * headDim, kvHeads * headDim];
  const matrices: [number, number][] = [
    [hiddenSize, query],
    [hiddenSize, key],
    [hiddenSize, key],
    [query, hiddenSize],
    [hiddenSize, intermediateSize],
    [hiddenSize, intermediateSize],
    [intermediateSize, hiddenSize],
  ];
  const layer = matrices.map(([inputs, outputs]) => ({inputs, outputs}));
  return {
    adapted: Array.from({length: layers}, () => layer).flat(),
    others: [{inputs: hiddenSize, outputs: vocabSize}],
  };
}

export const knownShapes: Readonly<Record<string, DecoderShape>> = {
  'Qwen3-0.6B': shape(28, 1024, 3072, [16, 8, 128], 151_936),
  'Gemma-3-1B': shape(26, 1152, 6912, [4, 1, 256], 262_144),
  'Llama-2-7B': shape(32, 4096, 11_008, [32, 32, 128], 32_000),
};
