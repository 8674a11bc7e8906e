/** Charts of the curvature. */
import type {ChartConfiguration} from 'chart.js';
import {shortNumber} from '../core/figure/scales.ts';
import {methodTitle} from '../core/method/title.ts';
import type {BlockRow, RatesAndCurvature} from '../core/run/compare/curvature.ts';
import type {CurvatureAlong, CurvatureOverConditions} from '../core/run/compare/curvature-along.ts';
import {formatRate} from '../core/run/format.ts';
import {frame, linearAxis, logAxis, placeAxis, pointFrame, rateAxis, zoomOptions} from './axes/axes.ts';
import type {Point} from './elements.ts';
import {dashOf, methodColour, methodShape, type Theme, translucent} from './theme/palette.ts';

/** λmax over the updates of a training, a line a method. */
export function alongChart({lines}: Pick<CurvatureAlong, 'lines'>, theme: Theme): ChartConfiguration<'line', Point[]> {
  const values = lines.flatMap(({points}) => points.map(({lambdaMax}) => lambdaMax)).filter(value => value > 0);
  return lambdaChart(
    lines.map(({method, learningRate, points}) => ({
      method,
      what: `${methodTitle(method)}, rate ${formatRate(learningRate)}`,
      data: points.map(({step, lambdaMax}) => ({x: step, y: lambdaMax > 0 ? lambdaMax : null})),
    })),
    {values, x: linearAxis(theme, 'step', value => (Number.isInteger(value) ? String(value) : ''))},
    place => `step ${place}`,
    theme,
  );
}

/** λmax of every method under several conditions, a place each. */
export function conditionsChart(
  {places, methods}: CurvatureOverConditions,
  theme: Theme,
): ChartConfiguration<'line', Point[]> {
  const values = methods.flatMap(own => own.values.flatMap(value => (value !== null && value > 0 ? value : [])));
  return lambdaChart(
    methods.map(own => ({
      method: own.method,
      what: methodTitle(own.method),
      data: own.values.map((value, x) => ({x, y: value !== null && value > 0 ? value : null})),
    })),
    {values, x: placeAxis(theme, 'condition', places)},
    place => places[place] ?? '',
    theme,
  );
}

interface Lambdas {
  method: string;
  /** In words, for the label at a point. */
  what: string;
  data: Point[];
}

function lambdaChart(
  lines: readonly Lambdas[],
  {values, x}: {values: readonly number[]; x: ReturnType<typeof linearAxis>},
  titleOf: (place: number) => string,
  theme: Theme,
): ChartConfiguration<'line', Point[]> {
  return {
    type: 'line',
    data: {
      datasets: lines.map(({method, data}) => ({
        label: methodTitle(method),
        data,
        borderColor: methodColour(theme, method),
        backgroundColor: methodColour(theme, method),
        borderWidth: 1.6,
        borderDash: dashOf(method),
        pointRadius: 4,
        ...methodShape(method),
      })),
    },
    options: {
      ...frame,
      interaction: {mode: 'nearest', intersect: false},
      scales: {
        x,
        y: logAxis(theme, 'median λmax', Math.min(...values) / 1.3, Math.max(...values) * 1.3, shortNumber),
      },
      plugins: {
        zoom: zoomOptions,
        legend: {position: 'top', align: 'start', labels: {color: theme.text, usePointStyle: true, boxHeight: 8}},
        tooltip: {
          callbacks: {
            title: items => titleOf(items[0]?.parsed.x ?? 0),
            label: ({datasetIndex, parsed}) => ` ${lines[datasetIndex]!.what}: λmax ${shortNumber(parsed.y ?? 0)}`,
          },
        },
      },
    },
  };
}

