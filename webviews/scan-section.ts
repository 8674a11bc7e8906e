/** What a search saw in its scan, apart from what was trained whole: a training loss is no result. */

import type {ChartConfiguration, ChartDataset} from 'chart.js';
import {scanOf} from '../core/figure/each.ts';
import {shortNumber} from '../core/figure/scales.ts';
import {methodTitle} from '../core/method/title.ts';
import {type Scan, scansOf} from '../core/run/compare/scan.ts';
import type {RunState} from '../core/run/fold.ts';
import {count, formatLoss, formatRate} from '../core/run/format.ts';
import {nameOf} from '../core/sweep/sweep.ts';
import {logAxis, methodLegend, pointFrame, rateAxis, zoomOptions} from './axes/axes.ts';
import {canvasBox, element, type Plot, type Point} from './elements.ts';
import {rowOf} from './rate-lines.ts';
import {methodColour, methodShape, type Theme} from './theme/palette.ts';

/** One section a (model, rank, batch size) that was scanned. */
export function scanSections(state: RunState, theme: Theme, plots: Plot[]): HTMLElement[] {
  const methods = [...new Set(state.trials.map(({trial}) => nameOf(trial)))];
  return scansOf(state).flatMap(scan => {
    const losses = scan.methods.flatMap(({points}) => points.flatMap(({loss}) => loss ?? []));
    if (losses.length === 0) return [];
    const section = element('section', 'card');
    const steps = count(scan.steps, 'step');
    const title = `Scan, ${scan.title}`;
    const plot = canvasBox('plot small', `Training loss after ${steps} over the learning rate, a line a method`);
    plots.push({
      key: title,
      canvas: plot.canvas,
      configuration: scanChart(scan, losses, methods, theme),
      figure: drawing => scanOf(scan, drawing),
    });
    const hasDied = scan.methods.some(({points}) => points.some(({loss}) => loss === null));
    const caption = `Training loss at the end of the first ${steps} of each trial's schedule, one seed. It says where to look, not how good a rate is.${hasDied ? ' ×: the training diverged.' : ''}`;
    section.append(element('h2', '', title), plot.box, element('p', 'caption', caption));
    return [section];
  });
}

export function scanChart(
  scan: Scan,
  losses: readonly number[],
  methods: readonly string[],
  theme: Theme,
): ChartConfiguration<'line', Point[]> {
  const rates = scan.methods.flatMap(({points}) => points.map(({learningRate}) => learningRate));
  const [low, high] = [Math.min(...losses) / 1.15, Math.max(...losses) * 1.3];
  const row = rowOf(methods.length);
  const lines = scan.methods.map(one => {
    const crosses = high / (high / low) ** (row * methods.indexOf(one.method));
    return scanLines(one, crosses, theme);
  });
  const isFirst = lines.flatMap(own => own.map((_, k) => k === 0));
  const legend = methodLegend(theme);
  return {
    type: 'line',
    data: {datasets: lines.flat()},
    options: {
      ...pointFrame,
      scales: {
        x: rateAxis(theme, Math.min(...rates), Math.max(...rates)),
        y: logAxis(theme, 'training loss', low, high, shortNumber),
      },
      plugins: {
        zoom: zoomOptions,
        legend: {
          ...legend,
          labels: {...legend.labels, filter: ({datasetIndex = -1}) => isFirst[datasetIndex] ?? false},
        },
        tooltip: {
          callbacks: {
            title: items => `learning rate ${formatRate(items[0]?.parsed.x ?? 0)}`,
            label: ({datasetIndex, dataIndex, parsed}) => {
              const {label, data} = lines.flat()[datasetIndex]!;
              return ` ${label}: ${data[dataIndex]?.mark ?? formatLoss(parsed.y ?? 0)}`;
            },
          },
        },
      },
    },
  };
}

/** The line of a method, and crosses where it diverged, at this height. */
function scanLines(
  {method, points}: Scan['methods'][number],
  crosses: number,
  theme: Theme,
): ChartDataset<'line', Point[]>[] {
  const colour = methodColour(theme, method);
  const common = {label: methodTitle(method), borderColor: colour, backgroundColor: colour};
  const died = points.filter(({loss}) => loss === null);
  return [
    {
      ...common,
      data: points.map(({learningRate, loss}) => ({x: learningRate, y: loss})),
      borderWidth: 1,
      ...methodShape(method),
      pointRadius: 2,
    },
    ...(died.length === 0
      ? []
      : [
          {
            ...common,
            data: died.map(({learningRate}) => ({x: learningRate, y: crosses, mark: 'diverged'})),
            showLine: false,
            pointStyle: 'crossRot' as const,
            pointRadius: 5,
            pointBorderWidth: 1.6,
            pointHoverRadius: 6,
            pointHoverBorderWidth: 2,
          },
        ]),
  ];
}
