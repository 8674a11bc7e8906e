/** The peaks of a comparison as the rows of a table; text, Markdown and page show the same one. */
import type {Column} from '../../table.ts';
import {formatGap, formatMean, formatRate} from '../format.ts';
import {formatPlace} from '../verdict/place.ts';
import {wordInFull} from '../verdict/sentences.ts';
import type {Comparison} from '../verdict.ts';
import {settingsInWords} from './conditions.ts';

/** How a rate was found stands there for searches only. */
export function peakColumns({spread, curves, isUnderWay}: Comparison): Column[] {
  return [
    {title: 'method', align: 'left'},
    {title: isUnderWay ? 'best rate so far' : 'best rate', align: 'right'},
    ...(isTuned(curves) ? [{title: 'with', align: 'left'} as const] : []),
    ...(isSearched(curves) ? [{title: 'how found', align: 'left'} as const] : []),
    {title: 'mean ± std', align: 'right'},
    {title: 'seeds', align: 'right'},
    {title: `gap to ${spread?.baseline.method ?? 'baseline'}`, align: 'right'},
    {title: 'verdict', align: 'left'},
    {title: 'rates within 90 % of the best', align: 'left'},
    {title: 'remarks', align: 'left'},
  ];
}

function isSearched(curves: Comparison['curves']): boolean {
  return curves.some(({found}) => found !== undefined);
}

/** Whether axes beside the rate are tuned. */
function isTuned(curves: Comparison['curves']): boolean {
  return curves.some(({peak, slices}) => peak?.settings !== undefined || slices !== undefined);
}

/** One row a method, in the order of the sweep; a method without any value has a dash. */
export function peakRows({curves, metric, spread, isUnderWay}: Comparison): string[][] {
  return curves.map(({method, points, slices = [points], peak, found}) => {
    const tuned = isTuned(curves) ? [settingsInWords(peak?.settings).join(', ') || '–'] : [];
    const how = isSearched(curves) ? [found ?? '–'] : [];
    const diverged = slices.flat().reduce((sum, point) => sum + point.diverged, 0);
    const gap = spread?.gaps.find(one => one.method === method);
    const elsewhere = peak?.tied.filter(rate => !peak.place.includes(rate)) ?? [];
    const remarks = [
      elsewhere.length > 0 ? `tied with ${elsewhere.map(formatRate).join(', ')}` : '',
      peak?.edge ? `peak at the ${peak.edge} rate${isUnderWay ? ' so far' : ': extend the grid'}` : '',
      diverged > 0 ? `${diverged} diverged` : '',
    ].filter(Boolean);
    if (!peak) return [method, '–', ...tuned, ...how, '–', '0', '–', '–', '–', remarks.join('; ')];
    return [
      method,
      formatPlace(peak),
      ...tuned,
      ...how,
      formatMean(peak.mean, peak.std, metric),
      String(peak.seeds),
      gap ? formatGap(gap.difference, gap.halfWidth, metric) : '–',
      gap ? `${wordInFull(gap)}${isUnderWay ? ', so far' : ''}` : '–',
      range(peak.near),
      remarks.join('; '),
    ];
  });
}

function range(rates: number[]): string {
  const [first, last] = [rates[0], rates.at(-1)];
  if (first === undefined || last === undefined) return '–';
  return first === last ? formatRate(first) : `${formatRate(first)} … ${formatRate(last)} (${rates.length})`;
}
