/** `export` of a whole run, for tools that know nothing of it: tables as CSV or Parquet, curves for TensorBoard. */
import {dirname, join, resolve} from 'node:path';
import type {RunState} from '../../../core/run/fold.ts';
import {ownFolder} from '../../files/own-folder.ts';
import {sweepTemporaries} from '../../files/temporary.ts';
import {writePieces} from '../../files/write-pieces.ts';
import {csvLines} from '../csv.ts';
import {type Rows, rowKinds, rowsOf} from '../rows.ts';
import {readFolders, type Source, togetherName} from '../several.ts';
import type {Traces} from '../traces.ts';
import {columnTypes} from './columns.ts';
import {writeParquet} from './parquet.ts';
import {writeTensorboard} from './tensorboard.ts';

export const runForms = ['csv', 'parquet', 'tensorboard'] as const;
export type RunForm = (typeof runForms)[number];

/** In the run folder, with a folder for each form: where an export goes unless it is said otherwise. */
const exportsName = 'export';

/**
 * Writes what the run has come to so far, or several runs as one, whole or not at all; what an earlier export wrote there is replaced.
 * @returns what was written, in a sentence, and remarks on the run's files
 * @throws SweepError `no-run`, `folder-in-use`, `bad-data`, and those of writing
 */
export async function exportRun(
  folders: string | readonly string[],
  to: RunForm,
  out?: string,
): Promise<{sentence: string; remarks: string[]}> {
  const paths = [folders].flat();
  const run = await readFolders(paths, true);
  const {state, traces, sources} = run;
  const remarks = [...run.remarks];
  const [folder] = paths as [string];
  const isOne = paths.length === 1;
  const usual = isOne ? join(folder, exportsName, to) : join(dirname(resolve(folder)), `${togetherName(paths)}-${to}`);
  // What a killed export left; elsewhere nothing is swept.
  sweepTemporaries(join(folder, exportsName));
  let what = '';
  const place = await ownFolder(out ?? usual, to, async target => {
    what =
      to === 'tensorboard'
        ? `${counted(writeTensorboard(target, state, traces), 'trial')} for TensorBoard`
        : `${await writeTables(target, to, {state, traces, sources})} as ${to}`;
  });
  if (to === 'tensorboard' && state.aggregates.length > 0)
    remarks.push(
      `${counted(state.aggregates.length, 'mean')} over seeds belong to no trial, so that TensorBoard is not told of them; csv and parquet have what they come to.`,
    );
  const soFar = run.live ? ', so far: the run is under way' : '';
  return {sentence: `Written to ${place}: ${what}${soFar}.`, remarks};
}

interface Tables {
  state: RunState;
  traces: Traces;
  sources: readonly Source[];
}

/** All tables, a file each; what they hold, in words. */
async function writeTables(target: string, to: 'csv' | 'parquet', {state, traces, sources}: Tables): Promise<string> {
  const words: string[] = [];
  for (const kind of rowKinds) {
    const table = rowsOf(state, kind, traces, sources);
    const file = join(target, `${kind}.${to}`);
    const rows = to === 'csv' ? writeCsv(file, table) : await writeTyped(file, table, state, kind === 'peaks');
    words.push(`${kind} (${rows})`);
  }
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** How many rows. */
function writeCsv(file: string, table: Rows): number {
  let lines = 0;
  const encoder = new TextEncoder();
  const pieces = function* (): Iterable<Uint8Array> {
    for (const line of csvLines(table)) {
      lines += 1;
      yield encoder.encode(`${line}\n`);
    }
  };
  writePieces(file, pieces());
  return lines - 1;
}

/** How many rows. `isOfSeveral`: a row is no trial's, so that its values of axes are read from the rows. */
function writeTyped(file: string, table: Rows, state: RunState, isOfSeveral: boolean): Promise<number> {
  const rows = isOfSeveral ? [...table.rows] : undefined;
  return writeParquet(file, {...table, ...(rows && {rows})}, columnTypes(table, state, rows));
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
