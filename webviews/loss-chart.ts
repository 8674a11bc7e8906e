/** The training loss of one method over the steps: one line a trial, coloured by its learning rate. */
import type {ChartConfiguration} from 'chart.js';
import type {TrialView} from '../core/run/fold.ts';
import {formatLoss, formatRate} from '../core/run/format.ts';
import {smoothed} from '../core/run/smooth.ts';
import {linearAxis, logAxis, shortNumber, zoomOptions} from './axes.ts';
import {rateColour, type Theme} from './theme.ts';

type Point = {x: number; y: number};

/** What the charts of all methods share, so that they can be compared by eye. */
export interface LossScale {
  lowestRate: number;
  highestRate: number;
  lowestLoss: number;
  highestLoss: number;
}

/** The curves that a trial has. */
export type CurveName = 'losses' | 'gradNorms';

/** How the curves are shown. */
export interface LossView {
  curve: CurveName;
  logSteps: boolean;
  /** Weight of what came before in a debiased exponential moving average, in [0, 1). */
  smoothing: number;
  /** The trial whose line stands out; null = all alike. */
  focus: string | null;
}

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
      (curve === 'losses' ? 3 : 30) * Math.max(...first),
    ),
  };
}

/** 0 for the lowest rate, 1 for the highest, by their logarithms. */
export function ratePosition(rate: number, {lowestRate, highestRate}: LossScale): number {
  return highestRate > lowestRate ? Math.log(rate / lowestRate) / Math.log(highestRate / lowestRate) : 0.5;
}

export function lossChart(
  views: TrialView[],
  scale: LossScale,
  {curve, logSteps, smoothing, focus}: LossView,
  theme: Theme,
): ChartConfiguration<'line', Point[]> {
  const isFocus = (view: TrialView): boolean => view.trial.id === focus;
  // Another panel may hold the line in focus: here all stand back then.
  const width = (view: TrialView): number => (isFocus(view) ? 3 : focus === null ? 1.4 : 0.5);
  return {
    type: 'line',
    data: {
      datasets: views.map(view => {
        const {trial, state} = view;
        const {steps} = view[curve];
        const means = smoothed(view[curve], smoothing);
        const colour = rateColour(theme, ratePosition(trial.learningRate, scale));
        const died = state === 'diverged';
        return {
          label: `rate ${formatRate(trial.learningRate)}, seed ${trial.seed}${died ? ', diverged' : ''}`,
          data: steps.map((step, k) => ({x: step, y: means[k]!})),
          borderColor: colour,
          backgroundColor: colour,
          borderWidth: width(view),
          order: isFocus(view) ? 0 : 1,
          // Where a trial died its line ends in a cross.
          pointRadius: steps.map((_, k) => (died && k === steps.length - 1 ? 6 : 0)),
          pointStyle: 'crossRot',
          pointBorderWidth: 2,
          pointHitRadius: 6,
        };
      }),
    },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: {mode: 'nearest', intersect: false},
      scales: {
        x: logSteps
          ? logAxis(theme, 'step', 1, Math.max(2, ...views.map(view => view[curve].steps.at(-1) ?? 1)), shortNumber)
          : linearAxis(theme, 'step', value => value.toLocaleString('en-US'), {min: 0}),
        y: logAxis(theme, '', scale.lowestLoss / 1.2, scale.highestLoss * 1.1, shortNumber),
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
