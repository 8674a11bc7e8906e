/** A few shapes for all batches of a sweep: a step is compiled once a shape, and padding is computed for nothing. */

/** The longest row of a batch, and its tokens to predict. */
export interface Extent {
  length: number;
  targets: number;
}

/** Below this, padding costs less than another compiled step. */
const shortLength = 32;
/** Fewer shapes are taken as long as they cost at most this much more than as many as allowed. */
const tolerance = 1.1;

/**
 * At most `most` shapes, shortest first, such that every batch fits one of its length or longer and little is padded:
 * the split of the sorted lengths that pads least (dynamic programming), with as few shapes as come within 10 % of it.
 * One shape where all batches are short. Depends on the batches only, not on their order.
 */
export function bucketShapes(batches: readonly Extent[], most: number): Extent[] {
  const lengths = [...new Set(batches.map(batch => batch.length))].sort((a, b) => a - b);
  if (lengths.length === 0) return [];
  const longest = lengths.at(-1)!;
  const splits = leastPadding(batches, lengths, longest <= shortLength ? 1 : most);
  const best = splits.at(-1)!.cost;
  const {ends} = splits.find(split => split.cost <= tolerance * best)!;
  return ends.map((length, i) => {
    const inside = batches.filter(batch => batch.length <= length && batch.length > (ends[i - 1] ?? -1));
    return {length, targets: inside.reduce((largest, {targets}) => Math.max(largest, targets), 0)};
  });
}

/**
 * The cheapest shape that a batch fits.
 * @throws RangeError when there is none
 */
export function shapeFor(shapes: readonly Extent[], {length, targets}: Extent): Extent {
  const shape = shapes.find(candidate => candidate.length >= length && candidate.targets >= targets);
  if (!shape) throw new RangeError(`no shape for ${length} tokens with ${targets} to predict`);
  return shape;
}

interface Split {
  /** Sum over all batches of the length they are padded to. */
  cost: number;
  /** The lengths of the shapes, rising. */
  ends: number[];
}

/** For 1, 2, .. `most` shapes the cheapest split of the rising `lengths`. */
function leastPadding(batches: readonly Extent[], lengths: readonly number[], most: number): Split[] {
  // before[i]: batches shorter than lengths[i]; the last entry counts all.
  const counts = new Map<number, number>();
  for (const {length} of batches) counts.set(length, (counts.get(length) ?? 0) + 1);
  const before = [0];
  for (const length of lengths) before.push(before.at(-1)! + counts.get(length)!);

  // row[i]: the cheapest way to cover lengths[0 .. i] with the shapes so far.
  let row: Split[] = lengths.map((length, i) => ({cost: length * before[i + 1]!, ends: [length]}));
  const results = [row.at(-1)!];
  for (let shapes = 2; shapes <= Math.min(most, lengths.length); shapes++) {
    const last: Split[] = row;
    row = lengths.map((length, i) => {
      let {cost} = last[i]!;
      let from = -1;
      for (let k = 0; k < i; k++) {
        const split = last[k]!.cost + length * (before[i + 1]! - before[k + 1]!);
        if (split < cost) [cost, from] = [split, k];
      }
      return from < 0 ? last[i]! : {cost, ends: [...last[from]!.ends, length]};
    });
    results.push(row.at(-1)!);
  }
  return results;
}
