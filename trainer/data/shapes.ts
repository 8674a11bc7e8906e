/** A few shapes for all batches of a sweep: a step is compiled once a shape, and padding is computed for nothing. */

/** What a batch needs: its longest row, the tokens of all its rows, and those to predict. */
export interface Extent {
  length: number;
  tokens: number;
  targets: number;
}

/** Below this, padding costs less than another compiled step. */
const shortLength = 32;
/** Fewer shapes are taken as long as they cost at most this much more than as many as allowed. */
const tolerance = 1.1;
/** What attention costs at a place of a padded row, where the rest of the layers costs 1 a token; and with moving tokens there and back. */
const [attending, movingToo] = [0.15, 0.2];
/** Without padding at least this share must be saved. */
const worthwhile = 0.05;
/** Tokens of an unpadded batch are a multiple of this, and at most so many kinds of it are told apart. */
const [multiple, kinds] = [16, 256];

/**
 * At most `most` shapes for batches of `rows` rows, such that every batch fits one of them and little is padded: the
 * split of the sorted batches that costs least (dynamic programming), with as few shapes as come within 10 % of it; one
 * where all rows are short. In a shape of `rows` · `length` tokens the rows are padded to one length; in one of fewer
 * they stand one after another, with at least one token of padding behind the last. Depends on the batches only, not on
 * their order; every shape has room for what fits an earlier one, so that side by side any two batches fit one.
 */
export function bucketShapes(batches: readonly Extent[], rows: number, most: number): Extent[] {
  const padded = paddedSplit(batches, rows, most);
  const unpadded = unpaddedSplit(batches, rows, most);
  return rising(unpadded.cost < (1 - worthwhile) * padded.cost ? unpadded.shapes : padded.shapes, rows);
}

/** The same with all rows padded. */
export function paddedShapes(batches: readonly Extent[], rows: number, most: number): Extent[] {
  return rising(paddedSplit(batches, rows, most).shapes, rows);
}

/**
 * The cheapest shape that a batch fits.
 * @throws RangeError when there is none
 */
export function shapeFor(shapes: readonly Extent[], rows: number, {length, tokens, targets}: Extent): Extent {
  const shape = shapes.find(
    candidate =>
      candidate.length >= length &&
      candidate.targets >= targets &&
      (candidate.tokens > tokens || candidate.tokens === rows * candidate.length),
  );
  if (!shape) throw new RangeError(`no shape for ${tokens} tokens in rows of ${length} with ${targets} to predict`);
  return shape;
}

/** The smallest extent that all of them fit. */
export function union(extents: Iterable<Extent>): Extent {
  const all = {length: 0, tokens: 0, targets: 0};
  for (const {length, tokens, targets} of extents) {
    all.length = Math.max(all.length, length);
    all.tokens = Math.max(all.tokens, tokens);
    all.targets = Math.max(all.targets, targets);
  }
  return all;
}

interface Split {
  /** Of all batches together. */
  cost: number;
  shapes: Extent[];
}

function paddedSplit(batches: readonly Extent[], rows: number, most: number): Split {
  const padded = batches.map(batch => ({...batch, tokens: rows * batch.length}));
  return cheapestSplit(padded, most, ({tokens}) => (1 + attending) * tokens);
}

function unpaddedSplit(batches: readonly Extent[], rows: number, most: number): Split {
  const unit = multiple * Math.ceil(union(batches).tokens / multiple / kinds);
  // One of padding: what is empty in a padded row reads it.
  const unpadded = batches.map(batch => ({...batch, tokens: unit * Math.ceil((batch.tokens + 1) / unit)}));
  return cheapestSplit(unpadded, most, ({tokens, length}) => {
    const places = rows * length;
    return tokens < places ? tokens + movingToo * places : (1 + attending) * places;
  });
}

/** Longer shapes take at least as many tokens and targets as shorter ones. */
function rising(shapes: readonly Extent[], rows: number): Extent[] {
  return shapes.map((_, i) => {
    const shape = union(shapes.slice(0, i + 1));
    return {...shape, tokens: Math.min(shape.tokens, rows * shape.length)};
  });
}

/** The last shape of a split of the kinds so far: where it begins among them, what all of it costs. */
interface Part {
  cost: number;
  start: number;
  shape: Extent;
}

/** With as few shapes as come near the cheapest split into `most`; batches are sorted by their tokens. */
function cheapestSplit(batches: readonly Extent[], most: number, costOf: (shape: Extent) => number): Split {
  if (batches.length === 0) return {cost: 0, shapes: []};
  const alike = new Map<number, Extent[]>();
  for (const batch of batches) alike.set(batch.tokens, [...(alike.get(batch.tokens) ?? []), batch]);
  const sorted = [...alike.entries()].sort(([a], [b]) => a - b).map(([, own]) => own);
  const extents = sorted.map(union);
  const allowed = union(batches).length <= shortLength ? 1 : Math.min(most, sorted.length);

  // best[end][count - 1]: the cheapest split of the kinds up to `end` into `count` shapes.
  const best: Part[][] = [];
  for (let end = 0; end < sorted.length; end++) {
    const own: Part[] = [];
    let members = 0;
    let shape = extents[end]!;
    for (let start = end; start >= 0; start--) {
      members += sorted[start]!.length;
      shape = union([shape, extents[start]!]);
      const alone = members * costOf(shape);
      if (start === 0) own[0] = {cost: alone, start, shape};
      for (const [i, {cost}] of (best[start - 1] ?? []).entries())
        if (i + 1 < allowed && cost + alone < (own[i + 1]?.cost ?? Infinity))
          own[i + 1] = {cost: cost + alone, start, shape};
    }
    best.push(own);
  }
  const last = best.at(-1)!;
  const least = Math.min(...last.map(({cost}) => cost));
  const count = 1 + last.findIndex(({cost}) => cost <= tolerance * least);
  const shapes: Extent[] = [];
  for (let end = sorted.length - 1, i = count - 1; i >= 0; i--) {
    const {start, shape} = best[end]![i]!;
    shapes.unshift(shape);
    end = start - 1;
  }
  return {cost: last[count - 1]!.cost, shapes};
}
