/** A metric over learning rate and rank, or learning rate and batch size: the peaks as lines, all of it as heat maps. */
import {landscapeHeatOf, peaksOverOf} from '../core/figure/each.ts';
import {methodTitle} from '../core/method/title.ts';
import {type Landscape, landscapes, landscapeTitle} from '../core/run/compare/landscape.ts';
import type {Comparison} from '../core/run/verdict.ts';
import {canvasBox, element, type Plot} from './elements.ts';
import {heatMap, peakLines} from './landscape-chart.ts';
import type {Theme} from './theme/palette.ts';

export function landscapeSections(comparisons: readonly Comparison[], theme: Theme, plots: Plot[]): HTMLElement[] {
  return landscapes(comparisons).map(landscape => section(landscape, theme, plots));
}

function section(landscape: Landscape, theme: Theme, plots: Plot[]): HTMLElement {
  const made = element('section', 'card');
  const {over, metric, methods} = landscape;
  const title = landscapeTitle(landscape);
  const lines = canvasBox('plot', `Best ${metric} of each method over the ${over}, each at its best learning rate`);
  plots.push({
    key: `${title}, peaks`,
    canvas: lines.canvas,
    configuration: peakLines(landscape, theme),
    figure: drawing => peaksOverOf(landscape, drawing),
  });
  const grid = element('div', 'grid');
  for (const {method} of methods) {
    const figure = element('figure', '');
    const plot = canvasBox(
      'plot small',
      `${metric} of ${methodTitle(method)} over learning rate and ${over}, as colours`,
    );
    plots.push({
      key: `${title}, ${method}`,
      canvas: plot.canvas,
      configuration: heatMap(landscape, method, theme),
      figure: drawing => landscapeHeatOf(landscape, method, drawing),
    });
    figure.append(element('figcaption', '', methodTitle(method)), plot.box);
    grid.append(figure);
  }
  made.append(
    element('h2', '', title),
    element('p', 'caption', `Above: each method at its best rate; bars: ± one standard deviation over seeds.`),
    lines.box,
    element(
      'p',
      'caption',
      'Below: mean over seeds, the warmer the colour the better; a frame marks the best rate of each row.',
    ),
    grid,
  );
  return made;
}
