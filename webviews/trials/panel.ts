/** What stands beside the page: one trial with its settings, curve and log, several compared, or answers. */
import {methodTitle} from '../../core/method/title.ts';
import type {RunState, TrialView} from '../../core/run/fold.ts';
import {formatLoss, formatMeasure, formatRate, formatSeconds, formatValue} from '../../core/run/format.ts';
import {trialLines} from '../../core/run/trials/log-lines.ts';
import {axisTitle} from '../../core/sweep/axes/axes.ts';
import {nameOf} from '../../core/sweep/sweep.ts';
import {methodLegend} from '../axes/axes.ts';
import {canvasBox, element, type Plot, scroller, toggleButton} from '../elements.ts';
import {type LossView, lossChart, lossScale} from '../loss-chart.ts';
import type {Theme} from '../theme/palette.ts';
import type {AnswersSource} from './answers.ts';
import {answersView} from './answers-view.ts';
import {answersPanel, type Panel} from './panel-choice.ts';
import {columnsOf} from './rows.ts';
import type {TrialsDoing} from './section.ts';

/** What the panel shows besides its own choice. */
export interface Beside {
  state: RunState;
  view: LossView;
  theme: Theme;
  plots: Plot[];
  answers: AnswersSource | undefined;
}

/** Nothing where its trials are not in the run. */
export function panelOf(panel: Panel | null, beside: Beside, doing: TrialsDoing): HTMLElement[] {
  if (panel === null) return [];
  const {trials, places} = beside.state;
  const views = panel.trials.flatMap(id => trials[places[id] ?? -1] ?? []);
  if (views.length === 0) return [];
  const [title, ...content] = contentOf(panel, views, beside, doing);
  const made = element('aside', panel.kind === 'trial' ? 'panel' : 'panel wide');
  made.id = 'panel';
  made.tabIndex = -1;
  made.setAttribute('aria-label', title?.textContent ?? '');
  const close = element('button', 'close', '✕');
  close.id = 'close panel';
  close.title = 'Close (Escape)';
  close.setAttribute('aria-label', 'Close');
  close.addEventListener('click', () => doing.open(null));
  made.append(close, ...(title ? [title] : []), ...content);
  return [made];
}

function contentOf(panel: Panel, views: TrialView[], beside: Beside, doing: TrialsDoing): HTMLElement[] {
  if (panel.kind === 'compare') return comparison(views, beside, doing);
  if (panel.kind === 'trial') return oneTrial(panel, views, beside, doing);
  const title = element('h2', '', `Answers of ${panel.trials.join(' and ')}`);
  return [title, ...answersView(panel, beside.state.trials, beside.answers, doing.open)];
}

function oneTrial(
  panel: Extract<Panel, {kind: 'trial'}>,
  views: TrialView[],
  beside: Beside,
  doing: TrialsDoing,
): HTMLElement[] {
  const view = views.find(({trial}) => trial.id === panel.shown) ?? views[0]!;
  const {trial} = view;
  const title = element(
    'h2',
    '',
    `${methodTitle(nameOf(trial))} at ${formatRate(trial.learningRate)}, seed ${trial.seed}`,
  );
  const seeds = element('div', 'bar');
  if (views.length > 1) Object.assign(configuration.options?.plugins ?? {}, {legend: legendOfLines(theme)});
  plots.push({key, canvas: plot.canvas, configuration});
  return plot.box;
}

/** Each line as it is drawn. */
function legendOfLines(theme: Theme) {
  const legend = methodLegend(theme);
  const labels = {...legend.labels, usePointStyle: false, boxWidth: 28, boxHeight: 0};
  return {...legend, labels, onClick: () => {}};
}

function log(view: TrialView): HTMLElement {
  const lines = trialLines(undefined, view);
  if (lines.length === 0) return element('p', 'empty', 'It has not begun.');
  const list = element('ol', 'log');
  // Each line begins with the trial, which the panel names already.
  for (const {text, at, level} of lines.sort((a, b) => (a.at ?? 0) - (b.at ?? 0))) {
    const line = element('li', level);
    const time = at === null ? '' : new Date(at).toLocaleTimeString('sv-SE');
    line.append(element('time', '', time), ` ${text.slice(view.trial.id.length + 2)}`);
    list.append(line);
  }
  return list;
}

/** A row for everything in which they differ, a column for each. */
function comparison(views: TrialView[], beside: Beside, doing: TrialsDoing): HTMLElement[] {
  const columns = columnsOf(beside.state);
  const table = element('table', '');
  const head = table.createTHead().insertRow();
  for (const title of ['', ...views.map(({trial}) => trial.id)]) {
    const cell = element('th', '', title);
    cell.scope = 'col';
    head.append(cell);
  }
  const body = table.createTBody();
  const same: string[] = [];
  for (const column of columns) {
    const texts = views.map(column.text);
    if (new Set(texts).size === 1) {
      if (texts[0] !== '') same.push(`${column.title} ${texts[0]}`);
      continue;
    }
    const row = body.insertRow();
    row.append(element('td', '', column.title), ...texts.map(text => element('td', '', text)));
  }
  const bar = element('div', 'bar');
  if (beside.answers && views.length === 2) {
    const button = element('button', '', 'Answers side by side');
    button.id = 'panel: answers side by side';
    button.addEventListener('click', () => doing.open(answersPanel(views.map(({trial}) => trial.id))));
    bar.append(button);
  }
  return [
    element('h2', '', `${views.length} trials compared`),
    bar,
    curves(views, `comparison of ${views.map(({trial}) => trial.id).join()}`, beside),
    element('p', 'caption', views.map(legendOf).join(' · ')),
    scroller(table, 'What differs between the trials'),
    ...(same.length > 0 ? [element('p', 'caption', `The same for all: ${same.join(', ')}.`)] : []),
  ];
}

function legendOf({trial, loss, seconds}: TrialView): string {
  const last = loss === null ? '' : `, loss ${formatLoss(loss)}`;
  return `${trial.id}${last}${seconds > 0 ? ` in ${formatSeconds(seconds)}` : ''}`;
}
