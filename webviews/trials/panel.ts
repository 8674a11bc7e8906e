/** What stands beside the page: one trial with its settings, curve and log, several compared, or answers. */
import {curvesOf} from '../../core/figure/each.ts';
import {methodTitle} from '../../core/method/title.ts';
import type {RunState, TrialView} from '../../core/run/fold.ts';
import {formatLoss, formatMeasure, formatRate, formatSeconds, formatValue} from '../../core/run/format.ts';
import {trialLines} from '../../core/run/trials/log-lines.ts';
import {axisTitle} from '../../core/sweep/axes/axes.ts';
import {nameOf} from '../../core/sweep/sweep.ts';
import {methodLegend} from '../axes/axes.ts';
import {buttonsIn, canvasBox, element, type Plot, scroller, toggleButton} from '../elements.ts';
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
  if (views.length > 1)
    for (const {trial: other} of views)
      seeds.append(
        toggleButton(`seed ${other.id}`, `seed ${other.seed}`, other === trial, () =>
          doing.open(now => (now?.kind === 'trial' ? {...now, shown: other.id} : now)),
        ),
      );
  return [
    title,
    element('p', 'caption', trial.id),
    seeds,
    actions(view, beside, doing),
    element('h3', '', 'Settings'),
    settingsList(view, beside.state),
    element('h3', '', 'Curve'),
    curves([view], trial.id, beside),
    element('h3', '', 'Log'),
    log(view),
  ];
}

function actions(
  {trial, state, evaluations}: TrialView,
  {answers}: Beside,
  {act, alive, open}: TrialsDoing,
): HTMLElement {
  const bar = element('div', 'bar');
  const button = buttonsIn(bar, 'panel');
  const generated = evaluations.some(({metric}) => metric !== 'loss');
  button('Answers', answers !== undefined && generated, () => open(answersPanel([trial.id])));
  button('Export…', act !== undefined && state === 'finished', () => act?.('export', [trial.id]));
  button('Rerun', act !== undefined && !alive && state !== 'waiting', () => act?.('rerun', [trial.id]));
  button('Copy as sweep file', act !== undefined, () => act?.('copy', [trial.id]));
  return bar;
}

/** Everything that the table says of the trial, its alpha, own settings and all values with their steps. */
function settingsList(view: TrialView, state: RunState): HTMLElement {
  const {trial, message, evaluations} = view;
  const list = element('dl', 'facts');
  const fact = (name: string, value: string): void => {
    if (value === '') return;
    const made = element('div', 'fact');
    made.append(element('dt', '', name), element('dd', '', value));
    list.append(made);
  };
  const columns = columnsOf(state).filter(
    ({key}) => !evaluations.some(({task, metric}) => key === `${task} ${metric}`),
  );
  for (const column of columns) {
    fact(column.title, column.text(view));
    if (column.key === 'rank' && trial.rank > 0) fact('alpha', String(Number(trial.alpha.toPrecision(6))));
  }
  if (trial.variant !== undefined) fact('variant', trial.variant);
  for (const [key, value] of Object.entries(trial.options ?? {})) fact(axisTitle(key), String(value));
  for (const {task, metric, step, value} of evaluations)
    fact(`${formatMeasure(task, metric)} at step ${step}`, value === null ? 'no value' : formatValue(value, metric));
  if (message !== null) fact('why', message);
  return list;
}

/** @param name tells the chart from others of the panel, so that each keeps its own zoom */
function curves(views: TrialView[], name: string, {view, theme, plots}: Beside): HTMLElement {
  const {curve} = view;
  if (!views.some(one => one[curve].steps.length > 0)) return element('p', 'empty', 'No step yet.');
  const methods = [...new Set(views.map(({trial}) => nameOf(trial)))];
  const own = {...view, overlaid: true, focus: null};
  const plot = canvasBox('plot small', `The curves of ${views.map(({trial}) => trial.id).join(', ')} over the steps`);
  const panel = {views, methods, scale: lossScale(views, curve), view: own};
  const key = `panel, ${name}, ${curve}, ${view.logSteps ? 'log' : 'linear'}`;
  const configuration = lossChart(panel, () => {}, theme);
  // Colours are those of the rates, dashes those of the methods: of several lines the chart says which is which.
  if (views.length > 1) Object.assign(configuration.options?.plugins ?? {}, {legend: legendOfLines(theme)});
  plots.push({
    key,
    canvas: plot.canvas,
    configuration,
    figure: drawing => curvesOf(views, curve, name, drawing),
  });
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
