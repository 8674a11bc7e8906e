/** Published results as the events of a run: what was measured elsewhere is read like one's own. */
import {grouped} from '../../grouped.ts';
import {methodNames} from '../../method/methods.ts';
import {isAxisKey} from '../../sweep/axes/axes.ts';
import {axisKeys} from '../../sweep/axes/keys.ts';
import {noRank, type StoredTrial} from '../../sweep/sweep.ts';
import {rateNames} from '../../sweep/trials.ts';
import type {Aggregated, Evaluated, Probed, RunEventBody} from '../events.ts';
import {unitOf} from '../peak.ts';
import {
  type BlockValue,
  bad,
  type MeanValue,
  type Reading,
  type Results,
  readResults,
  type SeedValue,
  type Setting,
} from './rows.ts';

export interface PublishedOptions extends Reading {
  /** Columns over whose values each method takes its own best, beside the rate. */
  tune?: readonly string[];
  /** How a row is called, where something is wrong with it. */
  placeOf?: (table: string, k: number) => string;
}

/**
 * The events of a run that has these results and nothing else.
 *
 * Rows name `method`, `lr` (or `learning_rate`) and `value` (or `mean`, `std`, `n_seeds`; or `layer`, `module`, `lambda_max`), and may name
 * `model`, `task`, `metric`, `rank`, `batch` (or `batch_size`), `alpha` and `seed`; whatever else they have is a condition. A row
 * without a rank or a batch size stands beside rows of any. Values stand as they are given, whatever their unit. Trials take alpha =
 * rank unless a row says otherwise.
 * @throws SweepError `bad-results`: which row, and what is wrong with it
 */
export function publishedEvents(
  document: unknown,
  name: string,
  source: string,
  options: PublishedOptions = {},
): RunEventBody[] {
  return eventsOf(readResults(document, options, options.placeOf), name, source, options.tune);
}

/** The same of results that are read already. */
export function eventsOf(results: Results, name: string, source: string, tune: readonly string[] = []): RunEventBody[] {
  const {values, means, blocks, remarks} = inPercent(results);
  const places = new Places([...values, ...means, ...blocks]);
  const tuned = tune.map(key => places.tuned(key));
  const trials = trialsOf(values, places);
  return [
    {
      event: 'run-started',
      name,
      trials: trials.list,
      engine: 'imported',
      reason: `imported from ${source}`,
      workers: 0,
      resumed: false,
      steps: {},
      ...(Object.keys(places.fixed).length > 0 && {fixed: places.fixed}),
      ...(tuned.length > 0 && {tune: tuned}),
    },
    ...trials.evaluations,
    ...trials.list.map(
      ({id}): RunEventBody => ({event: 'trial-ended', trial: id, state: 'finished', steps: 0, seconds: 0}),
    ),
    ...means.toSorted(byMethod).map((one): Aggregated => aggregated(one, places)),
    ...blocks.map((one): Probed => probed(one, places)),
    ...remarks.map((message): RunEventBody => ({event: 'note', message})),
    {event: 'run-ended', state: 'finished', seconds: 0},
  ];
}

/** LoRA first, whatever the order of the file: so it has its usual colour. Methods that are not here stand behind the others. */
function byMethod(a: Setting, b: Setting): number {
  const place = ({method}: Setting): number => {
    const at = (methodNames as readonly string[]).indexOf(methodOf(method));
    return at < 0 ? methodNames.length : at;
  };
  return place(a) - place(b);
}

/** Shares that are given as percentages go by a metric of their own. */
function inPercent(results: Results): Results {
  const isOver = new Set([
    ...results.values.filter(({value}) => Math.abs(value) > 1).map(({metric}) => metric),
    ...results.means.filter(({mean}) => Math.abs(mean) > 1).map(({metric}) => metric),
  ]);
  const named = <R extends {task: string; metric: string}>(row: R): R =>
    unitOf(row.metric) === 'share' && isOver.has(row.metric) ? {...row, metric: `${row.metric} (%)`} : row;
  return {...results, values: results.values.map(named), means: results.means.map(named)};
}

/** Where results belong: what all of them have in common, and what tells them apart. */
class Places {
  /** Texts of what all rows have in common. */
  readonly fixed: Readonly<Record<string, string>>;
  readonly #several: readonly string[];
  readonly #models: boolean;
  readonly #alphas: boolean;

