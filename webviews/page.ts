/** A folded run as the elements of a page. */
import type {RunState, TrialView} from '../core/run/fold.ts';
import {formatRate, formatSeconds} from '../core/run/format.ts';
import {peakColumns, peakRows} from '../core/run/peak-table.ts';
import {type Comparison, compare, title, verdict} from '../core/run/verdict.ts';
import {curvatureSections} from './curvature-section.ts';
import {canvasBox, element, type Plot, tableOf} from './elements.ts';
import {lossChart, lossScale} from './loss-chart.ts';
import {rateChart} from './rate-chart.ts';
import {rateColour, type Theme} from './theme.ts';

/** Draws a chart on a canvas; called once the canvas is part of the page. */
export type Draw = (canvas: HTMLCanvasElement, configuration: Plot['configuration']) => void;
/** Fills `root` with the run. */
export function showPage(root: HTMLElement, state: RunState, theme: Theme, draw: Draw): void {
  const plots: Plot[] = [];
  const comparisons = compare(state);
  root.replaceChildren(
    header(state),
    ...comparisons.map(comparison => comparisonSection(comparison, theme, plots)),
    ...(comparisons.length === 0 ? [element('p', 'empty', 'No trial has finished yet.')] : []),
    ...curvatureSections(state, theme, plots),
    ...lossSections(state, theme, plots),
  );
  for (const {canvas, configuration} of plots) draw(canvas, configuration);
}

function header(state: RunState): HTMLElement {
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
  return top;
}

function comparisonSection(comparison: Comparison, theme: Theme, plots: Plot[]): HTMLElement {
  const section = element('section', 'card');
  const words = element('div', 'verdict');
  const sentences = verdict(comparison);
  words.append(...sentences.map(sentence => element('p', '', sentence.replaceAll(' %', '\u00a0%'))));
  const plot = canvasBox('plot', `${title(comparison)} over the learning rate. ${sentences.join(' ')}`);
  plots.push({canvas: plot.canvas, configuration: rateChart(comparison, theme)});
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
function lossSections(state: RunState, theme: Theme, plots: Plot[]): HTMLElement[] {
  const withSteps = state.trials.filter(view => view.losses.steps.length > 0);
  const groups = grouped(withSteps, ({trial}) => `rank ${trial.rank}, batch size ${trial.batchSize}`);
  return [...groups].map(([name, views]) => {
    const section = element('section', 'card');
    const scale = lossScale(views);
    const grid = element('div', 'grid');
    for (const [method, own] of grouped(views, view => view.trial.method)) {
      const figure = element('figure', '');
      const plot = canvasBox('plot small', `Training loss of ${method} over the steps, a line a trial`);
      plots.push({canvas: plot.canvas, configuration: lossChart(own, scale, theme)});
      figure.append(element('figcaption', '', method), plot.box);
      grid.append(figure);
    }
    section.append(element('h2', '', `Training loss, ${name}`), rateLegend(scale, theme), grid);
    return section;
  });
}

function rateLegend({lowestRate, highestRate}: {lowestRate: number; highestRate: number}, theme: Theme): HTMLElement {
  const legend = element('p', 'rates');
  const ramp = element('span', 'ramp');
  const stops = [0, 0.25, 0.5, 0.75, 1].map(position => rateColour(theme, position));
  ramp.style.backgroundImage = `linear-gradient(to right, ${stops.join(', ')})`;
  legend.append('learning rate ', formatRate(lowestRate), ramp, formatRate(highestRate));
  return legend;
}

function grouped(views: TrialView[], name: (view: TrialView) => string): Map<string, TrialView[]> {
  const groups = new Map<string, TrialView[]>();
  for (const view of views) groups.set(name(view), [...(groups.get(name(view)) ?? []), view]);
  return groups;
}
