/** The trials of a run as a table: its columns, what a reader filters and how the rows are sorted. Nothing of a page. */
import {methodTitle} from '../../core/method/title.ts';
import {parametersIn} from '../../core/run/costs.ts';
import type {RunState, TrialView} from '../../core/run/fold.ts';
import {formatLoss, formatMeasure, formatRate, formatSeconds, formatValue} from '../../core/run/format.ts';
import {axisTitle, settingOf} from '../../core/sweep/axes/axes.ts';
import {axisKeys} from '../../core/sweep/axes/keys.ts';
import {nameOf} from '../../core/sweep/sweep.ts';

/** A column; what it says of a trial as a text, and what the rows are sorted by: null stands behind all else. */
export interface Column {
  key: string;
  title: string;
  align: 'left' | 'right';
  text(view: TrialView): string;
  value(view: TrialView): number | string | null;
  /** It says the same of every trial. */
  isConstant: boolean;
}

/** What the reader has chosen; a reload keeps it. */
export interface TableView {
  /** Empty: the order of the sweep. */
  sortBy: string;
  isDown: boolean;
  filter: string;
  /** Keys of columns; null: those that say the same of every trial. */
  hidden: string[] | null;
}

export const firstTable: TableView = {sortBy: '', isDown: false, filter: '', hidden: null};

type Draft = Omit<Column, 'isConstant'>;

const number = (
  key: string,
  title: string,
  value: (view: TrialView) => number | null,
  format: (value: number) => string = String,
): Draft => ({
  ...{key, title, align: 'right', value},
  text: view => {
    const found = value(view);
    return found === null ? '' : format(found);
  },
});

const word = (key: string, title: string, text: (view: TrialView) => string): Draft => ({
  ...{key, title, align: 'left', text, value: text},
});

/** Method, conditions, rate, seed, state, values, loss, steps, time: in this order, and only what some trial has. */
export function columnsOf(state: Columned): Column[] {
  const known = columnsIn.get(state);
  if (known) return known;
  const columns = madeColumns(state);
  columnsIn.set(state, columns);
  return columns;
}

/** A state never changes, and every press asks for its columns. */
const columnsIn = new WeakMap<Columned, Column[]>();

type Columned = Pick<RunState, 'trials' | 'fixed' | 'costs'>;

function madeColumns(state: Columned): Column[] {
  const {trials, fixed} = state;
  const parameters = parametersIn(state);
  const axes = axisKeys.filter(key => trials.some(({trial}) => settingOf(trial, key) !== undefined));
  const drafts: Draft[] = [
    word('method', 'method', ({trial}) => methodTitle(nameOf(trial))),
    number('rank', 'rank', ({trial}) => trial.rank),
    number('batch_size', 'batch size', ({trial}) => trial.batchSize),
    ...axes.map(key => axisColumn(key, fixed[key] ?? '')),
    number('learning_rate', 'learning rate', ({trial}) => trial.learningRate, formatRate),
    number('seed', 'seed', ({trial}) => trial.seed),
    word('state', 'state', ({state}) => state),
    ...measures(trials).map(measureColumn),
    number('loss', 'loss', ({loss}) => loss, formatLoss),
    number('steps', 'steps', ({steps}) => steps),
    ...(trials.some(({trial}) => parameters(trial) !== null)
      ? [
          number(
            'parameters',
            'trained numbers',
            ({trial}) => parameters(trial),
            value => value.toLocaleString('en-US'),
          ),
        ]
      : []),
    number('time', 'time', ({seconds}) => (seconds > 0 ? seconds : null), formatSeconds),
  ];
  return drafts.map(draft => {
    const [first, ...others] = trials;
    const text = first && draft.text(first);
    return {...draft, isConstant: others.every(view => draft.text(view) === text)};
  });
}

function axisColumn(key: (typeof axisKeys)[number], usual: string): Draft {
  const text = ({trial}: TrialView): string => settingOf(trial, key) ?? usual;
  const value = (view: TrialView): number | string => {
    const found = text(view);
    return found !== '' && Number.isFinite(Number(found)) ? Number(found) : found;
  };
  return {key, title: axisTitle(key), align: 'left', text, value};
}

interface Measure {
  task: string;
  metric: string;
}

function measures(trials: readonly TrialView[]): Measure[] {
  const found = new Map<string, Measure>();
  for (const {evaluations} of trials)
    for (const {task, metric} of evaluations) found.set(`${task} ${metric}`, {task, metric});
  return [...found.values()];
}

