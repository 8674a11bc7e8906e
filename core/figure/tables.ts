/** The tables of a run for a paper: the same rows as LaTeX and as Markdown. */

import {methodTitle} from '../method/title.ts';
import {settingsInWords} from '../run/compare/conditions.ts';
import {curvatureColumns, curvatureTables, curvatureTitle} from '../run/compare/curvature.ts';
import {type Importance, importanceCaption, importanceColumns, importanceRows} from '../run/compare/importance.ts';
import {titled} from '../run/compare/titled.ts';
import {costCaption, costTitle, measuredCosts, stepTimes} from '../run/costs.ts';
import type {RunState} from '../run/fold.ts';
import {formatGap, formatMean, formatMeasure, formatRate, formatValue} from '../run/format.ts';
import type {Peak} from '../run/peak.ts';
import {meanHalfWidth} from '../run/verdict/mean-interval.ts';
import {formatRange} from '../run/verdict/place.ts';
import {type Comparison, title} from '../run/verdict.ts';
import {type Column, latexTable, markdownTable} from '../table.ts';
import {slugOf} from './names.ts';

export interface PaperTable {
  /** Of its files, without an ending. */
  name: string;
  latex: string;
  markdown: string;
}

export function tablesOf(
  state: RunState,
  comparisons: readonly Comparison[],
  importance: readonly Importance[],
): PaperTable[] {
  const costs = measuredCosts(state.costs, stepTimes(state));
  return [
    ...comparisons.map(peaksTable),
    ...importance.map(one =>
      made(
        `Importance, ${formatMeasure(one.task, one.metric)}`,
        [...importanceColumns],
        importanceRows(one),
        importanceCaption(one),
      ),
    ),
    ...curvatureTables(state).map(table =>
      made(
        curvatureTitle(table),
        [...curvatureColumns],
        table.rows.map(withTitle),
        `${curvatureTitle(table)}: medians over all blocks and seeds.`,
      ),
    ),
    ...(costs.rows.length > 0
      ? [made(costTitle, costs.columns, costs.rows.map(withTitle), `${costTitle}. ${costCaption}`)]
      : []),
  ];
}

const withTitle = ([method = '', ...rest]: string[]): string[] => [methodTitle(method), ...rest];

/** What a paper says of each method's peak: narrower than the page's table, with the 95 % confidence interval of each mean. */
function peaksTable(comparison: Comparison): PaperTable {
  const {curves, metric, spread, isUnderWay} = titled(comparison);
  const isTuned = curves.some(({peak}) => peak?.settings !== undefined);
  const columns: Column[] = [
    {title: 'method', align: 'left'},
    {title: isUnderWay ? 'best rate so far' : 'best rate', align: 'right'},
    {title: 'it lies in', align: 'right'},
    ...(isTuned ? [{title: 'with', align: 'left'} as const] : []),
    {title: 'mean ± std', align: 'right'},
    {title: '95 % interval', align: 'right'},
    {title: 'seeds', align: 'right'},
    {title: `gap to ${spread?.baseline.method ?? 'baseline'}`, align: 'right'},
    {title: 'verdict', align: 'left'},
  ];
  const rows = curves.map(({method, peak}) => {
    if (!peak) return [method, ...columns.slice(1).map(() => '–')];
    const gap = spread?.gaps.find(one => one.method === method);
    return [
      method,
      formatRate(peak.learningRate),
      peak.place.length > 1 ? formatRange(peak.place) : '–',
      ...(isTuned ? [settingsInWords(peak.settings).join(', ') || '–'] : []),
      formatMean(peak.mean, peak.std, metric),
      intervalOf(peak, metric),
      String(peak.seeds),
      gap ? formatGap(gap.difference, gap.halfWidth, metric) : '–',
      gap ? gap.word : '–',
    ];
  });
  const caption = `${title(comparison)}: each method at its own best learning rate, and the rates that are not told apart from it; mean over seeds, sample standard deviation, and 95 % confidence interval of the mean (Student's t).`;
  return made(`Peaks, ${title(comparison)}`, columns, rows, caption);
}

function intervalOf(peak: Peak, metric: string): string {
  const half = meanHalfWidth(peak);
  if (half === null) return '–';
  return `${formatValue(peak.mean - half, metric)} … ${formatValue(peak.mean + half, metric)}`;
}

function made(name: string, columns: Column[], rows: string[][], caption: string): PaperTable {
  const slug = slugOf(name);
  return {
    name: slug,
    latex: `${latexTable(columns, rows, caption, slug).join('\n')}\n`,
    markdown: `${markdownTable(columns, rows).join('\n')}\n\n${caption}\n`,
  };
}
