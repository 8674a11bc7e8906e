/** `show`: what a run folder holds, as rows for people and programs. */
import {textTable} from '../../core/table.ts';
import {readRun} from '../store/run.ts';
import {csvLines} from './csv.ts';
import {type Cell, type RowKind, type Rows, rowsOf} from './rows.ts';
import {Traces} from './traces.ts';

export const formats = ['table', 'csv', 'json'] as const;
export type Format = (typeof formats)[number];

/**
 * The lines to print (without newlines) and remarks for the reader. Works on a folder whose run goes on.
 * @throws SweepError `no-run`
 */
export async function showRun(
  folder: string,
  kind: RowKind,
  format: Format,
): Promise<{lines: Iterable<string>; remarks: string[]}> {
  const traces = new Traces();
  const run = await readRun(folder, kind === 'steps' ? event => traces.add(event) : undefined);
  return {lines: formatted(rowsOf(run.state, kind, traces, folder), format), remarks: run.remarks};
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
