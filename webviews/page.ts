/** A folded run as the elements of a page. */
import type {RunState} from '../core/run/fold.ts';
import {formatRate, formatSeconds} from '../core/run/format.ts';
import type {PageAction} from '../core/run/page-messages.ts';
import {peakColumns, peakRows} from '../core/run/peak-table.ts';
import {progress} from '../core/run/progress.ts';
import {type Comparison, compare, title, verdict} from '../core/run/verdict.ts';
import {markdownTable} from '../core/table.ts';
import {curvatureSections} from './curvature-section.ts';
import {dataOf} from './data-table.ts';
import {canvasBox, element, type Plot, tableOf} from './elements.ts';
import {type LossView, lossChart, lossScale} from './loss-chart.ts';
import {rateChart} from './rate-chart.ts';
import {rateColour, type Theme} from './theme.ts';
import {trialsGrid} from './trials-grid.ts';

/** What the reader has chosen; a reload keeps it. */
export interface Choices extends LossView {
  /** Keys of the charts whose data is open. */
  open: string[];
}

export const firstChoices: Choices = {curve: 'losses', logSteps: false, smoothing: 0, focus: null, open: []};

/** What the page can do besides showing: all of it has a place to go in the editor, copies alone in a browser. */
export interface Doing {
  choose(change: Partial<Choices>): void;
  copy(text: string): void;
  /** Absent outside the editor. */
  act?: (action: PageAction) => void;
  alive: boolean;
}

/** Fills `root` with the run; the charts are to be drawn then. */
export function showPage(root: HTMLElement, state: RunState, theme: Theme, choices: Choices, doing: Doing): Plot[] {
  const plots: Plot[] = [];
  const comparisons = compare(state);
  root.replaceChildren(
    header(state, comparisons, doing),
    ...comparisons.map(comparison => comparisonSection(comparison, theme, plots)),
    ...(comparisons.length === 0 ? [element('p', 'empty', 'No trial has finished yet.')] : []),
    ...curvatureSections(state, theme, plots),
    ...lossSections(state, theme, choices, doing, plots),
    ...trialsSection(state, choices, doing),
  );
  for (const plot of plots) {
    const others = choices.open.filter(key => key !== plot.key);
    const toggled = (open: boolean): void => doing.choose({open: open ? [...others, plot.key] : others});
    plot.canvas.parentElement?.after(dataOf(plot, choices.open.includes(plot.key), toggled, doing.copy));
  }
  return plots;
}

function header(state: RunState, comparisons: Comparison[], doing: Doing): HTMLElement {
  const {trials} = state;
  const of = (wanted: string): number => trials.filter(view => view.state === wanted).length;
  const different = (key: 'method' | 'learningRate' | 'seed'): number =>
    new Set(trials.map(({trial}) => trial[key])).size;
  const facts: [string, string][] = [
    ['trials finished', `${of('finished')} of ${trials.length}`],
    ...(['diverged', 'failed', 'stopped', 'running'] as const)
      .filter(wanted => of(wanted) > 0)
      .map((wanted): [string, string] => [wanted, String(of(wanted))]),
    ['methods', String(different('method'))],
    ['learning rates', String(different('learningRate'))],
    ['seeds', String(different('seed'))],
    ['time', formatSeconds(state.seconds)],
    ['engine', state.engine],
  ];
  const list = element('dl', 'facts');
  for (const [name, value] of facts) {
    const fact = element('div', 'fact');
    fact.append(element('dt', '', name), element('dd', '', value));
    list.append(fact);
  }
  const top = element('header', '');
  top.append(element('p', 'label', 'LoRA Sweep'), element('h1', '', state.name), list);
  if (doing.alive) top.append(element('p', 'figures', progressSentence(state)));
  top.append(actions(state, comparisons, doing));
  return top;
}

function actions(state: RunState, comparisons: Comparison[], {act, alive, copy}: Doing): HTMLElement {
  const bar = element('div', 'bar');
  const button = (text: string, press: () => void): void => {
    const made = element('button', '', text);
    made.id = `do ${text}`;
    made.addEventListener('click', press);
    bar.append(made);
  };
  if (act) {
    const has = (...wanted: string[]): boolean => state.trials.some(view => wanted.includes(view.state));
    if (alive) button('Stop', () => act('stop'));
    else if (has('waiting', 'stopped')) button('Resume', () => act('resume'));
    if (!alive && has('failed', 'diverged')) button('Rerun failed', () => act('rerunFailed'));
    button('Show log', () => act('showLog'));
    button('Open sweep file', () => act('openSweep'));
  }
  if (comparisons.length > 0) button('Copy peaks as Markdown', () => copy(peaksAsMarkdown(comparisons)));
  return bar;
}

function peaksAsMarkdown(comparisons: Comparison[]): string {
  return comparisons
    .map(comparison => `${title(comparison)}\n\n${markdownTable([...peakColumns], peakRows(comparison)).join('\n')}\n`)
    .join('\n');
}

