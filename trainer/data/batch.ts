/** Rows side by side in arrays of a fixed shape, which a compiled step needs. */
import type {Dataset} from './dataset.ts';
import {type BatchShape, type Extent, isPadded, lengthsOf, placesOf} from './shapes.ts';
import {ignored} from './token-row.ts';

export interface Batch {
  /** [tokens] */
  ids: Int32Array;
  /** [targets]: the tokens to predict; 0 where there are fewer. */
  targets: Int32Array;
  /** [targets]: which of the tokens has the logits that predict each, the one before it. */
  positions: Int32Array;
  /** [targets]: 1 for a token to predict, 0 for padding. */
  weights: Float32Array;
  /**
   * [places]: the token at each place of the padded rows, one of padding where they are empty; group after group, and in
   * each trial after trial. Empty itself where rows are padded everywhere.
   */
  tokenAt: Int32Array;
  /** [tokens]: the place of each token, an empty one for padding. Empty itself where rows are padded everywhere. */
  placeOf: Int32Array;
}

/** Arrays for `trials` batches of this shape, one after another. */
export function emptyBatch(shape: BatchShape, trials = 1): Batch {
  const {tokens, targets} = shape;
  const moved = isPadded(shape) ? 0 : trials;
  return {
    ids: new Int32Array(trials * tokens),
    targets: new Int32Array(trials * targets),
    positions: new Int32Array(trials * targets),
    weights: new Float32Array(trials * targets),
    tokenAt: new Int32Array(moved * placesOf(shape)),
    placeOf: new Int32Array(moved * tokens),
  };
}

/** What `rows` need. */
export function extentOf({starts, labels}: Dataset, rows: ArrayLike<number>): Extent {
  const lengths: number[] = [];
  let [tokens, targets] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const [start, end] = [starts[rows[i]!]!, starts[rows[i]! + 1]!];
    lengths.push(end - start);
    tokens += end - start;
    for (let t = start + 1; t < end; t++) if (labels[t] !== ignored) targets++;
  }
  return {lengths: lengths.sort((a, b) => b - a), tokens, targets};
}

/** Which of the batches in an array is meant. */
export interface Which {
  trial: number;
  trials: number;
}

/**
 * Fills one of the batches in `into` with `rows` of the dataset; fewer rows than the shape has leave empty ones. Rows that
 * are not padded are put in order, the longest first. Positions and places count through all batches.
 * @throws RangeError when the rows do not fit the shape
 */
export function collate(
  {starts, ids, labels}: Dataset,
  rows: ArrayLike<number>,
  shape: BatchShape,
  pad: number,
  into: Batch = emptyBatch(shape),
  {trial, trials}: Which = {trial: 0, trials: 1},
): Batch {
  const padded = isPadded(shape);
  const lengthOf = (row: number) => starts[row + 1]! - starts[row]!;
  const ordered = Array.from(rows);
  if (!padded) ordered.sort((a, b) => lengthOf(b) - lengthOf(a));
  const room = lengthsOf(shape);
  if (ordered.length > room.length) throw new RangeError(`${ordered.length} rows for a batch of ${room.length}`);
  const places = firstPlaces(shape, trial, trials);
  const firstToken = trial * shape.tokens;
  const lastToken = firstToken + shape.tokens - 1;
  let target = trial * shape.targets;
  const lastTarget = target + shape.targets - 1;
  into.ids.fill(pad, firstToken, lastToken + 1);
  into.targets.fill(0, target, lastTarget + 1);
  into.positions.fill(firstToken, target, lastTarget + 1);
  into.weights.fill(0, target, lastTarget + 1);
  let next = firstToken;
  let empty = -1;
  for (const [i, first] of places.entries()) {
    const row = ordered[i];
    const [start, length] = row === undefined ? [0, 0] : [starts[row]!, lengthOf(row)];
    if (length > room[i]!) throw new RangeError(`a row of ${length} tokens for a length of ${room[i]}`);
    // Where rows are padded everywhere, tokens and places are the same.
    const token = padded ? first : next;
    next = token + length;
    if (next > lastToken + (padded ? 1 : 0))
      throw new RangeError(`more tokens than the ${shape.tokens} of the shape, one of them padding`);
    into.ids.set(ids.subarray(start, start + length), token);
    for (let t = 1; t < length; t++) {
      if (labels[start + t] === ignored) continue;
      if (target > lastTarget) throw new RangeError(`more tokens to predict than the ${shape.targets} of the shape`);
      into.targets[target] = labels[start + t]!;
      into.positions[target] = token + t - 1;
      into.weights[target] = 1;
      target++;
    }
    if (padded) continue;
    for (let t = 0; t < room[i]!; t++) into.tokenAt[first + t] = t < length ? token + t : lastToken;
    for (let t = 0; t < length; t++) into.placeOf[token + t] = first + t;
    if (length < room[i]!) empty = first + length;
  }
  if (padded) return into;
  // What is padding moves to a place that nothing reads, so that no gradient comes back to it.
  if (empty < 0) throw new RangeError(`no empty place in a shape of ${shape.tokens} tokens`);
  into.placeOf.fill(empty, next, lastToken + 1);
  return into;
}

/** The first place of each row of a trial. */
function firstPlaces({groups}: BatchShape, trial: number, trials: number): number[] {
  let before = 0;
  return groups.flatMap(({rows, length}) => {
    const own = before + trial * rows * length;
    before += trials * rows * length;
    return Array.from({length: rows}, (_, row) => own + row * length);
  });
}
