/** Rows as a Parquet file. */
import {fileWriter, ParquetWriter, schemaFromColumnData} from 'hyparquet-writer';
import {SweepError} from '../../../core/error.ts';
import type {Cell, Rows} from '../rows.ts';
import type {ColumnType} from './columns.ts';

/** Rows of a group: as many are held in memory. */
const groupRows = 65_536;

/**
 * Writes the rows with these types, compressed by Snappy; what is absent is null. A name that stands twice is written once.
 * @returns how many rows
 * @throws SweepError `bad-data` where a whole number is none; errors of the file system as they are
 */
export async function writeParquet(file: string, {columns, rows}: Rows, types: readonly ColumnType[]): Promise<number> {
  const kept = columns.flatMap((name, place) => {
    const type = types[place];
    return type === undefined || columns.indexOf(name) !== place ? [] : [{name, place, type}];
  });
  const schema = schemaFromColumnData({columnData: kept.map(({name, type}) => ({name, type, data: []}))});
  const writer = new ParquetWriter({writer: fileWriter(file), schema, createdBy: 'lora-sweep'});
  let group: Cell[][] = [];
  let count = 0;
  const write = async (): Promise<void> => {
    const columnData = kept.map(({name, place, type}) => ({
      name,
      data: group.map(row => typedCell(row[place] ?? null, type, name)),
    }));
    await writer.write({columnData, rowGroupSize: groupRows});
    count += group.length;
    group = [];
  };
  for (const row of rows) if (group.push(row) === groupRows) await write();
  if (group.length > 0) await write();
  await writer.finish();
  return count;
}

function typedCell(cell: Cell, type: ColumnType, name: string): string | number | bigint | null {
  if (cell === null) return null;
  if (type === 'STRING') return String(cell);
  if (type === 'DOUBLE') return Number(cell);
  if (Number.isSafeInteger(cell)) return BigInt(cell);
  throw new SweepError(
    'bad-data',
    `The run has ${name} ${cell}, which is no whole number, as Parquet is to have it; export it to csv.`,
    {column: name},
  );
}
