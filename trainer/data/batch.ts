/** Rows side by side in arrays of a fixed shape, which a compiled step needs. */
import type {Dataset} from './dataset.ts';
import {ignored} from './encode.ts';
import type {Extent} from './shapes.ts';

/**
 * Rows, the places each has, their tokens and those to predict in all. With as many tokens as places the rows are padded
 * on the right; with fewer they stand one after another.
 */
export interface BatchShape extends Extent {
  batch: number;
}

export const isPadded = ({batch, length, tokens}: BatchShape): boolean => tokens === batch * length;

export interface Batch {
  /** [tokens] */
  ids: Int32Array;
  /** [targets]: the tokens to predict; 0 where there are fewer. */
  targets: Int32Array;
  /** [targets]: which of the tokens has the logits that predict each, the one before it. */
  positions: Int32Array;
  /** [targets]: 1 for a token to predict, 0 for padding. */
  weights: Float32Array;
  /** [batch · length]: the token at each place of the padded rows, a token of padding where they are empty. Empty itself where rows are padded. */
  tokenAt: Int32Array;
  /** [tokens]: the place of each token in the padded rows, an empty one for padding. Empty itself where rows are padded. */
  placeOf: Int32Array;
}

/** Arrays for `trials` batches of this shape, one after another. */
export function emptyBatch(shape: BatchShape, trials = 1): Batch {
  const {batch, length, tokens, targets} = shape;
  const moved = isPadded(shape) ? 0 : trials;
  return {
    ids: new Int32Array(trials * tokens),
    targets: new Int32Array(trials * targets),
    positions: new Int32Array(trials * targets),
    weights: new Float32Array(trials * targets),
    tokenAt: new Int32Array(moved * batch * length),
    placeOf: new Int32Array(moved * tokens),
  };
}

/** What `rows` need. */
export function extentOf({starts, labels}: Dataset, rows: ArrayLike<number>): Extent {
  let [length, tokens, targets] = [0, 0, 0];
  for (let i = 0; i < rows.length; i++) {
    const [start, end] = [starts[rows[i]!]!, starts[rows[i]! + 1]!];
    length = Math.max(length, end - start);
    tokens += end - start;
    for (let t = start + 1; t < end; t++) if (labels[t] !== ignored) targets++;
  }
  return {length, tokens, targets};
}

/**
 * Fills one of the batches in `into`, the first unless `trial` says otherwise, with `rows` of the dataset; fewer rows than
 * the shape has leave empty ones. Positions and places count through the batches before it.
 * @throws RangeError when the rows do not fit the shape
 */
export function collate(
  {starts, ids, labels}: Dataset,
  rows: ArrayLike<number>,
  shape: BatchShape,
  pad: number,
  into: Batch = emptyBatch(shape),
  trial = 0,
): Batch {
  if (rows.length > shape.batch) throw new RangeError(`${rows.length} rows for a batch of ${shape.batch}`);
  const padded = isPadded(shape);
  const [firstToken, firstPlace] = [trial * shape.tokens, trial * shape.batch * shape.length];
  const lastToken = firstToken + shape.tokens - 1;
  let target = trial * shape.targets;
  const lastTarget = target + shape.targets - 1;
  into.ids.fill(pad, firstToken, lastToken + 1);
  into.targets.fill(0, target, lastTarget + 1);
  into.positions.fill(firstToken, target, lastTarget + 1);
  into.weights.fill(0, target, lastTarget + 1);
  if (!padded) into.tokenAt.fill(lastToken, firstPlace, firstPlace + shape.batch * shape.length);
  let next = firstToken;
  for (let i = 0; i < rows.length; i++) {
    const [start, end] = [starts[rows[i]!]!, starts[rows[i]! + 1]!];
    if (end - start > shape.length)
      throw new RangeError(`a row of ${end - start} tokens for a length of ${shape.length}`);
    const place = firstPlace + i * shape.length;
    // In padded rows tokens and places are the same.
    const token = padded ? place : next;
    next = token + end - start;
    if (!padded && next > lastToken)
      throw new RangeError(`more tokens than the ${shape.tokens} of the shape, one of them padding`);
    into.ids.set(ids.subarray(start, end), token);
    for (let t = 0; t < end - start; t++) {
      if (!padded) {
        into.tokenAt[place + t] = token + t;
        into.placeOf[token + t] = place + t;
      }
      if (t === 0 || labels[start + t] === ignored) continue;
      if (target > lastTarget) throw new RangeError(`more tokens to predict than the ${shape.targets} of the shape`);
      into.targets[target] = labels[start + t]!;
      into.positions[target] = token + t - 1;
      into.weights[target] = 1;
      target++;
    }
  }
  if (!padded) into.placeOf.fill(into.tokenAt.indexOf(lastToken, firstPlace), next, lastToken + 1);
  return into;
}