  constructor(rows: readonly Setting[]) {
    const columns = [...new Set(rows.flatMap(({further}) => Object.keys(further)))];
    const texts = (column: string): Set<string | undefined> => new Set(rows.map(({further}) => further[column]));
    this.#several = columns.filter(column => texts(column).size > 1);
    const models = new Set(rows.map(({model}) => model));
    this.#models = models.size > 1;
    this.#alphas = [...grouped(rows, ({method, rank}) => JSON.stringify([methodOf(method), rank])).values()].some(
      group => new Set(group.map(({alpha}) => alpha)).size > 1,
    );
    const common = columns.filter(column => texts(column).size === 1);
    const [model = ''] = models;
    this.fixed = Object.fromEntries([
      ...(models.size === 1 && model !== '' ? [['model', model]] : []),
      ...common.map(column => [keyOf(column), rows[0]!.further[column]!]),
    ]);
  }

  /** The key that a column stands for. @throws SweepError `bad-results` where there is no such column */
  tuned(column: string): string {
    if (column === 'alpha' ? this.#alphas : this.#several.includes(column)) return keyOf(column);
    throw bad(`"${column}" cannot be tuned: ${column in this.fixed ? 'it has one value' : 'no row has it'}`);
  }

  /** What a row has of axes, and what it leaves open: that stands beside whatever others have. */
  of({model, rank, batchSize, alpha, further, variant}: Setting) {
    const settings = Object.fromEntries([
      ...this.#several.flatMap(column => (further[column] === undefined ? [] : [[keyOf(column), further[column]]])),
      ...(this.#alphas && alpha !== null ? [['alpha', String(alpha)]] : []),
    ]);
    const isOwn = variant !== undefined;
    const open = [
      ...(isOwn || rank === null ? ['rank'] : []),
      ...(isOwn || batchSize === null ? ['batch_size'] : []),
      ...(this.#models && model === '' ? ['model'] : []),
      ...this.#several.filter(column => isOwn || further[column] === undefined).map(keyOf),
      ...(this.#alphas && (isOwn || alpha === null) ? ['alpha'] : []),
    ];
    return {
      ...(isOwn && {name: variant}),
      rank: rank ?? noRank,
      batchSize: batchSize ?? 0,
      ...(this.#models && model !== '' && {model}),
      ...(Object.keys(settings).length > 0 && {settings}),
      ...(open.length > 0 && {own: open}),
    };
  }
}

/** The axis that a column is, in full or without the section that it stands in; else the column itself. */
function keyOf(column: string): string {
  if (isAxisKey(column)) return column;
  return axisKeys.find(key => key.endsWith(`.${column}`)) ?? column;
}

/** `PiSSA`, `Init[AB]`, `InitAB` and `init_ab` are the names that papers and programs use; any other name stays as it is. */
export function methodOf(name: string): string {
  const plain = (one: string): string => one.toLowerCase().replace(/[^a-z0-9]/g, '');
  // LoRA+ is another method than LoRA.
  if (/\+$/.test(name)) return name;
  return methodNames.find(method => plain(method) === plain(name)) ?? name;
}

function trialsOf(rows: readonly SeedValue[], places: Places): {list: StoredTrial[]; evaluations: Evaluated[]} {
  const rates = [...new Set(rows.map(({learningRate}) => learningRate))].sort((a, b) => a - b);
  const rateName = new Map(rateNames(rates).map((text, k) => [rates[k]!, text]));
  const trials = new Map<string, StoredTrial>();
  const ids = new Set<string>();
  const evaluations = new Map<string, Evaluated>();
  for (const row of rows.toSorted(byMethod)) {
    const {learningRate, seed, task, metric, value, alpha, place} = row;
    const setting = {
      ...places.of(row),
      method: methodOf(row.method),
      alpha: alpha ?? row.rank ?? 0,
      learningRate,
      seed,
    };
    const what = JSON.stringify(setting);
    let trial = trials.get(what);
    if (!trial) {
      trial = {id: freeId(idOf(setting, rateName.get(learningRate)!), ids), ...setting};
      trials.set(what, trial);
    }
    const key = JSON.stringify([trial.id, task, metric]);
    if (evaluations.has(key)) throw bad(`${place} gives ${metric} of ${trial.id} a second time`);
    evaluations.set(key, {event: 'evaluation', trial: trial.id, step: 0, task, metric, value, correct: null, total: 0});
  }
  return {list: [...trials.values()], evaluations: [...evaluations.values()]};
}

/** As sweeps name their trials, with the model before it where there are several. */
function idOf(
  {method, name = method, rank, batchSize, model, settings = {}, seed}: Omit<StoredTrial, 'id'>,
  rateName: string,
): string {
  const parts = [
    ...(model === undefined ? [] : [model]),
    ...[name, ...(rank === noRank ? [] : [`r${rank}`]), ...(batchSize === 0 ? [] : [`b${batchSize}`])],
    ...Object.entries(settings).map(([key, text]) => `${key.slice(key.lastIndexOf('.') + 1)}-${text}`),
    ...[`lr${rateName}`, `s${seed}`],
  ];
  return parts.map(part => part.replace(/[^\w.+@[\]/()-]+/g, '-')).join('-');
}

function freeId(id: string, taken: Set<string>): string {
  let free = id;
  for (let number = 2; taken.has(free); number++) free = `${id}-${number}`;
  taken.add(free);
  return free;
}

function aggregated({mean, std, seeds, learningRate, task, metric, ...row}: MeanValue, places: Places): Aggregated {
  const method = methodOf(row.method);
  return {event: 'aggregate', ...places.of(row), method, learningRate, task, metric, mean, std, seeds};
}

function probed({block, ...row}: BlockValue, places: Places): Probed {
  const {own: _, ...place} = places.of(row);
  return {event: 'curvature', ...place, method: methodOf(row.method), ...block};
}
