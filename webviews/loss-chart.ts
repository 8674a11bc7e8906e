/** The training loss of one method over the steps: one line a trial, coloured by its learning rate. */
import type {ChartConfiguration} from 'chart.js';
import type {TrialView} from '../core/run/fold.ts';
import {formatLoss, formatRate} from '../core/run/format.ts';
import {linearAxis, logAxis, shortNumber} from './axes.ts';
import {rateColour, type Theme} from './theme.ts';

type Point = {x: number; y: number};

/** What the charts of all methods share, so that they can be compared by eye. */
export interface LossScale {
  lowestRate: number;
  highestRate: number;
  lowestLoss: number;
  highestLoss: number;
}

export function lossScale(views: TrialView[]): LossScale {
  const rates = views.map(view => view.trial.learningRate);
  const losses = views.flatMap(view => view.losses.means).filter(loss => loss > 0);
  const first = views.flatMap(view => view.losses.means[0] ?? []);
  return {
    lowestRate: Math.min(...rates),
    highestRate: Math.max(...rates),
    lowestLoss: losses.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    // A diverging trial must not press all others flat.
    highestLoss: Math.min(
      losses.reduce((a, b) => Math.max(a, b), 0),
      3 * Math.max(...first),
    ),
  };
}

/** 0 for the lowest rate, 1 for the highest, by their logarithms. */
export function ratePosition(rate: number, {lowestRate, highestRate}: LossScale): number {
  return highestRate > lowestRate ? Math.log(rate / lowestRate) / Math.log(highestRate / lowestRate) : 0.5;
}

export function lossChart(views: TrialView[], scale: LossScale, theme: Theme): ChartConfiguration<'line', Point[]> {
  return {
    type: 'line',
    data: {
      datasets: views.map(({trial, losses, state}) => ({
        label: `rate ${formatRate(trial.learningRate)}, seed ${trial.seed}${state === 'diverged' ? ', diverged' : ''}`,
        data: losses.steps.map((step, k) => ({x: step, y: losses.means[k]!})),
        borderColor: rateColour(theme, ratePosition(trial.learningRate, scale)),
        borderWidth: 1.4,
        pointRadius: 0,
        pointHitRadius: 6,
      })),
    },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: {mode: 'nearest', intersect: false},
      scales: {
        x: linearAxis(theme, 'step', value => value.toLocaleString('en-US'), {min: 0}),
        y: logAxis(theme, '', scale.lowestLoss / 1.2, scale.highestLoss * 1.1, shortNumber),
      },
      plugins: {
        legend: {display: false},
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
