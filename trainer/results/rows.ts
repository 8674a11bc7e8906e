/** What a run folder holds, as rows: for `show`, and for files of other programs. */
import {axesIn} from '../../core/run/compare/conditions.ts';
import {placedRows, relativeToLora} from '../../core/run/compare/curvature.ts';
import {importancesOf} from '../../core/run/compare/importance.ts';
import {startText} from '../../core/run/compare/starts.ts';
import {parametersIn} from '../../core/run/costs.ts';
import type {Curvature, RunState, TrialView} from '../../core/run/fold.ts';
import {compare} from '../../core/run/verdict.ts';
import {settingOf} from '../../core/sweep/axes/axes.ts';
import {inAxisOrder} from '../../core/sweep/axes/keys.ts';
import {nameOf, type StoredTrial} from '../../core/sweep/sweep.ts';
import {projections} from '../model/projections.ts';
import {readSamples} from '../store/samples.ts';
import type {Source} from './several.ts';
import type {Traces} from './traces.ts';

export const rowKinds = ['peaks', 'steps', 'trials', 'evaluations', 'curvature', 'samples'] as const;
/** Importance is computed from the others: shown, but in no file for other programs. */
export type RowKind = (typeof rowKinds)[number] | 'importance';

export type Cell = string | number | null;
export interface Rows {
  columns: string[];
  rows: Iterable<Cell[]>;
}

/** Settings of a trial that stand in its row, by column; without those that it says nothing of. */
export function settingsOf(state: RunState): (trial: StoredTrial) => [string, string | number][] {
  const further = furtherOf(state, ['alpha']);
  const columns = [...trialColumns.slice(1), 'alpha', ...further.columns];
  return trial => {
    const cells = [...trialCells(trial).slice(1), trial.alpha, ...further.cells(trial)];
    return columns.flatMap((column, k): [string, string | number][] => {
      const cell = cells[k] ?? null;
      return cell === null ? [] : [[column, cell]];
    });
  };
}

const trialColumns = ['trial', 'method', 'rank', 'batch_size', 'learning_rate', 'seed'];

/** Columns behind all others: what trials have of axes of the sweep, where it has any. */
interface Further {
  columns: string[];
  cells(trial: StoredTrial): Cell[];
}

/** `without`: columns that stand there anyway. */
function furtherOf(state: RunState, without: readonly string[] = []): Further {
  const {conditions, tuned} = axesIn(state);
  const own = state.trials.flatMap(({trial: {settings = {}}}) => Object.keys(settings));
  const keys = inAxisOrder([...conditions, ...tuned, ...own]).filter(key => !without.includes(key));
  const some = (key: 'name' | 'model' | 'order'): boolean => state.trials.some(({trial}) => trial[key] !== undefined);
  const runs = new Map(state.trials.map(({trial, part}) => [trial.id, part?.run ?? null]));
  const all: [string, (trial: StoredTrial) => Cell][] = [
    ...(state.parts ? [['run', ({id}) => runs.get(id) ?? null] as [string, (trial: StoredTrial) => Cell]] : []),
    ...(some('name') ? [['variant', nameOf] as [string, (trial: StoredTrial) => Cell]] : []),
    ...(some('model')
      ? [['model', ({model}: StoredTrial) => model ?? null] as [string, (trial: StoredTrial) => Cell]]
      : []),
    ...keys.map((key): [string, (trial: StoredTrial) => Cell] => [key, trial => cellOf(trial, key, state)]),
    ...(some('order')
      ? [['order_seed', ({order}: StoredTrial) => order ?? null] as [string, (trial: StoredTrial) => Cell]]
      : []),
  ];
  return {columns: all.map(([column]) => column), cells: trial => all.map(([, cell]) => cell(trial))};
}

