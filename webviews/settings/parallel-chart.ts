/** Parallel coordinates: every setting a line over all that varies, to the value that it came to. */
import type {Chart, ChartConfiguration, Scale, TooltipItem} from 'chart.js';
import type {Parallel, ParallelAxis} from '../../core/figure/charts/parallel.ts';
import {methodTitle} from '../../core/method/title.ts';
import type {SettingRow} from '../../core/run/compare/settings-table.ts';
import {count, formatMean} from '../../core/run/format.ts';
import {frame} from '../axes/axes.ts';
import type {Point} from '../elements.ts';
import {rateColour, type Theme} from '../theme/palette.ts';

/** @param factors their titles and levels, as the table of settings has them; @param press opens the trials of a setting */
export function parallelChart(
  {axes, lines: rising, metric}: Parallel,
  factors: readonly {title: string; levels: readonly string[]}[],
  theme: Theme,
  press: (row: SettingRow) => void = () => {},
): ChartConfiguration<'line', Point[]> {
  const last = axes.length - 1;
  // What is drawn first lies upon the others.
  const lines = rising.toReversed();
  /** The best of all that cross an axis where the pointer is: it lies upon the others. */
  const best = (items: readonly {datasetIndex: number}[]): number =>
    items.length > 0 ? Math.min(...items.map(one => one.datasetIndex)) : -1;
  const label = ({mean, std}: SettingRow): string => formatMean(mean, std, metric);
  return {
    type: 'line',
    data: {
      datasets: lines.map(({row, at, goodness}) => ({
        label: `${methodTitle(row.method)}: ${settingOf(row, factors)}`,
        data: at.map((y, x) => ({x, y, mark: x < last ? factors[x]!.levels[row.places[x]!]! : label(row)})),
        borderColor: rateColour(theme, goodness),
        backgroundColor: rateColour(theme, goodness),
        borderWidth: 1.4,
        pointRadius: 0,
        pointHitRadius: 0,
      })),
    },
    options: {
      ...frame,
      interaction: {mode: 'nearestNamed', intersect: false},
      layout: {padding: {left: 8 + roomOf(axes[0]!)}},
      scales: {
        x: namesAbove(axes, theme),
        y: {display: false, min: -0.03, max: 1.03},
        ...Object.fromEntries(axes.map((axis, k) => [`y${k}`, upright(axis, k === last ? 'right' : {x: k}, theme)])),
      },
      onHover: (_, items, chart) => lift(chart, best(items)),
      onClick: (_, items) => {
        const line = lines[best(items)];
        if (line) press(line.row);
      },
      plugins: {
        legend: {display: false},
        tooltip: {
          filter: (item, _, items) => item.datasetIndex === best(items),
          callbacks: {
            title: ([item]) => (item ? titleOf(item, lines, label) : ''),
            label: ({datasetIndex}) => ` ${settingOf(lines[datasetIndex]!.row, factors)}`,
            afterLabel: ({dataIndex, raw}) => {
              const {y} = raw as Point;
              const here = lines.filter(({at}) => at[dataIndex] === y).length;
              return here > 1 ? ` the best of ${count(here, 'setting')} here` : '';
            },
          },
        },
      },
    },
  };
}

function titleOf(
  {datasetIndex}: TooltipItem<'line'>,
  lines: Parallel['lines'],
  label: (row: SettingRow) => string,
): string {
  const {row} = lines[datasetIndex]!;
  return `${methodTitle(row.method)}: ${label(row)}`;
}

/** `rank 8, weight decay 0.1, learning rate 1e-3`: all but the method. */
function settingOf({places}: SettingRow, factors: readonly {title: string; levels: readonly string[]}[]): string {
  const parts = factors.flatMap(({title, levels}, k) =>
    title === 'method' ? [] : [title === 'model' ? levels[places[k]!]! : `${title} ${levels[places[k]!]}`],
  );
  return parts.join(', ');
}

/** Pixels for the labels of an axis: Chart.js shares half of the width among all of them, and cuts what is longer. */
const roomOf = ({ticks}: ParallelAxis): number => 7 * Math.max(...ticks.map(({label}) => label.length));

/** Pixels that a title in one line takes at most. */
const roomOfTitle = 150;

/** What each axis is, above it; on a narrow page a word a line. */
function namesAbove(axes: readonly ParallelAxis[], {text}: Theme) {
  return {
    type: 'linear',
    position: 'top',
    min: 0,
    max: axes.length - 1,
    grid: {display: false},
    border: {display: false},
    afterBuildTicks: (scale: Scale) => {
      scale.ticks = axes.map((_, value) => ({value}));
    },
    ticks: {
      color: text,
      autoSkip: false,
      maxRotation: 0,
      callback(this: Scale, value: string | number) {
        const title = axes[Number(value)]?.title ?? '';
        return this.chart.width < roomOfTitle * axes.length ? title.split(' ') : title;
      },
    },
  } as const;
}

/** An axis that stands at its place among the others, upon the lines, and draws nothing but itself. */
function upright(axis: ParallelAxis, position: 'right' | {x: number}, {faint, surface, text}: Theme) {
  const {ticks, isNamed} = axis;
  return {
    type: 'linear',
    axis: 'y',
    position,
    min: -0.03,
    max: 1.03,
    grid: {display: false},
    border: {color: faint, z: 1},
    afterFit: (scale: Scale) => {
      scale.width = Math.max(scale.width, 16 + roomOf(axis));
    },
    afterBuildTicks: (scale: Scale) => {
      scale.ticks = ticks.map(({at: value}) => ({value}));
    },
    ticks: {
      color: text,
      z: 1,
      autoSkip: !isNamed,
      padding: 4,
      showLabelBackdrop: true,
      backdropColor: surface,
      backdropPadding: 1,
      callback: (_: string | number, k: number) => ticks[k]?.label ?? '',
    },
  } as const;
}

/** The line under the pointer stands out. */
function lift(chart: Chart, datasetIndex: number): void {
  const {datasets} = chart.data;
  const wide = (k: number): number => (k === datasetIndex ? 4 : 1.4);
  if (datasets.every((dataset, k) => dataset.borderWidth === wide(k))) return;
  for (const [k, dataset] of datasets.entries()) dataset.borderWidth = wide(k);
  chart.update('none');
}