/** Of several evaluations of one task the last one. */
function measureColumn({task, metric}: Measure): Draft {
  const last = ({evaluations}: TrialView): number | null =>
    evaluations.findLast(one => one.task === task && one.metric === metric)?.value ?? null;
  return number(`${task} ${metric}`, formatMeasure(task, metric), last, value => formatValue(value, metric));
}

/** The columns that are shown, the method always first. */
export function shownColumns(columns: readonly Column[], hidden: readonly string[] | null): Column[] {
  return columns.filter(({key, isConstant}) => key === 'method' || !isHidden(key, isConstant, hidden));
}

/** Where the reader has chosen nothing, settings that tell nothing apart are hidden, results never. */
function isHidden(key: string, isConstant: boolean, hidden: readonly string[] | null): boolean {
  return hidden === null ? isConstant && settings.has(key) : hidden.includes(key);
}

const settings: ReadonlySet<string> = new Set(['rank', 'batch_size', 'seed', 'parameters', ...axisKeys]);

/** Keys of the columns that are hidden now. */
export function hiddenKeys(columns: readonly Column[], hidden: readonly string[] | null): string[] {
  const shown = new Set(shownColumns(columns, hidden).map(({key}) => key));
  return columns.flatMap(({key}) => (shown.has(key) ? [] : [key]));
}

/** The trials that pass the filter, as the reader wants them sorted. */
export function rowsOf(
  trials: readonly TrialView[],
  columns: readonly Column[],
  {filter, sortBy, isDown}: TableView,
): TrialView[] {
  const terms = filter.split(/\s+/).filter(Boolean);
  const kept = trials.filter(view => terms.every(term => passes(view, term, columns)));
  const column = columns.find(({key}) => key === sortBy);
  if (!column) return kept;
  const keyed = kept.map(view => ({view, value: column.value(view)}));
  keyed.sort((a, b) => compareValues(a.value, b.value, isDown));
  return keyed.map(({view}) => view);
}

const alphabet = new Intl.Collator();

/** What is absent stands at the end in either direction; trials that are alike stay in the order of the sweep. */
function compareValues(a: number | string | null, b: number | string | null, isDown: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : alphabet.compare(String(a), String(b));
  return isDown ? -order : order;
}

/** `pissa`: it stands somewhere in the row; `state=failed`, `loss<2`, `learning_rate>=1e-3`: in this column. */
function passes(view: TrialView, term: string, columns: readonly Column[]): boolean {
  const [, name = '', sign = '', wanted = ''] = /^([^<>=]+)(<=|>=|<|>|=)(.*)$/.exec(term) ?? [];
  const column = sign === '' ? undefined : columnNamed(name, columns);
  if (!column) {
    return wordsOf(view, columns).includes(term.toLowerCase());
  }
  const value = column.value(view);
  const isNumber = wanted !== '' && Number.isFinite(Number(wanted)) && typeof value === 'number';
  if (!isNumber) return sign === '=' && column.text(view).toLowerCase().includes(wanted.toLowerCase());
  const difference = value - Number(wanted);
  const isEqual = Math.abs(difference) <= 1e-3 * Math.abs(Number(wanted));
  if (sign === '=') return isEqual;
  if (sign.includes('=') && isEqual) return true;
  return sign.startsWith('<') ? difference < 0 && !isEqual : difference > 0 && !isEqual;
}

/** All that stands in the row, in small letters. */
function wordsOf(view: TrialView, columns: readonly Column[]): string {
  const known = wordsIn.get(columns) ?? new WeakMap<TrialView, string>();
  wordsIn.set(columns, known);
  const words = known.get(view) ?? [view.trial.id, ...columns.map(one => one.text(view))].join('\n').toLowerCase();
  known.set(view, words);
  return words;
}

/** With every letter that is typed the same rows are looked through. */
const wordsIn = new WeakMap<readonly Column[], WeakMap<TrialView, string>>();

/** By its key or title, or the beginning of one of them: `lr` and `rate` are the learning rate. */
function columnNamed(name: string, columns: readonly Column[]): Column | undefined {
  const bare = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const wanted = {lr: 'learningrate', rate: 'learningrate'}[bare(name)] ?? bare(name);
  const names = columns.map(column => ({column, names: [column.key, column.title].map(bare)}));
  const exact = names.find(one => one.names.includes(wanted));
  return (exact ?? names.find(one => one.names.some(text => text.startsWith(wanted))))?.column;
}
