/** Every trial of a run as a button: rows are settings, columns learning rates, the seeds side by side. */
import {methodTitle} from '../../core/method/title.ts';
import {settingInFull} from '../../core/run/compare/conditions.ts';
import type {TrialView} from '../../core/run/fold.ts';
import {formatLoss, formatRate, formatValue} from '../../core/run/format.ts';
import {nameOf} from '../../core/sweep/sweep.ts';
import {element, scroller} from '../elements.ts';

/** A sign of each state, for those who do not tell its colour. */
const signs: Record<TrialView['state'], string> = {
  waiting: '·',
  running: '▸',
  paused: '‖',
  finished: '✓',
  diverged: '✗',
  failed: '!',
  stopped: '■',
};

export function trialsGrid(trials: TrialView[], focus: string | null, choose: (trial: string) => void): HTMLElement {
  const rates = [...new Set(trials.map(({trial}) => trial.learningRate))].sort((a, b) => a - b);
  const rows = Map.groupBy(trials, ({trial}) => `${methodTitle(nameOf(trial))}, ${settingInFull(trial)}`);
  const table = element('table', 'trials');
  const head = table.createTHead().insertRow();
  for (const title of ['setting', ...rates.map(formatRate)]) {
    const cell = element('th', '', title);
    cell.scope = 'col';
    head.append(cell);
  }
  const body = table.createTBody();
  for (const [setting, own] of rows) {
    const row = body.insertRow();
    row.append(element('td', '', setting));
    for (const rate of rates) {
      const cell = row.insertCell();
      for (const view of own.filter(({trial}) => trial.learningRate === rate)) {
        const button = element('button', view.state, signs[view.state]);
        button.id = `trial ${view.trial.id}`;
        button.title = sentenceOf(view);
        button.setAttribute('aria-label', `${setting}, rate ${formatRate(rate)}, ${sentenceOf(view)}`);
        button.setAttribute('aria-pressed', String(view.trial.id === focus));
        button.addEventListener('click', () => choose(view.trial.id));
        cell.append(button);
      }
    }
  }
  return scroller(table, 'Trials');
}

function sentenceOf({trial, state, steps, totalSteps, loss, evaluations, message}: TrialView): string {
  const last = evaluations.at(-1);
  return [
    `seed ${trial.seed}: ${state}`,
    state === 'waiting' ? '' : `step ${steps} of ${totalSteps}`,
    loss === null ? '' : `loss ${formatLoss(loss)}`,
    last && last.value !== null ? `${last.task} ${formatValue(last.value, last.metric)}` : '',
    message ?? '',
  ]
    .filter(Boolean)
    .join(', ');
}