/** A number where the text is one. */
function cellOf(trial: StoredTrial, key: string, {fixed}: RunState): Cell {
  if (key === 'alpha') return trial.alpha;
  const text = settingOf(trial, key) ?? fixed[key];
  return text === undefined ? null : text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function trialRows(state: RunState): Rows {
  const further = furtherOf(state, ['alpha']);
  const parameters = parametersIn(state);
  const isCounted = state.trials.some(({trial}) => parameters(trial) !== null);
  return {
    columns: [
      ...[...trialColumns, 'state', 'steps', 'seconds', 'alpha', 'loss', 'message', 'remark'],
      ...further.columns,
      ...(isCounted ? ['parameters'] : []),
    ],
    rows: state.trials.map(view => [
      ...trialCells(view.trial),
      view.state,
      view.steps,
      view.seconds,
      view.trial.alpha,
      view.loss,
      view.message,
      remarkOf(view),
      ...further.cells(view.trial),
      ...(isCounted ? [parameters(view.trial)] : []),
    ]),
  };
}

/** `sources`: the folders that answers lie in. */
export function rowsOf(state: RunState, kind: RowKind, traces: Traces, sources: readonly Source[]): Rows {
  switch (kind) {
    case 'peaks':
      return peaksOf(state);
    case 'importance':
      return importanceTable(state);
    case 'steps': {
      const further = furtherOf(state);
      return {
        columns: [...trialColumns, 'step', 'loss', 'lr', 'grad_norm', ...further.columns],
        rows: stepRows(state, traces, further),
      };
    }
    case 'trials':
      return trialRows(state);
    case 'evaluations': {
      const further = furtherOf(state);
      return {
        columns: [
          ...[...trialColumns, 'step', 'task', 'metric', 'value', 'correct', 'total', 'perplexity', 'remark'],
          ...further.columns,
        ],
        rows: state.trials.flatMap(view =>
          view.evaluations.map(({step, task, metric, value, correct, total}) => [
            ...trialCells(view.trial),
            ...[step, task, metric, value, correct, total],
            metric === 'loss' && value !== null ? Math.exp(value) : null,
            remarkOf(view),
            ...further.cells(view.trial),
          ]),
        ),
      };
    }
    case 'samples':
      return {columns: sampleColumns, rows: sampleRows(sources)};
    case 'curvature':
      return curvatureTable({...state, curvature: inOrder(state)});
  }
}

function trialCells({id, method, rank, batchSize, learningRate, seed, own = []}: StoredTrial): Cell[] {
  const isUnknown = (key: string, value: number): boolean => value === 0 && own.includes(key);
  const cells = [isUnknown('rank', rank) ? null : rank, isUnknown('batch_size', batchSize) ? null : batchSize];
  return [id, method, ...cells, learningRate, seed];
}

function remarkOf({dropped, taken}: TrialView): string | null {
  const remarks = [
    ...(dropped ? ['no longer in the sweep file'] : []),
    ...(taken === undefined ? [] : [`taken from ${taken}`]),
  ];
  return remarks.length > 0 ? remarks.join('; ') : null;
}

function* stepRows(state: RunState, traces: Traces, further: Further): Iterable<Cell[]> {
  for (const {trial} of state.trials) {
    const cells = trialCells(trial);
    const behind = further.cells(trial);
    for (const {step, loss, rate, gradNorm} of traces.of(trial.id))
      yield [...cells, step, loss, rate, gradNorm, ...behind];
  }
}

const peakColumns = [
  ...['task', 'metric', 'rank', 'batch_size', 'method', 'learning_rate', 'mean', 'std', 'seeds'],
  ...['baseline', 'gap', 'gap_half_width', 'verdict', 'more_seeds', 'under_way'],
  ...['place_from', 'place_to', 'edge', 'tied', 'model'],
];

/** All digits of what the tables of report and page show; behind them the conditions and the best values of tuned axes. */
function peaksOf(state: RunState): Rows {
  const {conditions, tuned} = axesIn(state);
  const keys = [...conditions, ...tuned];
  return {columns: [...peakColumns, ...keys], rows: peakRows(state, keys)};
}

function peakRows(state: RunState, keys: readonly string[]): Cell[][] {
  return compare(state).flatMap(({model, task, metric, rank, batchSize, settings, curves, spread, isUnderWay}) =>
    curves.flatMap(({method, peak}) => {
      if (!peak) return [];
      const {learningRate, mean, std, seeds, edge, tied, place} = peak;
      const gap = spread?.gaps.find(one => one.method === method);
      return [
        [
          ...[task, metric, rank, batchSize, method, learningRate, mean, std, seeds],
          ...[spread?.baseline.method ?? null, gap?.difference ?? null, gap?.halfWidth ?? null],
          ...[gap?.word ?? null, gap?.more ?? null, isUnderWay ? 'so far' : null],
          ...[place[0] ?? null, place.at(-1) ?? null, edge, tied.join(' '), model],
          ...keys.map(key => settings?.[key] ?? peak.settings?.[key] ?? null),
        ],
      ];
    }),
  );
}

/** Shares of the variance, all digits: a row a factor, a pair of factors, and the seeds of one setting. */
function importanceTable(state: RunState): Rows {
  return {
    columns: ['task', 'metric', 'varies', 'values', 'alone', 'with_interactions', 'settings', 'trials', 'without'],
    rows: importancesOf(state).flatMap(({task, metric, factors, pairs, seeds, settings, trials, without}) => {
      const row = (varies: string, ...cells: [values: Cell, alone: Cell, total: Cell]): Cell[] => [
        ...[task, metric, varies, ...cells, settings, trials, without.join('; ') || null],
      ];
      return [
        ...factors.map(({title, levels, alone, total}) => row(title, levels, alone, total)),
        ...pairs.map(({titles, share}) => row(titles.join(' × '), null, share, null)),
        ...(seeds === null ? [] : [row('seeds', null, seeds, null)]),
      ];
    }),
  };
}

const sampleColumns = [
  ...['trial', 'step', 'evaluation'],
  ...['row', 'sample', 'verdict', 'extracted', 'expected', 'reason', 'output', 'file'],
];

/** What the trials answered, as `samples/` keeps it. */
function* sampleRows(sources: readonly Source[]): Iterable<Cell[]> {
  for (const {folder, ids} of sources) yield* samplesIn(folder, ids);
}

function* samplesIn(folder: string, ids: ReadonlyMap<string, string>): Iterable<Cell[]> {
  for (const {trial, step, evaluation, file, rows} of readSamples(folder, [...ids.keys()]))
    for (const row of rows)
      yield [
        ...[ids.get(trial)!, step, evaluation],
        ...sampleColumns.slice(3, -1).map(name => {
          const cell = row[name];
          return typeof cell === 'string' || typeof cell === 'number' ? cell : cell === undefined ? null : String(cell);
        }),
        file,
      ];
}

const curvatureColumns = [
  ...['method', 'rank', 'batch_size', 'seed', 'step', 'layer', 'module'],
  ...['lambda_max', 'lambda_min', 'iterations', 'residual', 'relative_to_lora'],
  ...['trial', 'learning_rate', 'preconditioned'],
];

/** As the trials stand in the sweep, then by step, layer and projection: which worker was first does not show. */
function inOrder({curvature, trials}: RunState): RunState['curvature'] {
  // What is no trial's, as all weights of the base are, stands behind them.
  const first = (is: (trial: StoredTrial) => boolean) => {
    const place = trials.findIndex(({trial}) => is(trial));
    return place < 0 ? trials.length : place;
  };
  const keys = curvature.map(row => [
    row.step,
    first(({method}) => method === row.method),
    row.rank,
    row.batchSize,
    row.seed,
    first(({id}) => id === row.trial),
    row.layer,
    (projections as readonly string[]).indexOf(row.module),
  ]);
  const compare = (a: number[], b: number[]) => a.map((value, k) => value - b[k]!).find(gap => gap !== 0) ?? 0;
  return curvature
    .map((row, k) => ({row, key: keys[k]!}))
    .sort((a, b) => compare(a.key, b.key))
    .map(({row}) => row);
}

/**
 * Behind the columns of all runs those of its axes, of which a row at the start has what the start depends on, and of what else tells
 * rows apart.
 */
function curvatureTable(state: RunState): Rows {
  const rows = placedRows(state);
  const relative = relativeToLora(rows);
  const further = furtherOf(state);
  const keys = inAxisOrder(rows.flatMap(({settings = {}}) => Object.keys(settings)));
  const others = [...(rows.some(({model}) => model !== undefined) ? ['model'] : []), ...keys].filter(
    key => !further.columns.includes(key),
  );
  return {
    columns: [...curvatureColumns, ...further.columns, ...others],
    rows: rows.map((row, k) => [
      ...[row.method, row.rank, row.batchSize, row.seed, row.step, row.layer, row.module],
      ...[row.lambdaMax, row.lambdaMin, row.iterations, row.residual, relative[k] ?? null],
      ...[row.trial ?? null, row.learningRate ?? null, row.preconditioned ?? null],
      ...further.cells(trialOfRow(row, state)).map(cell => (Number.isNaN(cell) ? null : cell)),
      ...others.map(key => (key === 'model' ? row.model : row.settings?.[key]) ?? null),
    ]),
  };
}

/** The trial of a row; for one at the start a trial that starts there, without what comes later. */
function trialOfRow(row: Curvature, {trials}: RunState): StoredTrial {
  const known = trials.find(({trial}) => trial.id === row.trial)?.trial;
  if (known) return known;
  const {method, rank, batchSize, seed, name, model, settings = {}} = row;
  const text = startText(row);
  const like = trials.find(({trial}) => trial.method === method && trial.rank === rank && startText(trial) === text);
  const bare: StoredTrial = {id: '', method, rank, batchSize, seed, learningRate: Number.NaN, alpha: Number.NaN};
  const {name: _, model: __, ...trial} = like?.trial ?? bare;
  return {...trial, ...(name !== undefined && {name}), ...(model !== undefined && {model}), settings};
}
