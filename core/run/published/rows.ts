/** Rows of results as others publish them, in whatever columns: which of them say what, and which are conditions. */
import {SweepError} from '../../error.ts';
import {grouped} from '../../grouped.ts';
import type {Curvature} from '../fold.ts';
import {mostSeeds} from '../line.ts';

/** What a row belongs to. */
export interface Setting {
  /** Empty where none is named. */
  model: string;
  /** As the row has it: any name. */
  method: string;
  /** Null where none is named: it says nothing of it. */
  rank: number | null;
  batchSize: number | null;
  alpha: number | null;
  /** Texts of further columns. */
  further: Readonly<Record<string, string>>;
  /** It was made with settings of its own, under this name, and stands beside whatever others have. */
  variant?: string;
}

/** The value of one seed. */
export interface SeedValue extends Setting {
  learningRate: number;
  task: string;
  metric: string;
  seed: number;
  value: number;
  /** E.g. `rows[3]`, or `line 4`. */
  place: string;
}

/** A mean over seeds. */
export interface MeanValue extends Setting {
  learningRate: number;
  task: string;
  metric: string;
  mean: number;
  /** Sample standard deviation (n - 1); null where it is not given. */
  std: number | null;
  seeds: number;
}

/** Extreme Hessian eigenvalues of one block. */
export interface BlockValue extends Setting {
  block: Pick<
    Curvature,
    'seed' | 'step' | 'layer' | 'module' | 'lambdaMax' | 'lambdaMin' | 'iterations' | 'residual' | 'learningRate'
  >;
}

export interface Results {
  values: SeedValue[];
  means: MeanValue[];
  blocks: BlockValue[];
  remarks: string[];
}

export interface Reading {
  /** Columns by other names: known name → name in the file, e.g. `lr` → `peak_lr`. */
  columns?: Readonly<Record<string, string>>;
  /** Columns that hold results, each a metric of its name. */
  values?: readonly string[];
  /** Columns that say nothing of the training. */
  without?: readonly string[];
}

export type Fields = Readonly<Record<string, unknown>>;
interface NamedRow {
  fields: Fields;
  place: string;
}

/** Names of what a row says; the first one of a list is what it is called here. */
const known = {
  model: ['model', 'base_model', 'model_id'],
  method: ['method', 'peft_method', 'peft_type'],
  rank: ['rank', 'r'],
  batch: ['batch', 'batch_size'],
  lr: ['lr', 'learning_rate'],
  alpha: ['alpha', 'lora_alpha'],
  seed: ['seed'],
  task: ['task'],
  metric: ['metric'],
  value: ['value'],
  mean: ['mean'],
  std: ['std'],
  n_seeds: ['n_seeds', 'seeds'],
  lambda_max: ['lambda_max'],
  lambda_min: ['lambda_min'],
  layer: ['layer'],
  module: ['module'],
  step: ['step'],
  iterations: ['iterations'],
  residual: ['residual'],
} as const;
type Known = keyof typeof known;
const names = Object.keys(known) as Known[];

/** Columns that are results by their name alone, where no row has a `value`. */
const isMetric = (column: string): boolean =>
  /^(accuracy|loss|perplexity|score|pass@\d+)$/.test(column) || /[_ ](acc|accuracy)$/.test(column);

/**
 * Reads a list of rows, or an object with `rows` (a value of one seed), `aggregate_rows` (a mean over seeds) and `curvature_rows`. What a
 * row has beside the columns that are known is a condition, but for columns that differ between the seeds of one setting
 * only, as a time does.
 * @throws SweepError `bad-results`: which row, and what is wrong with it
 */
export function readResults(document: unknown, reading: Reading = {}, placeOf = rowName): Results {
  const rows = tablesOf(document, placeOf);
  const {columns = {}, without = []} = reading;
  const unknown = Object.keys(columns).find(name => !names.some(one => one === name || isOther(one, name)));
  if (unknown !== undefined) throw bad(`"${unknown}" is no column that is known here; these are ${names.join(', ')}`);
  const all = [...rows.rows, ...rows.aggregates, ...rows.blocks];
  const there = new Set(all.flatMap(({fields}) => Object.keys(fields)));
  const absent = [...Object.values(columns), ...(reading.values ?? []), ...without].find(name => !there.has(name));
  if (absent !== undefined) throw bad(`it has no column "${absent}"; it has ${[...there].join(', ')}`);
  const look = new Look(columns, valueColumns(rows.rows, reading, columns), without);
  const results = {
    values: rows.rows.flatMap(row => look.values(row)),
    means: rows.aggregates.map(row => look.mean(row)),
    blocks: [...rows.blocks, ...rows.rows.filter(row => look.isBlock(row))].map(row => look.block(row)),
  };
  const left = leftOut(results);
  const short = <S extends Setting>(one: S): S => ({
    ...one,
    further: Object.fromEntries(Object.entries(one.further).filter(([key]) => !left.includes(key))),
  });
  return {
    values: results.values.map(short),
    means: results.means.map(short),
    blocks: results.blocks.map(short),
    remarks: remarksOn(left, results),
  };
}

