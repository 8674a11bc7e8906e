/** What matters: how much of a metric's variance each thing explains, and every setting as a line over all that varies. */

import {type Parallel, parallelCaption, parallelOf} from '../../core/figure/charts/parallel.ts';
import {importanceFigureOf, parallelFigureOf} from '../../core/figure/each.ts';
import {
  type Importance,
  importanceCaption,
  importanceColumns,
  importanceOf,
  importanceTitle,
  shareRows,
} from '../../core/run/compare/importance.ts';
import {type SettingsTable, settingsTables} from '../../core/run/compare/settings-table.ts';
import type {RunState} from '../../core/run/fold.ts';
import {canvasBox, element, type Plot, scroller} from '../elements.ts';
import type {Theme} from '../theme/palette.ts';
import {parallelChart} from './parallel-chart.ts';

/** What the section needs of the page. */
interface Around {
  theme: Theme;
  plots: Plot[];
  /** Opens trials. */
  press(trials: string[]): void;
  /** Buttons that save a figure which is no chart of the page. */
  saving(figure: Plot['figure'], name: string): HTMLElement;
}

/** One a measure of which there is something to say: over two things at least. */
export function settingsSections(state: RunState, around: Around): HTMLElement[] {
  return settingsTables(state).flatMap(table => {
    const importance = importanceOf(table);
    const parallel = parallelOf(table);
    if (importance === null && parallel === null) return [];
    const section = element('section', 'card');
    section.append(
      element('h2', '', importanceTitle(table)),
      ...(importance === null ? [element('p', 'caption', noImportance)] : shares(importance, around)),
      ...(parallel === null ? [] : lines(parallel, table, around)),
    );
    return [section];
  });
}

const noImportance =
  'How much each thing explains is not said: half of all settings or more would have to be left out for every combination of the rest to have a value.';

function shares(importance: Importance, {saving}: Around): HTMLElement[] {
  const table = element('table', 'shares');
  const head = table.createTHead().insertRow();
  for (const {title, align} of importanceColumns) {
    const cell = element('th', align, title);
    cell.scope = 'col';
    head.append(cell);
  }
  const graph = element('th', '', 'share of the variance');
  graph.scope = 'col';
  head.append(graph);
  const body = table.createTBody();
  for (const {cells, alone, total} of shareRows(importance)) {
    const row = body.insertRow();
    row.append(...cells.map((cell, k) => element('td', importanceColumns[k]!.align, cell)));
    const bar = element('td', 'bars');
    bar.append(strip('total', total), strip('alone', alone));
    row.append(bar);
  }
  return [
    scroller(table, importanceTitle(importance)),
    element('p', 'caption', importanceCaption(importance)),
    saving(drawing => importanceFigureOf(importance, drawing), importanceTitle(importance)),
  ];
}

/** Beside numbers that say the same. */
function strip(part: 'alone' | 'total', share: number): HTMLElement {
  const made = element('div', part);
  made.style.width = `${(100 * share).toFixed(2)}%`;
  made.setAttribute('aria-hidden', 'true');
  return made;
}

function lines(parallel: Parallel, {factors, rows, ...table}: SettingsTable, around: Around): HTMLElement[] {
  const {theme, plots, press} = around;
  const caption = parallelCaption(parallel);
  const plot = canvasBox('plot', `${importanceTitle(table)}. ${caption}`);
  plots.push({
    key: `${importanceTitle(table)}, parallel coordinates`,
    canvas: plot.canvas,
    configuration: parallelChart(parallel, factors, theme, ({trials}) => press(trials)),
    figure: drawing => parallelFigureOf(parallel, drawing),
    table: {
      columns: [...factors.map(({title}) => title), 'mean', 'std', 'seeds'],
      rows: rows.map(({places, mean, std, seeds}) => [
        ...places.map((place, k) => factors[k]!.levels[place]!),
        ...[String(mean), std === null ? '' : String(std), String(seeds)],
      ]),
    },
  });
  return [
    element('h3', '', 'Every setting'),
    plot.box,
    element('p', 'caption', `${caption} Press a line to open its trials.`),
  ];
}
