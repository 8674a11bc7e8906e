/** Where a learning rate stands in the ranges that are known of the methods. */
import {knownPeak} from '../core/method/known-peak.ts';
import type {MethodName} from '../core/method/methods.ts';
import {methods} from '../core/method/methods.ts';
import {formatRate} from '../core/run/format.ts';
import {formatPlace} from '../core/run/verdict/place.ts';
import type {Inspection} from '../core/sweep/inspection.ts';
import type {Sweep} from '../core/sweep/sweep.ts';

/** Markdown: a row a method (or only `own`, whose rate it is). */
export function aboutRate(
  rate: number,
  own: MethodName | undefined,
  sweep: Sweep | undefined,
  around: Inspection | undefined,
): string {
  const all = Object.keys(methods) as MethodName[];
  const names = own ? [own] : (sweep?.methods.map(({method}) => method) ?? all);
  const rows = names.filter(name => Object.hasOwn(methods, name)).map(name => rowOf(name, rate, sweep, around));
  return [
    `**Learning rate ${formatRate(rate)}**`,
    ['| method | published good range | this rate | your best |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    'Published ranges are of other data, and of other models where none is named; within them the score reaches 90 % of the best.',
  ].join('\n\n');
}

function rowOf(name: MethodName, rate: number, sweep: Sweep | undefined, around: Inspection | undefined): string {
  const settings = sweep?.methods.find(({method}) => method === name);
  const best = around?.results?.peaks.filter(({method}) => method === name).map(formatPlace);
  const mine = best?.join(', ') || '–';
  const known = knownPeak(name, sweep?.model ?? '', settings?.batchSizes ?? [16]);
  if (!known) return `| ${methods[name].title} | none | – | ${mine} |`;
  const {rows, sameModel} = known;
  const from = Math.min(...rows.map(({good}) => good.from));
  const to = Math.max(...rows.map(({good}) => good.to));
  const where =
    rate < from ? `below, by ${factor(from / rate)}` : rate > to ? `above, by ${factor(rate / to)}` : 'within';
  const model = sameModel ? ` (${rows[0]!.model})` : '';
  return `| ${methods[name].title} | ${formatRate(from)} to ${formatRate(to)}${model} | ${where} | ${mine} |`;
}

function factor(ratio: number): string {
  return `${Number(ratio.toPrecision(2))} ×`;
}
