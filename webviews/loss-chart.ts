/** A curve of the trials over the steps: one line a trial, coloured by its learning rate. */

import type {ChartConfiguration, ChartDataset} from 'chart.js';
import {shortNumber} from '../core/figure/scales.ts';
import {methodTitle} from '../core/method/title.ts';
import type {TrialView} from '../core/run/fold.ts';
import {formatLoss, formatRate} from '../core/run/format.ts';
import {smoothed} from '../core/run/series/smooth.ts';
import type {CurveName} from '../core/run/update.ts';
import {nameOf} from '../core/sweep/sweep.ts';
import {frame, linearAxis, logAxis, zoomOptions} from './axes/axes.ts';
import {rateColour, type Theme} from './theme/palette.ts';

type Point = {x: number; y: number};

/** What the charts of all methods share, so that they can be compared by eye. */
export interface LossScale {
  lowestRate: number;
  highestRate: number;
  lowestLoss: number;
  highestLoss: number;
}

/** What stands out: one trial, or all of a rate. */
export interface Focus {
  trial?: string;
  rate?: number;
}

/** How the curves are shown. */
export interface LossView {
  curve: CurveName;
  logSteps: boolean;
  logValues: boolean;
  /** All methods in one chart. */
  overlaid: boolean;
  /** Weight of what came before in a debiased exponential moving average, in [0, 1). */
  smoothing: number;
  /** null = all lines alike. */
  focus: Focus | null;
}

export function isInFocus({trial}: TrialView, focus: Focus | null): boolean {
  return focus !== null && (focus.trial === trial.id || focus.rate === trial.learningRate);
}

/** Lines of different methods in one chart. */
const dashes = [[], [8, 3], [2, 2], [10, 3, 2, 3], [5, 5], [14, 4]];

export function lossScale(views: TrialView[], curve: CurveName): LossScale {
  const rates = views.map(view => view.trial.learningRate);
  const losses = views.flatMap(view => view[curve].means).filter(loss => loss > 0);
  const first = views.flatMap(view => view[curve].means[0] ?? []);
  return {
    lowestRate: Math.min(...rates),
    highestRate: Math.max(...rates),
    lowestLoss: losses.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    // A diverging trial must not press all others flat.
    highestLoss: Math.min(
      losses.reduce((a, b) => Math.max(a, b), 0),
      curve === 'rates' ? 1 : (curve === 'losses' ? 3 : 30) * Math.max(...first),
    ),
  };
}

/** 0 for the lowest rate, 1 for the highest, by their logarithms. */
export function ratePosition(rate: number, {lowestRate, highestRate}: LossScale): number {
  return highestRate > lowestRate ? Math.log(rate / lowestRate) / Math.log(highestRate / lowestRate) : 0.5;
}

/** The curves of some trials, and what the panels beside them have in common with them. */
export interface LossPanel {
  views: TrialView[];
  /** All methods of the section: each has its dashes. */
  methods: readonly string[];
  scale: LossScale;
  view: LossView;
}

type Line = ChartDataset<'line', Point[]>;

function lineOf(trialView: TrialView, {methods, scale, view}: LossPanel, theme: Theme): Line {
  const {curve, overlaid, smoothing, focus} = view;
  const {trial, state} = trialView;
  const {steps} = trialView[curve];
  const means = curve === 'rates' ? trialView.rates.means : smoothed(trialView[curve], smoothing);
  const colour = rateColour(theme, ratePosition(trial.learningRate, scale));
  const died = state === 'diverged';
  const stands = isInFocus(trialView, focus);
  return {
    label: `${methodTitle(nameOf(trial))}, rate ${formatRate(trial.learningRate)}, seed ${trial.seed}${died ? ', diverged' : ''}`,
    data: steps.map((step, k) => ({x: step, y: means[k]!})),
    borderColor: colour,
    backgroundColor: colour,
    // Another panel may hold the line in focus: here all stand back then.
    borderWidth: stands ? 3 : focus === null ? 1.4 : 0.5,
    borderDash: overlaid ? dashes[methods.indexOf(nameOf(trial)) % dashes.length]! : [],
    order: stands ? 0 : 1,
    // Where a trial died its line ends in a cross.
    pointRadius: died ? steps.map((_, k) => (k === steps.length - 1 ? 6 : 0)) : 0,
    pointStyle: 'crossRot',
    pointBorderWidth: 2,
    pointHitRadius: 6,
  };
}

export function lossChart(
  panel: LossPanel,
  focused: (trial: string) => void,
  theme: Theme,
): ChartConfiguration<'line', Point[]> {
  const {views, scale, view} = panel;
  const {curve, logSteps, logValues} = view;
  const {lowestLoss, highestLoss} = scale;
  return {
    type: 'line',
    data: {datasets: views.map(one => lineOf(one, panel, theme))},
    options: {
      ...frame,
      // The points are ready as they are, in the order of their steps.
      parsing: false,
      normalized: true,
      interaction: {mode: 'nearest', intersect: false},
      scales: {
        x: logSteps
          ? logAxis(theme, 'step', 1, Math.max(2, ...views.map(one => one[curve].steps.at(-1) ?? 1)), shortNumber)
          : linearAxis(theme, 'step', value => value.toLocaleString('en-US'), {min: 0}),
        y: logValues
          ? logAxis(theme, '', lowestLoss / 1.2, highestLoss * 1.1, shortNumber)
          : linearAxis(theme, '', shortNumber, {min: 0, max: highestLoss * 1.05}),
      },
      onClick: (_, [nearest]) => {
        const pressed = nearest && views[nearest.datasetIndex];
        if (pressed) focused(pressed.trial.id);
      },
      plugins: {
        legend: {display: false},
        zoom: zoomOptions,
        tooltip: {
          callbacks: {
            title: items => `step ${items[0]?.parsed.x ?? ''}`,
            label: ({dataset, parsed}) => ` ${dataset.label}: ${formatLoss(parsed.y ?? 0)}`,
          },
        },
      },
    },
  };
}
