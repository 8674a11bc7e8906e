/** The curvature of a run: λmax relative to LoRA's by layer and projection, medians, best rates beside it. */

import {besideRatesOf, blocksOf, layersOf, overConditionsOf, trainingOf} from '../core/figure/each.ts';
import {methodTitle} from '../core/method/title.ts';
import {
  blockRows,
  type CurvatureTable,
  correlationSentence,
  curvatureColumns,
  curvatureTables,
  curvatureTitle,
  methodsOf,
  ratesAndCurvature,
  whereInWords,
} from '../core/run/compare/curvature.ts';
import {curvatureAlong, curvatureOverConditions} from '../core/run/compare/curvature-along.ts';
import type {RunState} from '../core/run/fold.ts';
import {formatRate} from '../core/run/format.ts';
import {alongChart, conditionsChart, layerChart, rateAgainstCurvature, stripChart} from './curvature-chart.ts';
import {canvasBox, element, type Plot, tableOf} from './elements.ts';
import type {Theme} from './theme/palette.ts';

/** One section a condition that was probed, one for the trainings, one for all conditions, and one for the best rates. */
export function curvatureSections(state: RunState, theme: Theme, plots: Plot[]): HTMLElement[] {
  if (state.curvature.length === 0) return [];
  const methods = methodsOf(state);
  const sections = curvatureTables(state).map(table => tableSection(state, table, methods, theme, plots));
  sections.push(...alongSections(state, theme, plots), ...conditionSections(state, theme, plots));
  for (const group of ratesAndCurvature(state)) {
    if (group.points.length < 2) continue;
    const section = element('section', 'card');
    const sentence = correlationSentence(group);
    const plot = canvasBox('plot', `Best learning rate over the median λmax. ${sentence}`);
    plots.push({
      key: `rate against curvature, ${group.task}`,
      canvas: plot.canvas,
      configuration: rateAgainstCurvature(group, methods, theme),
      figure: drawing => besideRatesOf(group, drawing),
    });
    const words = element('div', 'verdict');
    words.append(element('p', '', sentence));
    section.append(element('h2', '', `Best rate and curvature, ${group.task}`), words, plot.box);
    sections.push(section);
  }
  return sections;
}

/** λmax from the start of a training to its end. */
function alongSections(state: RunState, theme: Theme, plots: Plot[]): HTMLElement[] {
  const groups = curvatureAlong(state);
  if (groups.length === 0) return [];
  const section = element('section', 'card');
  const grid = element('div', 'grid');
  for (const group of groups) {
    const where = whereInWords(group);
    const rates = group.lines.map(({method, learningRate}) => `${methodTitle(method)} ${formatRate(learningRate)}`);
    const figure = figureOf(`Curvature along training, ${where}`, where, 'plot small', plots, {
      configuration: alongChart(group, theme),
      figure: drawing => trainingOf(group, drawing),
    });
    figure.append(element('p', 'caption', `Rates: ${rates.join(', ')}.`));
    grid.append(figure);
  }
  const caption =
    'Median of the largest Hessian eigenvalue over all probed blocks and seeds, at each trial’s own parameters: every method at its best rate where that is known, else at the middle one of its probed rates.';
  section.append(element('h2', '', 'Curvature along training'), grid, element('p', 'caption', caption));
  return [section];
}

/** λmax under one condition beside the next: names of conditions are long, so each chart has the whole width. */
function conditionSections(state: RunState, theme: Theme, plots: Plot[]): HTMLElement[] {
  const found = curvatureOverConditions(state);
  if (found.length === 0) return [];
  const section = element('section', 'card');
  section.append(element('h2', '', 'Curvature by condition'));
  for (const one of found) {
    const key = `Curvature by condition, ${one.when}`;
    section.append(
      figureOf(key, one.when, 'plot', plots, {
        configuration: conditionsChart(one, theme),
        figure: drawing => overConditionsOf(one, drawing),
      }),
    );
  }
  const caption = 'Median of the largest Hessian eigenvalue over all probed blocks and seeds, a place a condition.';
  section.append(element('p', 'caption', caption));
  return [section];
}

function figureOf(
  key: string,
  title: string,
  size: 'plot' | 'plot small',
  plots: Plot[],
  drawn: Pick<Plot, 'configuration' | 'figure'>,
): HTMLElement {
  const plot = canvasBox(size, `${key}: median λmax, a line a method`);
  plots.push({key, canvas: plot.canvas, ...drawn});
  const figure = element('figure', '');
  figure.append(element('figcaption', '', title), plot.box);
  return figure;
}

function tableSection(
  state: RunState,
  table: CurvatureTable,
  methods: readonly string[],
  theme: Theme,
  plots: Plot[],
): HTMLElement {
  const section = element('section', 'card');
  const grid = element('div', 'grid');
  const rows = blockRows(state, table);
  for (const module of new Set(rows.map(row => row.module))) {
    const figure = element('figure', '');
    const own = rows.filter(row => row.module === module);
    const plot = canvasBox('plot small', `λmax of ${module} relative to LoRA's over the layers, a line a method`);
    plots.push({
      key: `${curvatureTitle(table)}, ${module}`,
      canvas: plot.canvas,
      configuration: layerChart(own, methods, theme),
      figure: drawing => layersOf(own, table, drawing),
    });
    figure.append(element('figcaption', '', module), plot.box);
    grid.append(figure);
  }
  const strip = canvasBox('plot small', `λmax of all blocks relative to LoRA's, a column of points a method`);
  const stripKey = `${curvatureTitle(table)}, all blocks`;
  plots.push({
    key: stripKey,
    canvas: strip.canvas,
    configuration: stripChart(rows, methods, theme),
    figure: drawing => blocksOf(rows, table, drawing),
  });
  const all = element('figure', '');
  all.append(element('figcaption', '', 'all blocks'), strip.box);
  grid.append(all);
  const caption = element(
    'p',
    'caption',
    "Largest Hessian eigenvalue of each block {A, B} relative to LoRA's at the same place, over the layers; mean over seeds. The predicted rate is a rule of thumb: LoRA's best rate divided by the relative λmax.",
  );
  section.append(
    element('h2', '', curvatureTitle(table)),
    grid,
    caption,
    tableOf(
      curvatureColumns,
      table.rows,
      theme,
      `Table, ${curvatureTitle(table)}`,
      table.rows.map(([method = '']) => method),
    ),
  );
  return section;
}
