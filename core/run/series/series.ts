/** A curve of any length in bounded memory: neighbouring steps share a bucket once there are too many. */

/**
 * Columns of equal length, one entry a bucket. Bucket k covers the steps `k * stride + 1 .. (k + 1) * stride`, so that
 * merging neighbours is exact: the same buckets come out whether points arrive one by one or all at once.
 */
export interface Series {
  /** Steps a bucket covers, a power of two. 1 = every point as it was. */
  stride: number;
  /** The last step of each bucket that has a value. */
  steps: number[];
  means: number[];
  minima: number[];
  maxima: number[];
  counts: number[];
}

/** Buckets a series holds at most: about one a pixel of a chart. */
export const bucketLimit = 400;

export const emptySeries: Series = {stride: 1, steps: [], means: [], minima: [], maxima: [], counts: []};

/** Series that nobody else has seen yet: made while many points are taken in one go, and open to change until then. */
export type Unseen = WeakSet<Series>;

/** The series with one more point; steps must rise. The given series stays as it was, unless it is `unseen`. */
export function append(
  series: Series,
  step: number,
  value: number,
  limit: number = bucketLimit,
  unseen?: Unseen,
): Series {
  let next = unseen?.has(series) ? series : copyOf(series);
  add(next, step, value, value, value, 1);
  if (next.steps.length > limit) next = coarsen(next, limit);
  unseen?.add(next);
  return next;
}

function copyOf({stride, steps, means, minima, maxima, counts}: Series): Series {
  return {
    stride,
    steps: steps.slice(),
    means: means.slice(),
    minima: minima.slice(),
    maxima: maxima.slice(),
    counts: counts.slice(),
  };
}

/** The curve up to a step, to whole buckets. */
export function upTo(series: Series, step: number): Series {
  const kept = series.steps.filter(last => last <= step).length;
  const {stride, steps, means, minima, maxima, counts} = series;
  const [head, ...columns] = [steps, means, minima, maxima, counts].map(column => column.slice(0, kept));
  const [ownMeans, ownMinima, ownMaxima, ownCounts] = columns;
  return {stride, steps: head!, means: ownMeans!, minima: ownMinima!, maxima: ownMaxima!, counts: ownCounts!};
}

/** The same curve in at most `limit` buckets. */
export function coarsen(series: Series, limit: number): Series {
  let coarse = series;
  while (coarse.steps.length > limit) {
    const merged: Series = {stride: coarse.stride * 2, steps: [], means: [], minima: [], maxima: [], counts: []};
    for (let k = 0; k < coarse.steps.length; k++) {
      add(merged, coarse.steps[k]!, coarse.means[k]!, coarse.minima[k]!, coarse.maxima[k]!, coarse.counts[k]!);
    }
    coarse = merged;
  }
  return coarse;
}

/** The mean over the last `fraction` of the steps, to whole buckets; null for an empty series. */
export function tailMean({steps, means, counts}: Series, fraction: number): number | null {
  const from = (steps.at(-1) ?? 0) * (1 - fraction);
  let [sum, count] = [0, 0];
  steps.forEach((step, k) => {
    if (step <= from) return;
    sum += means[k]! * counts[k]!;
    count += counts[k]!;
  });
  return count === 0 ? null : sum / count;
}

/** Puts a bucket's worth of points at the end of `series`, into its last bucket where that covers the step. */
function add(series: Series, step: number, mean: number, minimum: number, maximum: number, count: number): void {
  const last = series.steps.length - 1;
  if (last >= 0 && bucketOf(series.steps[last]!, series.stride) === bucketOf(step, series.stride)) {
    const total = series.counts[last]! + count;
    series.steps[last] = step;
    series.means[last]! += ((mean - series.means[last]!) * count) / total;
    series.minima[last] = Math.min(series.minima[last]!, minimum);
    series.maxima[last] = Math.max(series.maxima[last]!, maximum);
    series.counts[last] = total;
    return;
  }
  series.steps.push(step);
  series.means.push(mean);
  series.minima.push(minimum);
  series.maxima.push(maximum);
  series.counts.push(count);
}

function bucketOf(step: number, stride: number): number {
  return Math.floor((step - 1) / stride);
}
