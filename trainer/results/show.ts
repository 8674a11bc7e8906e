/** `show`: what a run folder holds, as rows for people and programs. */
import {textTable} from '../../core/table.ts';
import {csvLines} from './csv.ts';
import {type Cell, type RowKind, type Rows, rowsOf} from './rows.ts';
import {readFolders} from './several.ts';

export const formats = ['table', 'csv', 'json'] as const;
export type Format = (typeof formats)[number];

/**
 * The lines to print (without newlines) and remarks for the reader. Works on folders whose runs go on; several are read as one.
 * @throws SweepError `no-run`
 */
export async function showRun(
  folders: string | readonly string[],
  kind: RowKind,
  format: Format,
): Promise<{lines: Iterable<string>; remarks: string[]}> {
  const {state, remarks, traces, sources} = await readFolders([folders].flat(), kind === 'steps');
  return {lines: formatted(rowsOf(state, kind, traces, sources), format), remarks};
}

function formatted(table: Rows, format: Format): Iterable<string> {
  const {columns, rows} = table;
  switch (format) {
    case 'csv':
      return csvLines(table);
    case 'json':
      return jsonLines(columns, rows);
    case 'table':
      return tableLines(columns, [...rows]);
  }
}

function* jsonLines(columns: string[], rows: Iterable<Cell[]>): Iterable<string> {
  let previous: string | undefined;
  yield '[';
  for (const row of rows) {
    if (previous !== undefined) yield `${previous},`;
    previous = `  ${JSON.stringify(Object.fromEntries(columns.map((column, k) => [column, row[k] ?? null])))}`;
  }
  if (previous !== undefined) yield previous;
  yield ']';
}

function tableLines(columns: string[], rows: Cell[][]): string[] {
  return textTable(
    columns.map((title, k) => ({title, align: rows.some(row => typeof row[k] === 'number') ? 'right' : 'left'})),
    rows.map(row => row.map(shortCell)),
  );
}

/** What a table shows of a text: csv and json have all of it. */
const longestCell = 160;

function shortCell(cell: Cell): string {
  if (typeof cell === 'number') return String(Number(cell.toPrecision(5)));
  const line = (cell ?? '').replace(/\r?\n/g, '⏎');
  return line.length > longestCell ? `${line.slice(0, longestCell)}…` : line;
}
