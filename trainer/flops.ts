/** How much a training step computes. */
import type {StepSize} from './activations.ts';
import type {ModelConfig} from './model/config.ts';

/**
 * Floating-point operations of one step over `tokens` tokens in `rows` rows of `length` places, `targets` of them to
 * learn: twice the weights forward, twice backward to the inputs, six times the trained numbers (`parameters`) for each
 * token; attention for each place.
 */
export function stepFlops(config: ModelConfig, {rows, length, tokens, targets}: StepSize, parameters: number): number {
  const perToken = 4 * layerWeights(config) + 6 * parameters;
  const perPlace = 8 * config.layers.length * config.heads * config.headDim * length;
  return tokens * perToken + rows * length * perPlace + targets * 4 * config.vocabSize * config.hiddenSize;
}

function layerWeights({hiddenSize, intermediateSize, heads, kvHeads, headDim, layers}: ModelConfig): number {
  const attention = 2 * hiddenSize * (heads + kvHeads) * headDim;
  return layers.length * (attention + 3 * hiddenSize * intermediateSize);
}
