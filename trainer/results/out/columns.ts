/** The types of the columns of a run's tables, for files that have types. */
import type {RunState} from '../../../core/run/fold.ts';
import {type Cell, type Rows, settingsOf} from '../rows.ts';

/** Whole numbers of 64 bits, floating-point numbers of 64 bits, text; each of them may be absent. */
export type ColumnType = 'INT64' | 'DOUBLE' | 'STRING';

const typed: Readonly<Record<ColumnType, readonly string[]>> = {
  INT64: [
    ...['rank', 'batch_size', 'seed', 'order_seed', 'step', 'steps', 'correct', 'total', 'layer', 'iterations'],
    ...['seeds', 'more_seeds', 'evaluation', 'row', 'sample'],
  ],
  DOUBLE: [
    ...['learning_rate', 'loss', 'lr', 'grad_norm', 'seconds', 'value', 'perplexity', 'mean', 'std', 'gap'],
    ...['gap_half_width', 'place_from', 'place_to', 'lambda_max', 'lambda_min', 'residual', 'relative_to_lora'],
    'preconditioned',
  ],
  STRING: [
    ...[
      'trial',
      'run',
      'method',
      'variant',
      'model',
      'state',
      'message',
      'remark',
      'task',
      'metric',
      'module',
      'baseline',
    ],
    ...['verdict', 'under_way', 'edge', 'tied', 'extracted', 'expected', 'reason', 'output', 'file'],
  ],
};
const byName = new Map(
  Object.entries(typed).flatMap(([type, names]) => names.map(name => [name, type as ColumnType] as const)),
);

/**
 * A type for each column. Those of a sweep's own axes have no fixed one: they are numbers where every value of the run is one.
 * `rows`: read for these columns, where they do not stand there as the trials have them.
 */
export function columnTypes({columns}: Pick<Rows, 'columns'>, state: RunState, rows?: readonly Cell[][]): ColumnType[] {
  const settings = settingsOf(state);
  const numbers = new Map<string, boolean>();
  const see = (column: string, cell: Cell): void => {
    if (cell !== null) numbers.set(column, (numbers.get(column) ?? true) && isNumber(cell));
  };
  if (rows) for (const row of rows) columns.forEach((column, k) => void see(column, row[k] ?? null));
  else for (const {trial} of state.trials) for (const [column, value] of settings(trial)) see(column, value);
  return columns.map(column => byName.get(column) ?? (numbers.get(column) ? 'DOUBLE' : 'STRING'));
}

function isNumber(cell: string | number): boolean {
  return typeof cell === 'number' || (cell.trim() !== '' && Number.isFinite(Number(cell)));
}
