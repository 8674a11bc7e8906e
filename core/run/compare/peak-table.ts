/** The peaks of a comparison as the rows of a table; text, Markdown and page show the same one. */
import {formatGap, formatMean, formatRate} from '../format.ts';
import {lowerIsBetter} from '../peak.ts';
import type {Gap} from '../spread.ts';
import type {Comparison} from '../verdict.ts';

export const peakColumns = [
  {title: 'method', align: 'left'},
  {title: 'best rate', align: 'right'},
  {title: 'mean ± std', align: 'right'},
  {title: 'seeds', align: 'right'},
  {title: 'gap to lora', align: 'right'},
  {title: 'rates within 90 % of the best', align: 'left'},
  {title: 'remarks', align: 'left'},
] as const;

/** One row a method, in the order of the sweep; a method without any value has a dash. */
export function peakRows({curves, metric, spread}: Comparison): string[][] {
  return curves.map(({method, points, peak}) => {
    const diverged = points.reduce((sum, point) => sum + point.diverged, 0);
    const gap = spread?.gaps.find(one => one.method === method);
    const remarks = [
      gap ? gapInWords(gap, metric) : '',
      peak && peak.tied.length > 0 ? `tied with ${peak.tied.map(formatRate).join(', ')}` : '',
      peak?.edge ? `peak at the ${peak.edge} rate: extend the grid` : '',
      diverged > 0 ? `${diverged} diverged` : '',
    ].filter(Boolean);
    if (!peak) return [method, '–', '–', '0', '–', '–', remarks.join('; ')];
    return [
      method,
      formatRate(peak.learningRate),
      formatMean(peak.mean, peak.std, metric),
      String(peak.seeds),
      gap ? formatGap(gap.difference, gap.halfWidth, metric) : '–',
      range(peak.near),
      remarks.join('; '),
    ];
  });
}

/** 'no difference shown' is no proof of equality: the interval says how large a difference may still be. */
function gapInWords({difference, halfWidth}: Gap, metric: string): string {
  if (halfWidth === null) return '';
  if (Math.abs(difference) <= halfWidth) return 'no difference shown';
  return difference > 0 === lowerIsBetter(metric) ? 'worse than lora' : 'better than lora';
}

function range(rates: number[]): string {
  const [first, last] = [rates[0], rates.at(-1)];
  if (first === undefined || last === undefined) return '–';
  return first === last ? formatRate(first) : `${formatRate(first)} … ${formatRate(last)} (${rates.length})`;
}
