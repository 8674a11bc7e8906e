/**
 * What may have several values in a sweep beside the method, the rank, the batch size, the rate and the seed: THE table of axes.
 * A row says how an axis is called, how its values stand in ids and tables, and where a value goes in a sweep. Everything else
 * that knows axes (trials, recognition, comparisons, CSV, tree, `--only`, manifest) goes by this table.
 */
import {grouped} from '../../grouped.ts';
import {count} from '../../run/format.ts';
import type {Sweep, TrainingSettings, Trial} from '../sweep.ts';
import {type AxisKey, type AxisValue, axisKeys} from './keys.ts';

/** What a trial is trained with: a sweep in which every axis has one value. */
export type Plain = Pick<Sweep, 'model' | 'data' | 'targets' | 'training' | 'evaluate'>;

interface Row {
  /** In headings: `weight decay 0.1`. */
  title: string;
  /** Of which there are several: `2 decays`. */
  noun: string;
  /** Before the value in an id: `wd0.1`. */
  part: string;
  /** What stands in its place; undefined for what is absent. */
  get(sweep: Plain): unknown;
  /** Puts a value of the axis, as `Sweep.axes` holds it, in its place. */
  put(sweep: Plain, value: unknown): Plain;
}

type Words = [title: string, noun: string, part: string];

/** A row for one setting of the training or the data, which stands there as it is. */
const setting = (section: 'training' | 'data', name: string, [title, noun, part]: Words): Row => ({
  ...{title, noun, part},
  get: sweep => new Map<string, unknown>(Object.entries(sweep[section])).get(name),
  put: (sweep, value) => ({...sweep, [section]: {...sweep[section], [name]: value}}),
});

/** A row for a setting of the training that another one would overrule: who gives this one means it. */
const instead = (name: string, ruler: 'steps' | 'warmupSteps', words: Words): Row => ({
  ...setting('training', name, words),
  put({training: {[ruler]: _, ...training}, ...sweep}, value) {
    return {...sweep, training: {...training, [name]: value} as Sweep['training']};
  },
});

const model: Row = {
  ...{title: 'model', noun: 'model', part: ''},
  get: sweep => sweep.model,
  put: (sweep, value) => ({...sweep, model: String(value)}),
};

const targets: Row = {
  ...{title: 'targets', noun: 'choice of targets', part: 'on'},
  get: sweep => sweep.targets,
  put: (sweep, value) => ({...sweep, targets: value as Sweep['targets']}),
};

/** A trial has its own as a number, so that nothing is put anywhere. */
const alpha: Row = {...{title: 'alpha', noun: 'alpha', part: 'a'}, get: () => undefined, put: sweep => sweep};

/** One of several data sets, with its evaluations. */
const dataSet: Row = {
  ...{title: 'data', noun: 'data set', part: ''},
  get: () => undefined,
  put: (sweep, value) => ({...sweep, ...(value as Pick<Plain, 'data' | 'evaluate'>)}),
};

const table: Readonly<Record<AxisKey, Row>> = {
  model,
  data: dataSet,
  'data.rows': setting('data', 'rows', ['rows', 'number of rows', 'rows']),
  'data.max_length': setting('data', 'maxLength', ['max length', 'max length', 'len']),
  'data.template': setting('data', 'template', ['template', 'template', 'tpl']),
  targets,
  alpha,
  'training.epochs': instead('epochs', 'steps', ['epochs', 'number of epochs', 'ep']),
  'training.steps': setting('training', 'steps', ['steps', 'number of steps', 'n']),
  'training.optimizer': setting('training', 'optimizer', ['optimizer', 'optimizer', '']),
  'training.weight_decay': setting('training', 'weightDecay', ['weight decay', 'decay', 'wd']),
  'training.schedule': setting('training', 'schedule', ['schedule', 'schedule', '']),
  'training.warmup_ratio': instead('warmupRatio', 'warmupSteps', ['warm-up ratio', 'warm-up', 'wu']),
  'training.warmup_steps': setting('training', 'warmupSteps', ['warm-up steps', 'warm-up', 'wun']),
  'training.max_grad_norm': setting('training', 'maxGradNorm', ['max grad norm', 'clipping norm', 'clip']),
  'training.dropout': setting('training', 'dropout', ['dropout', 'dropout', 'do']),
  'training.precision': setting('training', 'precision', ['precision', 'precision', '']),
};

/** What is compared, or under which conditions, and never how a method is tuned. */
const conditionKeys = ['model', 'data', 'data.rows', 'targets', 'training.precision'] as const;

/** Axes that a method may take its best of. */
export const tunableKeys = axisKeys.filter(isTunable);
export type TunableKey = Exclude<AxisKey, (typeof conditionKeys)[number]>;

function isTunable(key: AxisKey): key is TunableKey {
  return !conditionKeys.some(one => one === key);
}

export function isAxisKey(key: string): key is AxisKey {
  return Object.hasOwn(table, key);
}