function progressSentence(state: RunState): string {
  const {trialsDone, trialsTotal, stepsPerSecond, secondsLeft} = progress(state);
  return [
    `${trialsDone} of ${trialsTotal} trials done`,
    stepsPerSecond === null ? '' : `${stepsPerSecond.toFixed(1)} steps/s`,
    secondsLeft === null ? '' : `about ${formatSeconds(secondsLeft)} left`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function trialsSection(state: RunState, choices: Choices, doing: Doing): HTMLElement[] {
  if (state.trials.length === 0) return [];
  const section = element('section', 'card');
  const choose = (trial: string): void => doing.choose({focus: trial === choices.focus ? null : trial});
  section.append(
    element('h2', '', 'Trials'),
    element(
      'p',
      'caption',
      '· waiting ▸ running ✓ finished ✗ diverged ! failed ■ stopped. Press one to follow its curve.',
    ),
    trialsGrid(state.trials, choices.focus, choose),
  );
  return [section];
}

function comparisonSection(comparison: Comparison, theme: Theme, plots: Plot[]): HTMLElement {
  const section = element('section', 'card');
  const words = element('div', 'verdict');
  const sentences = verdict(comparison);
  words.append(...sentences.map(sentence => element('p', '', sentence.replaceAll(' %', '\u00a0%'))));
  const plot = canvasBox('plot', `${title(comparison)} over the learning rate. ${sentences.join(' ')}`);
  plots.push({key: title(comparison), canvas: plot.canvas, configuration: rateChart(comparison, theme)});
  const caption = element('p', 'caption', captionOf(comparison));
  section.append(
    element('h2', '', title(comparison)),
    words,
    plot.box,
    caption,
    tableOf(peakColumns, peakRows(comparison), theme),
  );
  return section;
}

function captionOf({curves}: Comparison): string {
  const points = curves.flatMap(curve => curve.points);
  return [
    'Lines: mean over seeds. Large markers: best rate.',
    points.some(point => point.std !== null) ? 'Bands: ± one standard deviation over seeds.' : '',
    points.some(point => point.diverged > 0) ? '×: a seed diverged.' : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** One section a (rank, batch size), one small chart a method. */
function lossSections(state: RunState, theme: Theme, choices: Choices, doing: Doing, plots: Plot[]): HTMLElement[] {
  const {curve, logSteps} = choices;
  const withSteps = state.trials.filter(view => view.losses.steps.length > 0);
  const groups = Map.groupBy(withSteps, ({trial}) => `rank ${trial.rank}, batch size ${trial.batchSize}`);
  const what = curve === 'losses' ? 'Training loss' : 'Gradient norm';
  return [...groups].map(([name, views]) => {
    const section = element('section', 'card');
    const scale = lossScale(views, curve);
    const grid = element('div', 'grid');
    for (const [method, own] of Map.groupBy(views, view => view.trial.method)) {
      const figure = element('figure', '');
      const plot = canvasBox('plot small', `${what} of ${method} over the steps, a line a trial`);
      const key = `${what}, ${name}, ${method}, ${logSteps ? 'log' : 'linear'}`;
      plots.push({key, canvas: plot.canvas, configuration: lossChart(own, scale, choices, theme)});
      figure.append(element('figcaption', '', method), plot.box);
      grid.append(figure);
    }
    const bar = element('div', 'bar');
    const toggle = (text: string, pressed: boolean, change: Partial<Choices>): void => {
      const button = element('button', '', text);
      button.id = `${name}, ${text}`;
      button.setAttribute('aria-pressed', String(pressed));
      button.addEventListener('click', () => doing.choose(change));
      bar.append(button);
    };
    const isNorm = curve === 'gradNorms';
    if (state.trials.some(view => view.gradNorms.steps.length > 0)) {
      toggle('Gradient norm', isNorm, {curve: isNorm ? 'losses' : 'gradNorms'});
    }
    toggle('Log steps', logSteps, {logSteps: !logSteps});
    bar.append(smoothingSlider(name, choices.smoothing, smoothing => doing.choose({smoothing})));
    section.append(element('h2', '', `${what}, ${name}`), rateLegend(scale, theme), bar, grid);
    return section;
  });
}

function smoothingSlider(group: string, smoothing: number, choose: (smoothing: number) => void): HTMLElement {
  const label = element('label', 'smoothing', `Smoothing ${smoothing.toFixed(2)} `);
  const slider = element('input', '');
  slider.type = 'range';
  slider.id = `${group}, smoothing`;
  slider.min = '0';
  slider.max = '0.99';
  slider.step = '0.01';
  slider.value = String(smoothing);
  slider.addEventListener('change', () => choose(Number(slider.value)));
  label.append(slider);
  return label;
}

function rateLegend({lowestRate, highestRate}: {lowestRate: number; highestRate: number}, theme: Theme): HTMLElement {
  const legend = element('p', 'rates');
  const ramp = element('span', 'ramp');
  const stops = [0, 0.25, 0.5, 0.75, 1].map(position => rateColour(theme, position));
  ramp.style.backgroundImage = `linear-gradient(to right, ${stops.join(', ')})`;
  legend.append('learning rate ', formatRate(lowestRate), ramp, formatRate(highestRate));
  return legend;
}
