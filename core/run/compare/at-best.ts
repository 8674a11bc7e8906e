/** What has no best of its own: forgetting, which is least where nothing is learnt. */
import type {MethodCurve, Peak} from '../peak.ts';
import {forgettingMetric} from '../peak.ts';

interface Compared {
  task: string;
  metric: string;
  curves: MethodCurve[];
}

/** The metric at the rates that are best by `decisive`: a method without a value there has no peak. */
export function atBestOf<C extends Compared>(comparison: C, decisive: Compared): C {
  const curves = comparison.curves.map(curve => {
    const best = decisive.curves.find(({method}) => method === curve.method)?.peak ?? null;
    return {...curve, peak: best && peakAt(curve, best)};
  });
  return {...comparison, curves};
}

function peakAt({method, points, slices = [points]}: MethodCurve, best: Peak): Peak | null {
  const settings = JSON.stringify(best.settings);
  const point = slices
    .flat()
    .find(one => one.learningRate === best.learningRate && JSON.stringify(one.settings) === settings);
  if (!point || point.mean === null) return null;
  const {learningRate, mean, std, seeds} = point;
  const at = best.settings && {settings: best.settings};
  return {method, learningRate, ...at, mean, std, seeds, tied: [], place: best.place, near: [], edge: null};
}

/** Of several comparisons under the same conditions, the one whose best rates count for forgetting: the first of another metric. */
export function decisiveFor<C extends Compared>(
  comparison: C,
  all: readonly C[],
  isAlike: (one: C) => boolean,
): C | undefined {
  return comparison.metric === forgettingMetric
    ? all.find(one => one.metric !== forgettingMetric && isAlike(one))
    : undefined;
}