/** The sweep as one trial has it: its own value of every axis. */
export function plainOf<S extends Plain & Pick<Sweep, 'axes'>>(sweep: S, trial: Pick<Trial, 'model' | 'settings'>): S {
  const {axes = {}} = sweep;
  let plain = sweep;
  for (const key of axisKeys) {
    const text = settingOf(trial, key);
    const found = axes[key]?.find(one => one.text === text);
    if (found) plain = Object.assign({}, plain, table[key].put(plain, found.value));
  }
  return plain;
}

/** What a trial itself says of an axis, as text; undefined where its sweep has one value. */
export function settingOf({model, settings}: Pick<Trial, 'model' | 'settings'>, key: string): string | undefined {
  return key === 'model' ? model : settings?.[key];
}

/** What tells the plain sweeps of two trials apart: the same text for trials that are trained under the same settings but rank, alpha, rate and seed. */
export function plainKey({model = '', settings = {}}: Pick<Trial, 'model' | 'settings'>): string {
  const {alpha: _, ...others} = settings;
  return JSON.stringify([model, ...Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/**
 * What optimizer steps are counted by (`RunStarted.steps`): the batch size as text, and behind it the trial's own settings where
 * the sweep has axes.
 */
export function stepsKey(trial: Pick<Trial, 'model' | 'settings' | 'batchSize'>): string {
  const key = plainKey(trial);
  return key === plainKey({}) ? String(trial.batchSize) : `${trial.batchSize} ${key}`;
}

/** Optimizer steps of trials in words: `150 steps a trial at batch size 16`, of several numbers `150 or 300 steps`. */
export function stepsInWords(steps: Readonly<Record<string, number>>): {batchSize: string; words: string}[] {
  const sizes = grouped(Object.entries(steps), ([key]) => key.split(' ', 1)[0]!);
  return [...sizes].map(([batchSize, own]) => {
    const numbers = [...new Set(own.map(([, number]) => number))].sort((a, b) => a - b);
    const others = numbers.slice(0, -1).map(number => number.toLocaleString('en-US'));
    const last = count(numbers.at(-1)!, 'step');
    return {batchSize, words: others.length > 0 ? `${others.join(', ')} or ${last}` : last};
  });
}

/** How a trial is trained. */
export function trainingOf<T extends Partial<TrainingSettings>>(
  {training, axes = {}}: {training: T} & Pick<Sweep, 'axes'>,
  trial: Pick<Trial, 'model' | 'settings'>,
): T {
  const own = Object.entries(axes).filter(([key]) => key.startsWith('training.'));
  // Of a sweep, rows of the training touch nothing else.
  return plainOf({training, axes: Object.fromEntries(own)} as unknown as Plain & Pick<Sweep, 'axes'>, trial)
    .training as unknown as T;
}

/** `weight decay 0.1`; what is no axis of this table goes by its key. */
export function settingInWords(key: string, text: string): string {
  return `${isAxisKey(key) ? table[key].title : key} ${text}`;
}

/** How many values of an axis there are: `2 decays`. */
export function axisCount(key: string, number: number): string {
  const noun = isAxisKey(key) ? table[key].noun : key.replaceAll('_', ' ');
  const [first, ...rest] = noun.split(' of ');
  return [count(number, first!), ...rest].join(' of ');
}

/** What a plain sweep has of an axis; undefined where it has nothing. */
export function valueIn(sweep: Plain, key: AxisKey): unknown {
  return table[key].get(sweep);
}

export function axisTitle(key: string): string {
  return isAxisKey(key) ? table[key].title : key.replaceAll('_', ' ');
}

/** As much of a text as can stand in the name of a folder on every system. */
function slug(text: string): string {
  const plain = text.replaceAll('*', 'x').replace(/[^\w.+-]+/g, '-');
  return plain.replace(/^[-.]+|[-.]+$/g, '') || 'x';
}

/** The part of an id; of a path only its last name. */
function partOf(key: AxisKey, text: string, whole = false): string {
  const name =
    key === 'model' && !whole
      ? text
          .replace(/[/\\]+$/, '')
          .split(/[/\\]/)
          .at(-1)!
      : text;
  const value = slug(name);
  // A word and what stands before it are told apart; a number needs nothing.
  return [table[key].part, value].filter(Boolean).join(/^\d/.test(value) ? '' : '-');
}

/** The values of an axis with their parts of ids, which are whole texts where the short ones would be the same. */
export function valuesWithParts(key: AxisKey, values: readonly Omit<AxisValue, 'part'>[]): AxisValue[] {
  const short = values.map(({text}) => partOf(key, text));
  const isAlone = new Set(short).size === short.length;
  const parts = isAlone ? short : values.map(({text}) => partOf(key, text, true));
  return values.map((one, k) => ({...one, part: parts.indexOf(parts[k]!) === k ? parts[k]! : `${parts[k]}-${k + 1}`}));
}

/** The parts of a trial's settings, in the order of the table, as they stand in the name of its cell. */
export function partsOf(trial: Pick<Trial, 'model' | 'settings' | 'own'>): string[] {
  return axisKeys.flatMap(key => {
    const text = settingOf(trial, key);
    return text === undefined || trial.own?.includes(key) ? [] : [partOf(key, text, true)];
  });
}
