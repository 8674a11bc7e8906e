/** The curvature of a run: λmax relative to LoRA's by layer and projection, medians, best rates beside it. */
import {
  blockRows,
  type CurvatureTable,
  correlationSentence,
  curvatureColumns,
  curvatureTables,
  curvatureTitle,
  fullWeight,
  ratesAndCurvature,
} from '../core/run/compare/curvature.ts';
import type {RunState} from '../core/run/fold.ts';
import {layerChart, rateAgainstCurvature, stripChart} from './curvature-chart.ts';
import {canvasBox, element, type Plot, tableOf} from './elements.ts';
import type {Theme} from './theme/palette.ts';

/** One section a (rank, batch size) that was probed, and one for the best rates. */
export function curvatureSections(state: RunState, theme: Theme, plots: Plot[]): HTMLElement[] {
  const methods = [...new Set(state.trials.map(({trial}) => trial.method))];
  const sections = curvatureTables(state).map(table => tableSection(state, table, methods, theme, plots));
  for (const group of ratesAndCurvature(state)) {
    if (group.points.length < 2) continue;
    const section = element('section', 'card');
    const sentence = correlationSentence(group);
    const plot = canvasBox('plot', `Best learning rate over the median λmax. ${sentence}`);
    plots.push({
      key: `rate against curvature, ${group.task}`,
      canvas: plot.canvas,
      configuration: rateAgainstCurvature(group, methods, theme),
    });
    const words = element('div', 'verdict');
    words.append(element('p', '', sentence));
    section.append(element('h2', '', `Best rate and curvature, ${group.task}`), words, plot.box);
    sections.push(section);
  }
  return sections;
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
  const rows = blockRows(state, table).filter(({method}) => method !== fullWeight);
  for (const module of new Set(rows.map(row => row.module))) {
    const figure = element('figure', '');
    const own = rows.filter(row => row.module === module);
    const plot = canvasBox('plot small', `λmax of ${module} relative to LoRA's over the layers, a line a method`);
    plots.push({
      key: `${curvatureTitle(table)}, ${module}`,
      canvas: plot.canvas,
      configuration: layerChart(own, methods, theme),
    });
    figure.append(element('figcaption', '', module), plot.box);
    grid.append(figure);
  }
  const strip = canvasBox('plot small', `λmax of all blocks relative to LoRA's, a column of points a method`);
  const stripKey = `${curvatureTitle(table)}, all blocks`;
  plots.push({key: stripKey, canvas: strip.canvas, configuration: stripChart(rows, methods, theme)});
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
