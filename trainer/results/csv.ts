/** Rows as comma-separated values. */
import type {Cell, Rows} from './rows.ts';

/** RFC 4180 but for the line end; numbers with all their digits. */
export function* csvLines({columns, rows}: Pick<Rows, 'columns' | 'rows'>): Iterable<string> {
  yield columns.join(',');
  for (const row of rows) yield row.map(csvCell).join(',');
}

function csvCell(cell: Cell): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
