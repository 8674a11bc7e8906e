/** The numbers behind a chart, for those who cannot see it and for spreadsheets. */
import {element, type Plot, scroller} from './elements.ts';

/** Rows of a line that a table shows; a longer line is thinned evenly, its last point kept. */
const shownRows = 40;

/** Where copies go. */
export interface Copying {
  text(text: string): void;
  picture(plot: Plot): void;
  /** Saves what `figure` draws as a file for a paper. */
  save(figure: Plot['figure'], kind: PictureKind): void;
}

export type PictureKind = 'svg' | 'png';

type Data = NonNullable<Plot['table']>;

/** The points of all named lines of a chart, or the cells of a heat map; `most` rows a line. */
function dataBehind({configuration, table}: Plot, most: number): Data {
  if (table) return {...table, rows: table.rows.slice(0, most)};
  switch (configuration.type) {
    case 'line':
      return {
        columns: ['series', 'x', 'y'],
        rows: configuration.data.datasets.flatMap(({label = '', data}) =>
          label === ''
            ? []
            : thinned(data, most).flatMap(({x, y, mark}) =>
                y === null ? [] : [[label, String(x), mark ?? String(y)]],
              ),
        ),
      };
    case 'lineWithErrorBars':
      return {
        columns: ['series', 'x', 'mean', 'low', 'high'],
        rows: configuration.data.datasets.flatMap(({label = '', data}) =>
          thinned(data, most).map(({at, y, yMin, yMax, mark}) => [
            label,
            String(at),
            ...(mark === undefined ? [y, yMin, yMax].map(String) : [mark, '', '']),
          ]),
        ),
      };
    case 'matrix':
      return {
        columns: ['series', 'learning rate', 'row', 'mean'],
        rows: configuration.data.datasets.flatMap(({label = '', data}) =>
          data.map(({learningRate, value, mean}) => [label, ...[learningRate, value, mean].map(String)]),
        ),
      };
  }
}

function thinned<T>(points: readonly T[], most: number): T[] {
  const every = Math.max(1, Math.ceil(points.length / most));
  return points.filter((_, k) => (points.length - 1 - k) % every === 0);
}

export function csvOf(plot: Plot): string {
  const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const {columns, rows} = dataBehind(plot, Number.POSITIVE_INFINITY);
  return `${[columns, ...rows].map(row => row.map(quoted).join(',')).join('\n')}\n`;
}

/** Buttons that save a figure for a paper; `name` tells them from others of the page. */
export function saveButtons(figure: Plot['figure'], name: string, {save}: Copying): HTMLElement {
  const bar = element('div', 'saving');
  for (const kind of ['svg', 'png'] as const) {
    const button = element('button', '', kind.toUpperCase());
    button.id = `${kind} of ${name}`;
    button.title = `Save as a figure for a paper (${kind.toUpperCase()})`;
    button.setAttribute('aria-label', `Save ${name} as ${kind.toUpperCase()}`);
    button.addEventListener('click', () => save(figure, kind));
    bar.append(button);
  }
  return bar;
}

/** What stands below a chart: its data, built when it is opened, and copies of it. */
export function dataOf(plot: Plot, isOpen: boolean, toggled: (open: boolean) => void, copying: Copying): HTMLElement {
  const below = element('div', 'below');
  const details = element('details', '');
  const summary = element('summary', '', 'Data');
  summary.id = `data ${plot.key}`;
  details.append(summary);
  const fill = (): void => {
    const button = element('button', '', 'Copy as CSV');
    button.addEventListener('click', () => copying.text(csvOf(plot)));
    const picture = element('button', '', 'Copy as PNG');
    picture.addEventListener('click', () => copying.picture(plot));
    const bar = element('div', 'bar');
    bar.append(button, picture);
    const table = element('table', '');
    const head = table.createTHead().insertRow();
    const {columns, rows} = dataBehind(plot, shownRows);
    for (const title of columns) {
      const cell = element('th', '', title);
      cell.scope = 'col';
      head.append(cell);
    }
    const body = table.createTBody();
    for (const cells of rows) {
      const row = body.insertRow();
      row.append(...cells.map(cell => element('td', '', cell)));
    }
    details.append(bar, scroller(table, `Data, ${plot.key}`));
  };
  if (isOpen) {
    details.open = true;
    fill();
  }
  details.addEventListener('toggle', () => {
    if (details.open === isOpen) return;
    toggled(details.open);
  });
  below.append(details, saveButtons(plot.figure, plot.key, copying));
  return below;
}
