/** `show`: what a run folder holds, as rows for people and programs. */
import {relativeToLora} from '../core/run/curvature.ts';
import type {RunEvent} from '../core/run/events.ts';
import type {RunState} from '../core/run/fold.ts';
import type {Trial} from '../core/sweep/sweep.ts';
import {textTable} from '../core/table.ts';
import {readRun, remarks} from './store/run.ts';

export const rowKinds = ['steps', 'trials', 'evaluations', 'curvature'] as const;
export type RowKind = (typeof rowKinds)[number];
export const formats = ['table', 'csv', 'json'] as const;
export type Format = (typeof formats)[number];

type Cell = string | number | null;
interface Rows {
  columns: string[];
  rows: Iterable<Cell[]>;
}

const trialColumns = ['trial', 'method', 'rank', 'batch_size', 'learning_rate', 'seed'];

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
  return {lines: formatted(rowsOf(run.state, kind, traces), format), remarks: remarks(run.reading)};
}

function rowsOf(state: RunState, kind: RowKind, traces: Traces): Rows {
  switch (kind) {
    case 'steps':
      return {columns: [...trialColumns, 'step', 'loss', 'lr', 'grad_norm'], rows: stepRows(state, traces)};
    case 'trials':
      return {
        columns: [...trialColumns, 'state', 'steps', 'seconds', 'alpha', 'loss', 'message'],
        rows: state.trials.map(view => [
          ...trialCells(view.trial),
          view.state,
          view.steps,
          view.seconds,
          view.trial.alpha,
          view.loss,
          view.message,
        ]),
      };
    case 'evaluations':
      return {
        columns: [...trialColumns, 'step', 'task', 'metric', 'value', 'correct', 'total'],
        rows: state.trials.flatMap(({trial, evaluations}) =>
          evaluations.map(({step, task, metric, value, correct, total}) => [
            ...trialCells(trial),
            ...[step, task, metric, value, correct, total],
          ]),
        ),
      };
    case 'curvature':
      return {columns: curvatureColumns, rows: curvatureRows(state)};
  }
}

function trialCells({id, method, rank, batchSize, learningRate, seed}: Trial): Cell[] {
  return [id, method, rank, batchSize, learningRate, seed];
}

function* stepRows(state: RunState, traces: Traces): Iterable<Cell[]> {
  for (const {trial} of state.trials) {
    const cells = trialCells(trial);
    for (const row of traces.of(trial.id)) yield [...cells, ...row];
  }
}

/** Every step of the last start of each trial, after those up to the checkpoint it went on from. */
class Traces {
  private readonly byTrial = new Map<string, [number, number | null, number, number | null][]>();

  add(event: RunEvent): void {
    if (event.event === 'trial-started') {
      const kept = this.of(event.trial).filter(([step]) => step <= (event.from ?? 0));
      this.byTrial.set(event.trial, kept);
    }
    if (event.event !== 'step') return;
    event.trials.forEach((id, lane) => {
      const row = [event.step, event.losses[lane]!, event.rates[lane]!, event.gradNorms[lane]!] as const;
      this.byTrial.get(id)?.push([...row]);
    });
  }

  of(trial: string): [number, number | null, number, number | null][] {
    return this.byTrial.get(trial) ?? [];
  }
}

const curvatureColumns = [
  ...['method', 'rank', 'batch_size', 'seed', 'step', 'layer', 'module'],
  ...['lambda_max', 'lambda_min', 'iterations', 'residual', 'relative_to_lora'],
  ...['trial', 'learning_rate', 'preconditioned'],
];

function curvatureRows({curvature}: RunState): Cell[][] {
  const relative = relativeToLora(curvature);
  return curvature.map((row, k) => [
    ...[row.method, row.rank, row.batchSize, row.seed, row.step, row.layer, row.module],
    ...[row.lambdaMax, row.lambdaMin, row.iterations, row.residual, relative[k] ?? null],
    ...[row.trial ?? null, row.learningRate ?? null, row.preconditioned ?? null],
  ]);
}

function formatted({columns, rows}: Rows, format: Format): Iterable<string> {
  switch (format) {
    case 'csv':
      return csvLines(columns, rows);
    case 'json':
      return jsonLines(columns, rows);
    case 'table':
      return tableLines(columns, [...rows]);
  }
}

/** RFC 4180 but for the line end; numbers with all their digits. */
function* csvLines(columns: string[], rows: Iterable<Cell[]>): Iterable<string> {
  yield columns.join(',');
  for (const row of rows) yield row.map(csvCell).join(',');
}

function csvCell(cell: Cell): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
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

function shortCell(cell: Cell): string {
  return typeof cell === 'number' ? String(Number(cell.toPrecision(5))) : (cell ?? '');
}