const isOther = (name: Known, other: string): boolean => (known[name] as readonly string[]).includes(other);

function valueColumns(rows: NamedRow[], {values}: Reading, columns: Reading['columns'] = {}): string[] {
  if (values && values.length > 0) return [...values];
  if (columns['value'] !== undefined || rows.some(({fields}) => fields['value'] !== undefined)) return [];
  return [...new Set(rows.flatMap(({fields}) => Object.keys(fields)))].filter(isMetric);
}

/** Reads single rows. */
class Look {
  readonly #columns: Readonly<Record<string, string>>;
  readonly #results: readonly string[];
  readonly #others: ReadonlySet<string>;

  constructor(columns: Readonly<Record<string, string>>, results: readonly string[], without: readonly string[]) {
    this.#columns = columns;
    this.#results = results;
    const own = names.flatMap(name => this.#names(name));
    this.#others = new Set([...own, ...results, ...without]);
  }

  /** One for each result of the row. */
  values(row: NamedRow): SeedValue[] {
    if (this.isBlock(row)) return [];
    const {place} = row;
    const setting = {...this.#setting(row), learningRate: this.#rate(row), seed: this.#number(row, 'seed', 0), place};
    if (this.#results.length === 0) return [{...setting, ...this.#measure(row), value: this.#number(row, 'value')}];
    const task = this.#text(row, 'task', '');
    return this.#results.flatMap((column): SeedValue[] => {
      const value = row.fields[column];
      if (value === undefined || value === null || value === '') return [];
      return [{...setting, task: task || column, metric: column, value: numberIn(value, place, column)}];
    });
  }

  mean(row: NamedRow): MeanValue {
    const seeds = this.#number(row, 'n_seeds');
    if (!Number.isInteger(seeds) || seeds < 1 || seeds > mostSeeds) throw bad(`${row.place} has ${seeds} seeds`);
    const std = this.#cell(row, 'std');
    return {
      ...{...this.#setting(row), learningRate: this.#rate(row), ...this.#measure(row)},
      ...{mean: this.#number(row, 'mean'), std: std === undefined ? null : this.#number(row, 'std'), seeds},
    };
  }

  isBlock(row: NamedRow): boolean {
    return this.#cell(row, 'lambda_max') !== undefined;
  }

  block(row: NamedRow): BlockValue {
    const rate = this.#cell(row, 'lr');
    return {
      ...this.#setting(row),
      block: {
        ...{seed: this.#number(row, 'seed', 0), step: this.#number(row, 'step', 0)},
        ...{layer: this.#number(row, 'layer'), module: this.#text(row, 'module')},
        ...{lambdaMax: this.#number(row, 'lambda_max'), lambdaMin: this.#numberOrNull(row, 'lambda_min')},
        ...{iterations: this.#numberOrNull(row, 'iterations'), residual: this.#numberOrNull(row, 'residual')},
        ...(rate !== undefined && {learningRate: this.#rate(row)}),
      },
    };
  }

  #setting(row: NamedRow): Setting {
    return {
      model: this.#text(row, 'model', ''),
      method: this.#text(row, 'method'),
      rank: this.#numberOrNull(row, 'rank'),
      batchSize: this.#numberOrNull(row, 'batch'),
      alpha: this.#numberOrNull(row, 'alpha'),
      further: Object.fromEntries(
        Object.entries(row.fields).flatMap(([column, value]) =>
          this.#others.has(column) || !isScalar(value) || value === '' ? [] : [[column, String(value)] as const],
        ),
      ),
    };
  }

  #measure(row: NamedRow): {task: string; metric: string} {
    const metric = this.#text(row, 'metric', 'value');
    return {task: this.#text(row, 'task', metric), metric};
  }

  #rate(row: NamedRow): number {
    const rate = this.#number(row, 'lr');
    if (rate <= 0) throw bad(`${row.place} has the learning rate ${rate}`);
    return rate;
  }

  #names(name: Known): string[] {
    const given = [name, ...known[name]].map(one => this.#columns[one]).find(one => one !== undefined);
    return given === undefined ? [...known[name]] : [given];
  }

  /** Undefined where the row says nothing of it. */
  #cell({fields}: NamedRow, name: Known): unknown {
    const value = this.#names(name)
      .map(one => fields[one])
      .find(one => one !== undefined && one !== null && one !== '');
    return value;
  }

  #text(row: NamedRow, name: Known, absent?: string): string {
    const value = this.#cell(row, name) ?? absent;
    if (!isScalar(value) || (value === '' && absent === undefined))
      throw bad(`${row.place} has no text "${this.#names(name)[0]}"`);
    return String(value);
  }

  #numberOrNull(row: NamedRow, name: Known): number | null {
    return this.#cell(row, name) === undefined ? null : this.#number(row, name);
  }

  #number(row: NamedRow, name: Known, absent?: number): number {
    return numberIn(this.#cell(row, name) ?? absent, row.place, this.#names(name)[0]!);
  }
}

/** A table of texts has numbers as texts. */
function numberIn(value: unknown, place: string, column: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw bad(`${place} has no number "${column}"`);
  return number;
}

/**
 * Columns that differ between the seeds of one setting. Which settings there are, the fewest columns say that tell rows of one seed apart, those
 * with the fewest values first.
 */
function leftOut({values}: Pick<Results, 'values'>): string[] {
  const columns = [...new Set(values.flatMap(({further}) => Object.keys(further)))];
  const variety = (column: string): number => new Set(values.map(({further}) => further[column])).size;
  const candidates = columns.toSorted((a, b) => variety(a) - variety(b));
  const nameBy = (own: readonly string[]) => (row: SeedValue) =>
    JSON.stringify([settingName(row), ...own.map(column => row.further[column])]);
  const toldApart = (own: readonly string[]): number =>
    new Set(values.map(row => `${row.seed} ${nameBy(own)(row)}`)).size;
  let needed: string[] = [];
  for (;;) {
    const apart = toldApart(needed);
    const next = candidates.find(column => toldApart([...needed, column]) > apart);
    if (apart === values.length || next === undefined) break;
    needed = [...needed, next];
  }
  const settings = [...grouped(values, nameBy(needed)).values()];
  return columns.filter(
    column =>
      !needed.includes(column) && settings.some(rows => new Set(rows.map(({further}) => further[column])).size > 1),
  );
}

function settingName({model, method, rank, batchSize, alpha, learningRate, task, metric}: SeedValue): string {
  return JSON.stringify([model, method, rank, batchSize, alpha, learningRate, task, metric]);
}

/** So many values of a column, of which few rows share one, are hardly a condition. */
const fewestValues = 12;

function* remarks(left: readonly string[], {values}: Pick<Results, 'values'>): Generator<string> {
  if (left.length > 0)
    yield `Left out, as it differs between the seeds of one setting: ${left.map(column => `"${column}"`).join(', ')}.`;
  for (const column of new Set(values.flatMap(({further}) => Object.keys(further)))) {
    const texts = new Set(values.map(({further}) => further[column]));
    if (left.includes(column) || texts.size < fewestValues || 2 * texts.size < values.length) continue;
    yield `"${column}" has ${texts.size} values in ${values.length} rows and is taken for a condition; --without ${column} leaves it out.`;
  }
}

const remarksOn = (left: readonly string[], results: Pick<Results, 'values'>): string[] => [...remarks(left, results)];

const rowName = (table: string, k: number): string => `${table}[${k}]`;

type Table = 'rows' | 'aggregate_rows' | 'curvature_rows';

function tablesOf(
  document: unknown,
  placeOf: (table: Table, k: number) => string,
): {rows: NamedRow[]; aggregates: NamedRow[]; blocks: NamedRow[]} {
  const tables = Array.isArray(document) ? {rows: document} : document;
  if (!isRecord(tables)) throw bad('it is neither a list of rows nor an object with "rows"');
  const named = (key: Table): NamedRow[] => {
    const table: unknown = tables[key] ?? [];
    if (!Array.isArray(table)) throw bad(`"${key}" is not a list`);
    return table.map((fields: unknown, k): NamedRow => {
      const place = placeOf(key, k);
      if (!isRecord(fields)) throw bad(`${place} is not an object`);
      return {fields, place};
    });
  };
  const [rows, aggregates, blocks] = [named('rows'), named('aggregate_rows'), named('curvature_rows')];
  if (rows.length + aggregates.length + blocks.length === 0)
    throw bad('it has no rows; give a list of them, or an object with "rows", "aggregate_rows" or "curvature_rows"');
  return {rows, aggregates, blocks};
}

export function bad(what: string): SweepError {
  return new SweepError('bad-results', `These results cannot be imported: ${what}.`, {});
}

const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
