/** How much a training step computes. */
import type {BatchShape} from '../data/shapes.ts';
import type {ModelConfig} from '../model/config.ts';

/**
 * Floating-point operations of one step: twice the weights forward, twice backward to the inputs, six times the trained
 * numbers (`parameters`) for each token; attention for each place of the padded rows.
 */
export function stepFlops(config: ModelConfig, {groups, tokens, targets}: BatchShape, parameters: number): number {
  const perToken = 4 * layerWeights(config) + 6 * parameters;
  const seen = groups.reduce((sum, {rows, length}) => sum + rows * length ** 2, 0);
  const attention = 8 * config.layers.length * config.heads * config.headDim * seen;
  return tokens * perToken + attention + targets * 4 * config.vocabSize * config.hiddenSize;
}

function layerWeights({hiddenSize, intermediateSize, heads, kvHeads, headDim, layers}: ModelConfig): number {
  const attention = 2 * hiddenSize * (heads + kvHeads) * headDim;
  return layers.length * (attention + 3 * hiddenSize * intermediateSize);
}
