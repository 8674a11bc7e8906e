/** Curves smoothed as TensorBoard does it: an exponential moving average without the bias of its start. */
import type {Series} from './series.ts';

/**
 * The means of a series, smoothed. For single points this is TensorBoard's rule
 * (https://github.com/tensorflow/tensorboard, vz_line_chart2 `resmoothDataset`): s ← w·s + (1 − w)·x, divided by
 * 1 − wⁿ after n points. A bucket of c points counts as c points of its mean, so that a coarser series of the same run
 * is smoothed over the same number of steps.
 * @param weight of what came before, in [0, 1); 0 leaves the series as it is
 */
export function smoothed({means, counts}: Series, weight: number): number[] {
  let sum = 0;
  let remaining = 1;
  return means.map((mean, k) => {
    const kept = weight ** counts[k]!;
    sum = kept * sum + (1 - kept) * mean;
    remaining *= kept;
    return sum / (1 - remaining);
  });
}
