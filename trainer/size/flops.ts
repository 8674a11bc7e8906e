/** How much a training step computes. */
import {type BatchShape, isAnswered} from '../data/shapes.ts';
import type {ModelConfig} from '../model/config.ts';

/**
 * Floating-point operations of one step: twice the weights forward, twice backward to the inputs, six times the trained
 * numbers (`parameters`) for each token; attention for each place of the padded rows. Of the last layer, all but keys and
 * values is computed for targets only.
 */
export function stepFlops(config: ModelConfig, shape: BatchShape, parameters: number): number {
  const {groups, tokens, targets, beginning = 0} = shape;
  const layers = config.layers.length;
  const {keyed, other} = layerWeights(config);
  const perLayer = (weights: number) => 4 * weights + (6 * parameters * weights) / (layers * (keyed + other));
  const answered = isAnswered(shape) ? targets : tokens;
  const inLayers = tokens * layers * perLayer(keyed) + ((layers - 1) * tokens + answered) * perLayer(other);
  const own = groups.reduce((sum, {rows, length}) => sum + rows * length * (beginning + length), 0);
  const attention = 8 * config.heads * config.headDim * (layers * own + (layers - 1) * beginning ** 2);
  return inLayers + attention + targets * 4 * config.vocabSize * config.hiddenSize;
}

/** Numbers of a layer's projections: of keys and values, and of the others. */
function layerWeights({hiddenSize, intermediateSize, heads, kvHeads, headDim}: ModelConfig) {
  const keyed = 2 * hiddenSize * kvHeads * headDim;
  return {keyed, other: 2 * hiddenSize * heads * headDim + 3 * hiddenSize * intermediateSize};
}
