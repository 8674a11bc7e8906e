/** One metric over two things at once: the learning rate, and the rank or the batch size. */
import {grouped} from '../../grouped.ts';
import {formatMeasure} from '../format.ts';
import type {Peak, RatePoint} from '../peak.ts';
import type {Comparison} from '../verdict.ts';
import {settingsInWords} from './conditions.ts';

export interface Landscape {
  model: string | null;
  task: string;
  metric: string;
  /** What varies beside the rate, and its values in rising order. */
  over: 'rank' | 'batch size';
  values: number[];
  /** What stays: `batch size 16`. */
  fixed: string;
  /** In the order of the sweep. */
  methods: {method: string; rows: {value: number; points: RatePoint[]; peak: Peak | null}[]}[];
}

/** A landscape wherever two comparisons differ by nothing but the rank, or nothing but the batch size. */
export function landscapes(comparisons: readonly Comparison[]): Landscape[] {
  return [...over(comparisons, 'rank'), ...over(comparisons, 'batch size')];
}

function over(comparisons: readonly Comparison[], what: Landscape['over']): Landscape[] {
  const value = ({rank, batchSize}: Comparison): number => (what === 'rank' ? rank : batchSize);
  const fixed = ({rank, batchSize, settings}: Comparison): string =>
    [what === 'rank' ? `batch size ${batchSize}` : `rank ${rank}`, ...settingsInWords(settings)].join(', ');
  const groups = grouped(comparisons, comparison => {
    const {model, task, metric} = comparison;
    return JSON.stringify([model, task, metric, fixed(comparison)]);
  });
  return [...groups.values()].flatMap(group => {
    const first = group[0]!;
    if (group.length < 2) return [];
    const rising = group.slice().sort((a, b) => value(a) - value(b));
    const methods = [...new Set(group.flatMap(({curves}) => curves.map(({method}) => method)))];
    return [
      {
        ...{model: first.model, task: first.task, metric: first.metric},
        ...{over: what, values: rising.map(value), fixed: fixed(first)},
        methods: methods.map(method => ({
          method,
          rows: rising.flatMap(comparison => {
            const curve = comparison.curves.find(one => one.method === method);
            return curve ? [{value: value(comparison), points: curve.points, peak: curve.peak}] : [];
          }),
        })),
      },
    ];
  });
}

/** As a heading: `gsm8k accuracy over rank and learning rate, batch size 16`. */
export function landscapeTitle({model, task, metric, over, fixed}: Landscape): string {
  return `${model === null ? '' : `${model}: `}${formatMeasure(task, metric)} over ${over} and learning rate, ${fixed}`;
}
