/** How much a training step computes. */
import type {StepSize} from './activations.ts';
import type {ModelConfig} from './model/config.ts';

/**
 * Floating-point operations of one step over `rows` rows of `length` tokens and `targets` tokens to learn in all: twice the
 * weights forward, twice backward to the inputs, six times the trained numbers (`parameters`) for each token.
 */
export function stepFlops(config: ModelConfig, {rows, length, targets}: StepSize, parameters: number): number {
  const perToken = 4 * layerWeights(config) + 8 * config.layers.length * config.heads * config.headDim * length;
  return rows * length * (perToken + 6 * parameters) + targets * 4 * config.vocabSize * config.hiddenSize;
}

function layerWeights({hiddenSize, intermediateSize, heads, kvHeads, headDim, layers}: ModelConfig): number {
  const attention = 2 * hiddenSize * (heads + kvHeads) * headDim;
  return layers.length * (attention + 3 * hiddenSize * intermediateSize);
}
