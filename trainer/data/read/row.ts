/** One row of a data file. */
import {SweepError} from '../../../core/error.ts';
import {WrittenNumber} from '../../files/written-json.ts';

export interface Row {
  values: Record<string, unknown>;
  file: string;
  /** Where it begins, from 1: the line of a text file, the row of a Parquet file. */
  line: number;
}

function isParquet({file}: Pick<Row, 'file'>): boolean {
  return file.toLowerCase().endsWith('.parquet');
}

/** A sentence about one row, with its place in front. */
export function rowError(
  code: 'bad-data' | 'missing-column',
  {file, line}: Omit<Row, 'values'>,
  what: string,
): SweepError {
  const place = isParquet({file}) ? `${file}, row ${line}:` : `${file}:${line}:`;
  return new SweepError(code, `${place} ${what}`, {file, line});
}

/** The text in a column; numbers and booleans as the file writes them, or as pandas prints those of Parquet. */
export function textIn(row: Row, column: string): string {
  const value = columnIn(row, column);
  if (typeof value === 'string') return value;
  // As pandas prints them.
  if (typeof value === 'boolean' && isParquet(row)) return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'boolean' || value instanceof WrittenNumber) return String(value);
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  throw rowError('bad-data', row, `column ${JSON.stringify(column)} holds ${kind} where text belongs.`);
}

export function columnIn(row: Row, column: string): unknown {
  if (Object.hasOwn(row.values, column)) return row.values[column];
  const has = Object.keys(row.values)
    .slice(0, 20)
    .map(name => name.slice(0, 40));
  const sentence = `there is no column ${JSON.stringify(column)}; the row has ${has.length > 0 ? has.join(', ') : 'none'}; name yours under \`columns\`, of the data or of the evaluation.`;
  throw rowError('missing-column', row, sentence);
}
