/** The numbers behind a chart, for those who cannot see it and for spreadsheets. */
import {element, type Plot} from './elements.ts';

/** Rows of a line that a table shows; a longer line is thinned evenly, its last point kept. */
const shownRows = 40;

/** Series, x and y of all named lines of a chart; `most` rows a line. */
function rowsOf({configuration}: Plot, most: number): string[][] {
  return configuration.data.datasets.flatMap(({label = '', data}) => {
    if (label === '') return [];
    const every = Math.ceil(data.length / most);
    const kept = data.filter((_, k) => (data.length - 1 - k) % every === 0);
    return kept.flatMap(({x, y}) => (y === null ? [] : [[label, String(x), String(y)]]));
  });
}

export function csvOf(plot: Plot): string {
  const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const rows = [['series', 'x', 'y'], ...rowsOf(plot, Number.POSITIVE_INFINITY)];
  return `${rows.map(row => row.map(quoted).join(',')).join('\n')}\n`;
}

/** What stands below a chart: its data, built when it is opened, and copies of it. */
export function dataOf(
  plot: Plot,
  isOpen: boolean,
  toggled: (open: boolean) => void,
  copy: (text: string) => void,
): HTMLElement {
  const details = element('details', '');
  const summary = element('summary', '', 'Data');
  summary.id = `data ${plot.key}`;
  details.append(summary);
  const fill = (): void => {
    const button = element('button', '', 'Copy as CSV');
    button.addEventListener('click', () => copy(csvOf(plot)));
    const table = element('table', '');
    const head = table.createTHead().insertRow();
    for (const title of ['series', 'x', 'y']) {
      const cell = element('th', '', title);
      cell.scope = 'col';
      head.append(cell);
    }
    const body = table.createTBody();
    for (const cells of rowsOf(plot, shownRows)) {
      const row = body.insertRow();
      row.append(...cells.map(cell => element('td', '', cell)));
    }
    const scroller = element('div', 'scroller');
    scroller.append(table);
    details.append(button, scroller);
  };
  if (isOpen) {
    details.open = true;
    fill();
  }
  details.addEventListener('toggle', () => {
    if (details.open === isOpen) return;
    toggled(details.open);
  });
  return details;
}
