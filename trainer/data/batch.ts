/** Rows side by side in arrays of a fixed shape, which a compiled step needs. */
import type {Dataset} from './dataset.ts';
import {ignored} from './encode.ts';
import type {Extent} from './shapes.ts';

/** Rows, tokens a row, and tokens to predict in all. */
export interface BatchShape extends Extent {
  batch: number;
}

export interface Batch {
  /** [batch · length], rows padded on the right. */
  ids: Int32Array;
  /** [targets]: the tokens to predict; 0 where there are fewer. */
  targets: Int32Array;
  /** [targets]: where in [batch · length] the logits lie that predict each, one before the token itself. */
  positions: Int32Array;
  /** [targets]: 1 for a token to predict, 0 for padding. */
  weights: Float32Array;
  /** Tokens to predict. */
  tokens: number;
}

/** Arrays for a batch of this shape. */
export function emptyBatch({batch, length, targets}: BatchShape): Batch {
  return {
    ids: new Int32Array(batch * length),
    targets: new Int32Array(targets),
    positions: new Int32Array(targets),
    weights: new Float32Array(targets),
    tokens: 0,
  };
}

/** What `rows` need: the longest one and the number of tokens to predict. */
export function extentOf({starts, labels}: Dataset, rows: ArrayLike<number>): Extent {
  let [length, targets] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const [start, end] = [starts[rows[i]!]!, starts[rows[i]! + 1]!];
    length = Math.max(length, end - start);
    for (let t = start + 1; t < end; t++) if (labels[t] !== ignored) targets++;
  }
  return {length, targets};
}

/**
 * Fills a batch with `rows` of the dataset; fewer rows than the shape has leave rows of padding. `into` may hold parts
 * (subarrays) of larger arrays, for example one trial's of a pack; all of it is overwritten.
 * @throws RangeError when the rows do not fit the shape
 */
export function collate(
  {starts, ids, labels}: Dataset,
  rows: ArrayLike<number>,
  shape: BatchShape,
  pad: number,
  into: Batch = emptyBatch(shape),
): Batch {
  if (rows.length > shape.batch) throw new RangeError(`${rows.length} rows for a batch of ${shape.batch}`);
  into.ids.fill(pad);
  into.targets.fill(0);
  into.positions.fill(0);
  into.weights.fill(0);
  let tokens = 0;
  for (let i = 0; i < rows.length; i++) {
    const [start, end] = [starts[rows[i]!]!, starts[rows[i]! + 1]!];
    if (end - start > shape.length)
      throw new RangeError(`a row of ${end - start} tokens for a length of ${shape.length}`);
    const place = i * shape.length;
    into.ids.set(ids.subarray(start, end), place);
    for (let t = 1; t < end - start; t++) {
      if (labels[start + t] === ignored) continue;
      if (tokens === shape.targets)
        throw new RangeError(`more tokens to predict than the ${shape.targets} of the shape`);
      into.targets[tokens] = labels[start + t]!;
      into.positions[tokens] = place + t - 1;
      into.weights[tokens] = 1;
      tokens++;
    }
  }
  into.tokens = tokens;
  return into;
}
