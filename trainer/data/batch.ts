/** Rows side by side in arrays of a fixed shape, which a compiled step needs. */
import type {Dataset} from './dataset.ts';
import {type BatchShape, type Extent, isAnswered, isPadded, lengthsOf, ownPlacesOf, placesOf} from './shapes.ts';
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
  /**
   * [places behind the beginnings]: which of the targets is predicted at each, one of padding where there is none. Empty
   * itself, like the next, where the whole last layer is computed.
   */
  answerAt: Int32Array;
  /** [targets]: the place that predicts each, counted behind the beginnings; an empty one for padding. */
  placeOfAnswer: Int32Array;
}

/** Arrays for `trials` batches of this shape, one after another. */
export function emptyBatch(shape: BatchShape, trials = 1): Batch {
  const {tokens, targets} = shape;
  const moved = isPadded(shape) ? 0 : trials;
  const answered = isAnswered(shape) ? trials : 0;
  return {
    ids: new Int32Array(trials * tokens),
    targets: new Int32Array(trials * targets),
    positions: new Int32Array(trials * targets),
    weights: new Float32Array(trials * targets),
    tokenAt: new Int32Array(moved * placesOf(shape)),
    placeOf: new Int32Array(moved * tokens),
    answerAt: new Int32Array(answered * ownPlacesOf(shape)),
    placeOfAnswer: new Int32Array(answered * targets),
  };
}

/** Tokens that all rows begin with, and from which none of them predicts anything. */
export function commonBeginning({starts, ids, labels, count}: Dataset): number {
  if (count < 2) return 0;
  const first = starts[0]!;
  let length = Number.POSITIVE_INFINITY;
  for (let row = 0; row < count && length > 0; row++) {
    const [start, end] = [starts[row]!, starts[row + 1]!];
    length = Math.min(length, end - start - 1);
    for (let t = 0; t < length; t++)
      if (ids[start + t] !== ids[first + t] || labels[start + t + 1] !== ignored) length = t;
  }
  return length;
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
  dataset: Dataset,
  rows: ArrayLike<number>,
  shape: BatchShape,
  pad: number,
  into: Batch = emptyBatch(shape),
  which: Which = {trial: 0, trials: 1},
): Batch {
  const {starts, ids, labels} = dataset;
  const {beginning = 0} = shape;
  const padded = isPadded(shape);
  const lengthOf = (row: number) => starts[row + 1]! - starts[row]!;
  const ordered = Array.from(rows);
  if (!padded) ordered.sort((a, b) => lengthOf(b) - lengthOf(a));
  const room = lengthsOf(shape);
  if (ordered.length > room.length) throw new RangeError(`${ordered.length} rows for a batch of ${room.length}`);
  const ends = clear(shape, pad, into, which);
  const places = firstPlaces(shape, which);
  let target = which.trial * shape.targets;
  let next = which.trial * shape.tokens + beginning;
  let empty = -1;
  if (beginning > 0) placeBeginning(dataset, ordered, beginning, into, which, shape.tokens);
  for (const [i, first] of places.entries()) {
    const row = ordered[i];
    const [start, length] = row === undefined ? [0, 0] : [starts[row]! + beginning, lengthOf(row) - beginning];
    if (length > room[i]!) throw new RangeError(`a row of ${length} tokens for a length of ${room[i]}`);
    // Where rows are padded everywhere, tokens and places are the same.
    const token = padded ? first : next;
    next = token + length;
    if (next > ends.token + (padded ? 1 : 0))
      throw new RangeError(`more tokens than the ${shape.tokens} of the shape, one of them padding`);
    into.ids.set(ids.subarray(start, start + length), token);
    for (let t = 1; t < length; t++) {
      if (labels[start + t] === ignored) continue;
      if (target >= ends.target)
        throw new RangeError(`more tokens to predict than the ${shape.targets} of the shape, one of them padding`);
      into.targets[target] = labels[start + t]!;
      into.positions[target] = token + t - 1;
      into.weights[target] = 1;
      if (isAnswered(shape)) answer(into, target, first + t - 1 - which.trials * beginning);
      target++;
    }
    if (padded) continue;
    for (let t = 0; t < room[i]!; t++) into.tokenAt[first + t] = t < length ? token + t : ends.token;
    for (let t = 0; t < length; t++) into.placeOf[token + t] = first + t;
    if (length < room[i]!) empty = first + length;
  }
  if (padded) empty = ends.token;
  // What is padding moves to a place that nothing reads, so that no gradient comes back to it.
  if (empty < 0) throw new RangeError(`no empty place in a shape of ${shape.tokens} tokens`);
  if (!padded) into.placeOf.fill(empty, next, ends.token + 1);
  if (isAnswered(shape)) into.placeOfAnswer.fill(empty - which.trials * beginning, target, ends.target + 1);
  return into;
}

/** Nothing but padding in a trial's part, which its last token and its last target stay. */
function clear(shape: BatchShape, pad: number, into: Batch, which: Which): {token: number; target: number} {
  const {tokens, targets, groups} = shape;
  const {trial} = which;
  const [token, target] = [trial * tokens, trial * targets];
  const last = {token: token + tokens - 1, target: target + targets - 1};
  into.ids.fill(pad, token, last.token + 1);
  into.targets.fill(0, target, last.target + 1);
  // Nothing is predicted from the last token of a row, nor from padding.
  into.positions.fill(last.token, target, last.target + 1);
  into.weights.fill(0, target, last.target + 1);
  if (isAnswered(shape)) {
    let before = 0;
    for (const {rows, length} of groups) {
      const places = rows * length;
      into.answerAt.fill(last.target, before + trial * places, before + (trial + 1) * places);
      before += which.trials * places;
    }
  }
  return last;
}

/** What is predicted at a place. */
function answer({answerAt, placeOfAnswer}: Batch, target: number, place: number): void {
  answerAt[place] = target;
  placeOfAnswer[target] = place;
}

/** Puts what all rows begin with in front of the trial's tokens. */
function placeBeginning(
  {starts, ids, labels}: Dataset,
  rows: readonly number[],
  beginning: number,
  {ids: into, tokenAt, placeOf}: Batch,
  {trial}: Which,
  tokens: number,
): void {
  const first = starts[rows[0] ?? 0]!;
  for (const row of rows)
    for (let t = 0; t < beginning; t++) {
      const token = starts[row]! + t;
      if (ids[token] !== ids[first + t] || labels[token + 1] !== ignored)
        throw new RangeError(
          `a row that does not begin with the ${beginning} tokens of the others, or predicts from them`,
        );
    }
  for (let t = 0; t < beginning; t++) {
    const [token, place] = [trial * tokens + t, trial * beginning + t];
    into[token] = ids[first + t]!;
    tokenAt[place] = token;
    placeOf[token] = place;
  }
}

/** The first place of each row of a trial. */
function firstPlaces({groups, beginning = 0}: BatchShape, {trial, trials}: Which): number[] {
  let before = trials * beginning;
  return groups.flatMap(({rows, length}) => {
    const own = before + trial * rows * length;
    before += trials * rows * length;
    return Array.from({length: rows}, (_, row) => own + row * length);
  });
}
