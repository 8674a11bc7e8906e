/** How a search came to the best rate of a method. */
import {pairAt} from '../../search/pair.ts';
import type {Found, MethodCurve} from '../peak.ts';

/** Null where there is no best rate yet. `place`: where the scan puts it; null without a scan. */
export function foundBy({points, slices = [points], peak}: MethodCurve, place: number | null): Found | null {
  if (!peak) return null;
  if (place === null) return 'grid';
  const severally = slices.flat().filter(({seeds, diverged}) => seeds + diverged > 1);
  if (severally.length > 1) return 'again';
  const rates = points.map(({learningRate}) => learningRate);
  return pairAt(rates, place).some(rate => rates[rate] === peak.learningRate) ? 'scan' : 'walk';
}
