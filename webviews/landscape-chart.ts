/** Charts of a metric over learning rate and rank or batch size. */
import type {ChartConfiguration} from 'chart.js';
import {cellNumber} from '../core/figure/charts/heat.ts';
import {between, inkOn} from '../core/figure/looks.ts';
import {shortNumber} from '../core/figure/scales.ts';
import {methodTitle} from '../core/method/title.ts';
import type {Landscape} from '../core/run/compare/landscape.ts';
import {formatMean, formatRate} from '../core/run/format.ts';
import {lowerIsBetter} from '../core/run/peak.ts';
import {frame, logAxis, placeAxis, pointFrame, valueAxis, zoomOptions} from './axes/axes.ts';
import type {BarPoint, Cell} from './elements.ts';
import {methodColour, rateColour, shapeWithBars, type Theme} from './theme/palette.ts';

/** The peak of each method over the rank or batch size, with error bars. */
export function peakLines(
  {methods, values, over, task, metric}: Landscape,
  theme: Theme,
): ChartConfiguration<'lineWithErrorBars', BarPoint[]> {
  const peaks = methods.flatMap(({rows}) => rows.flatMap(({peak}) => peak ?? []));
  const withPeak = methods.map(({rows}) => rows.flatMap(({value, peak}) => (peak ? [{value, peak}] : [])));
  /** Bars of different methods stand beside each other. */
  const beside = (value: number, place: number): number => value * 1.025 ** (place - (methods.length - 1) / 2);
  return {
    type: 'lineWithErrorBars',
    data: {
      datasets: methods.map(({method}, place) => ({
        label: methodTitle(method),
        data: withPeak[place]!.map(({value, peak: {mean, std}}) => ({
          ...{at: value, x: beside(value, place)},
          ...{y: mean, yMin: mean - (std ?? 0), yMax: mean + (std ?? 0)},
        })),
        borderColor: methodColour(theme, method),
        backgroundColor: methodColour(theme, method),
        errorBarColor: methodColour(theme, method),
        errorBarWhiskerColor: methodColour(theme, method),
        borderWidth: 2,
        ...shapeWithBars(method, 4),
      })),
    },
    options: {
      ...pointFrame,
      scales: {
        x: logAxis(theme, over, Math.min(...values) / 1.2, Math.max(...values) * 1.2, shortNumber, values),
        y: valueAxis(theme, task, metric, peaks),
      },
      plugins: {
        zoom: zoomOptions,
        legend: {position: 'top', align: 'start', labels: {color: theme.text, usePointStyle: true, boxHeight: 8}},
        tooltip: {
          callbacks: {
            title: ([item]) => `${over} ${withPeak[item?.datasetIndex ?? -1]?.[item?.dataIndex ?? -1]?.value ?? ''}`,
            label: ({datasetIndex, dataIndex, dataset}) => {
              const peak = withPeak[datasetIndex]?.[dataIndex]?.peak;
              if (!peak) return '';
              return ` ${dataset.label}: ${formatMean(peak.mean, peak.std, metric)} at ${formatRate(peak.learningRate)}`;
            },
          },
        },
      },
    },
  };
}

/** A cell for each setting that has a mean, at its place among the rates and values. */
function cellsOf(rows: Landscape['methods'][number]['rows'], rates: readonly number[], values: readonly number[]) {
  return rows.flatMap(({value, points, peak}) =>
    points.flatMap(({learningRate, mean, std}) => {
      if (mean === null) return [];
      const place = {x: rates.indexOf(learningRate), y: values.indexOf(value)};
      return [{...place, mean, std, learningRate, value, best: peak?.learningRate === learningRate}];
    }),
  );
}

/** One method: a cell a setting, its colour the mean over seeds on the scale of all methods. */
export function heatMap(
  {methods, values, over, metric}: Landscape,
  method: string,
  theme: Theme,
): ChartConfiguration<'matrix', Cell[]> {
  const all = methods.flatMap(({rows}) => rows.flatMap(({points}) => points));
  const means = all.flatMap(({mean}) => mean ?? []);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const rates = [...new Set(all.map(({learningRate}) => learningRate))].sort((a, b) => a - b);
  /** 1 = best. */
  const goodness = (mean: number): number => {
    const share = high > low ? (mean - low) / (high - low) : 0.5;
    return lowerIsBetter(metric) ? 1 - share : share;
  };
  const cells = cellsOf(methods.find(one => one.method === method)?.rows ?? [], rates, values).map(cell => ({
    ...cell,
    text: cellNumber(cell.mean, metric),
    ink: inkOn(between(theme.rates, goodness(cell.mean))),
  }));
  return {
    type: 'matrix',
    data: {
      datasets: [
        {
          label: methodTitle(method),
          data: cells,
          backgroundColor: cells.map(({mean}) => rateColour(theme, goodness(mean))),
          borderColor: cells.map(({best}) => (best ? theme.text : theme.surface)),
          borderWidth: cells.map(({best}) => (best ? 2 : 0.5)),
          width: ({chart}) => (chart.chartArea?.width ?? 0) / rates.length - 2,
          height: ({chart}) => (chart.chartArea?.height ?? 0) / values.length - 2,
        },
      ],
    },
    options: {
      ...frame,
      interaction: {mode: 'nearest', intersect: false},
      scales: {
        x: placeAxis(theme, 'learning rate', rates.map(formatRate)),
        y: placeAxis(theme, over, values.map(String)),
      },
      plugins: {
        legend: {display: false},
        tooltip: {
          callbacks: {
            title: () => methodTitle(method),
            label: ({dataIndex}) => {
              const cell = cells[dataIndex];
              if (!cell) return '';
              const where = `rate ${formatRate(cell.learningRate)}, ${over} ${cell.value}`;
              return ` ${where}: ${formatMean(cell.mean, cell.std, metric)}`;
            },
          },
        },
      },
    },
  };
}