/** One projection over the layers, a line a method. */
export function layerChart(
  rows: readonly BlockRow[],
  methods: readonly string[],
  theme: Theme,
): ChartConfiguration<'line', Point[]> {
  const values = rows.map(({relative}) => relative);
  const shown = methods.filter(method => rows.some(row => row.method === method));
  return {
    type: 'line',
    data: {
      datasets: shown.map(method => ({
        label: methodTitle(method),
        data: rows
          .filter(row => row.method === method)
          .map(({layer, relative}) => ({x: layer, y: relative}))
          .sort((a, b) => a.x - b.x),
        borderColor: methodColour(theme, method),
        backgroundColor: methodColour(theme, method),
        borderWidth: 1.6,
        pointRadius: 3,
        ...methodShape(method),
      })),
    },
    options: {
      ...frame,
      interaction: {mode: 'nearest', intersect: false},
      scales: {
        x: linearAxis(theme, 'layer', value => (Number.isInteger(value) ? String(value) : '')),
        y: logAxis(theme, "λmax ÷ LoRA's", Math.min(...values, 1) / 1.3, Math.max(...values, 1) * 1.3, shortNumber),
      },
      plugins: {
        zoom: zoomOptions,
        legend: {display: false},
        tooltip: {
          callbacks: {
            title: items => `layer ${items[0]?.parsed.x ?? ''}`,
            label: ({dataset, parsed}) => ` ${dataset.label}: ${shortNumber(parsed.y ?? 0)} × LoRA's`,
          },
        },
      },
    },
  };
}

/** All blocks as points, a column a method; the wide mark is their median. */
export function stripChart(
  rows: readonly BlockRow[],
  methods: readonly string[],
  theme: Theme,
): ChartConfiguration<'line', Point[]> {
  const values = rows.map(({relative}) => relative);
  const shown = methods.filter(method => rows.some(row => row.method === method));
  return {
    type: 'line',
    data: {
      datasets: shown.map((method, column) => {
        const own = rows.filter(row => row.method === method).sort((a, b) => a.relative - b.relative);
        const colour = methodColour(theme, method);
        const middle = own[own.length >> 1]?.relative ?? null;
        // Neighbours in size stand beside each other: none hides another.
        const points = own.map(({relative}, k) => ({x: column + 0.06 * ((k % 7) - 3), y: relative}));
        return {
          label: methodTitle(method),
          data: [...points, {x: column, y: middle}],
          showLine: false,
          borderColor: colour,
          backgroundColor: translucent(colour, 0.45),
          ...methodShape(method),
          pointStyle: [...points.map(() => methodShape(method).pointStyle), 'line' as const],
          pointRadius: [...points.map(() => 3), 22],
          pointBorderWidth: [...points.map(() => 1), 3],
          pointRotation: 0,
        };
      }),
    },
    options: {
      ...pointFrame,
      scales: {
        x: placeAxis(theme, 'method', shown.map(methodTitle)),
        y: logAxis(theme, "λmax ÷ LoRA's", Math.min(...values, 1) / 1.3, Math.max(...values, 1) * 1.3, shortNumber),
      },
      plugins: {
        zoom: zoomOptions,
        legend: {display: false},
        tooltip: {
          callbacks: {
            title: items => items[0]?.dataset.label ?? '',
            label: ({parsed}) => ` ${shortNumber(parsed.y ?? 0)} × LoRA's`,
          },
        },
      },
    },
  };
}

/** Measured best rates over the median λmax, a point a method, rank and batch size. */
export function rateAgainstCurvature(
  {points}: {points: readonly Omit<RatesAndCurvature['points'][number], 'of'>[]},
  methods: readonly string[],
  theme: Theme,
): ChartConfiguration<'line', Point[]> {
  const curvatures = points.map(({lambdaMax}) => lambdaMax).filter(value => value > 0);
  const rates = points.map(({bestRate}) => bestRate);
  const shown = methods.filter(method => points.some(point => point.method === method));
  return {
    type: 'line',
    data: {
      datasets: shown.map(method => ({
        label: methodTitle(method),
        data: points
          .filter(point => point.method === method && point.lambdaMax > 0)
          .map(({lambdaMax, bestRate}) => ({x: lambdaMax, y: bestRate})),
        showLine: false,
        borderColor: methodColour(theme, method),
        backgroundColor: methodColour(theme, method),
        pointRadius: 6,
        ...methodShape(method),
      })),
    },
    options: {
      ...pointFrame,
      scales: {
        x: logAxis(theme, 'median λmax', Math.min(...curvatures) / 1.3, Math.max(...curvatures) * 1.3, shortNumber),
        y: {...rateAxis(theme, Math.min(...rates), Math.max(...rates))},
      },
      plugins: {
        zoom: zoomOptions,
        legend: {position: 'top', align: 'start', labels: {color: theme.text, usePointStyle: true, boxHeight: 8}},
        tooltip: {
          callbacks: {
            title: items => items[0]?.dataset.label ?? '',
            label: ({parsed}) => ` λmax ${shortNumber(parsed.x ?? 0)}, best rate ${formatRate(parsed.y ?? 0)}`,
          },
        },
      },
    },
  };
}
