/** The values that a file gives to its axes, and what each of its methods takes of them. */
import {type MethodName, methods} from '../../method/methods.ts';
import type {Alpha, MethodSettings, OptimizerSettings, Sweep} from '../sweep.ts';
import {optimizer as optimizerFields} from '../table/fields.ts';
import {dataSetsOf, type Entry, type Values, type VariantValues} from '../table/file-values.ts';
import {type Plain, valueIn, valuesWithParts} from './axes.ts';
import {type AxisKey, type AxisValue, axisKeys, type Settings} from './keys.ts';

type Valued = Omit<AxisValue, 'part'>;

/** What a file, or one of its methods, says of axes: the values by key, where it says something. */
type Given = Partial<Record<AxisKey, Valued[]>>;

/** The axes of a sweep: all their values, and what each method has of them, in the order of the file. */
export interface AxesOfFile {
  axes?: NonNullable<Sweep['axes']>;
  methods: Pick<MethodSettings, 'axes' | 'alphas' | 'settings' | 'own'>[];
}

/** `plain`: the sweep with the first value of each axis; `dataSets`: those that have names. A key that a method gives as the file does is not its own. */
export function axesOf(values: Values, plain: Plain, entries: readonly Entry[], dataSets: Valued[] = []): AxesOfFile {
  const sets: Given = dataSets.length > 0 ? {data: dataSets} : {};
  const file = {...fixed(plain), ...givenBy(values), ...sets};
  const own = entries.map(entry => givenBy(entry.own));
  const all = new Map<AxisKey, AxisValue[]>();
  for (const key of axisKeys) {
    const given = [file[key] ?? [], ...own.map(one => one[key] ?? [])].flat();
    const distinct = [...new Map(given.toReversed().map(one => [one.text, one])).values()].reverse();
    if (distinct.length > 1 || (key === 'data' && dataSets.length > 0)) all.set(key, valuesWithParts(key, distinct));
  }
  const methods = own.map((one, k) => ofMethod(one, file, all, entries[k]!, values));
  const used = [...all].filter(([key]) => methods.some(({axes, settings}) => axes?.[key] || settings?.[key]));
  return {...(used.length > 0 && {axes: Object.fromEntries(used)}), methods};
}

/** How many values of each axis a method of a file has, where the file or the method says something of it. */
export function axisSizes(values: Values, own: VariantValues): number[] {
  const sets = Math.max(1, dataSetsOf(values).length);
  return [sets, ...Object.values({...givenBy(values), ...givenBy(own)}).map(({length}) => length)];
}

function ofMethod(
  own: Given,
  file: Given,
  all: ReadonlyMap<AxisKey, AxisValue[]>,
  {method, own: {rank, batch_size}}: Entry,
  values: Values,
): AxesOfFile['methods'][number] {
  const axes: NonNullable<MethodSettings['axes']> = {};
  const settings: Record<string, string> = {};
  const keys: string[] = [];
  if (rank?.length === 1 && rank.join() !== values.rank?.join()) keys.push('rank');
  if (batch_size?.length === 1 && batch_size.join() !== values.batch_size.join()) keys.push('batch_size');
  for (const [key, known] of all) {
    const taken = own[key] ?? file[key] ?? [];
    const isFiles = own[key] === undefined || (file[key]?.length === 1 && file[key][0]!.text === taken[0]?.text);
    // To these one alpha is as good as any other.
    if (key === 'alpha' && hasNoAlpha(method)) keys.push(key);
    else if (taken.length > 1)
      axes[key] = taken.map(({text}) => known.find(one => one.text === text)!).map(withoutValue);
    else if (key === 'data') settings[key] = taken[0]!.text;
    else if (!isFiles) {
      if (key !== 'alpha') settings[key] = taken[0]!.text;
      keys.push(key);
    }
  }
  const alphas = axes.alpha && (own.alpha ?? file.alpha)!.map(({value}) => value as Alpha);
  return {
    ...(Object.keys(axes).length > 0 && {axes}),
    ...(alphas && {alphas}),
    ...(Object.keys(settings).length > 0 && {settings}),
    ...(keys.length > 0 && {own: keys}),
  };
}

const hasNoAlpha = (method: MethodName): boolean => Boolean(methods[method].weights || methods[method].withoutAlpha);

const withoutValue = ({text, part}: AxisValue): Omit<AxisValue, 'value'> => ({text, part});

/** What a sweep has of every axis that its file says nothing of. */
function fixed(plain: Plain): Given {
  return Object.fromEntries(
    axisKeys.flatMap(key => {
      const value = valueIn(plain, key);
      return key === 'alpha' || key === 'data' ? [] : [[key, [{text: fixedText(key, value), value}]]];
    }),
  );
}

/** One value of every axis of a sweep, as text: what a trial has that says nothing of it. Axes with several are left out. */
export function fixedSettings(sweep: Sweep): Settings {
  const several = new Set(sweep.methods.flatMap(({axes}) => Object.keys(axes ?? {})));
  return Object.fromEntries(
    axisKeys.flatMap(key => {
      const value = valueIn(sweep, key);
      return several.has(key) || key === 'alpha' || (key === 'data' && sweep.axes?.data)
        ? []
        : [[key, fixedText(key, value)]];
    }),
  );
}

/** Without a number of rows all are meant. */
function fixedText(key: AxisKey, value: unknown): string {
  if (value !== undefined) return textOf(value);
  return key === 'data.rows' ? 'all' : 'none';
}

type GivenKey = 'model' | 'data' | 'targets' | 'alpha' | 'training';

/** Those keys of a file, or of one method, that it gives. */
function givenBy({model, data, targets, alpha, training}: Pick<VariantValues, GivenKey>): Given {
  const lists: Partial<Record<AxisKey, readonly unknown[] | undefined>> = {
    model,
    'data.rows': data?.rows,
    'data.max_length': data?.max_length,
    'data.template': data?.template,
    alpha,
    'training.epochs': training?.steps === undefined ? training?.epochs : undefined,
    'training.steps': training?.steps,
    'training.optimizer': training?.optimizer?.flatMap(optimizersOf),
    'training.weight_decay': training?.weight_decay,
    'training.schedule': training?.schedule,
    'training.warmup_ratio': training?.warmup_steps === undefined ? training?.warmup_ratio : undefined,
    'training.warmup_steps': training?.warmup_steps,
    'training.max_grad_norm': training?.max_grad_norm,
    'training.dropout': training?.dropout,
    'training.precision': training?.precision,
  };
  const given = Object.entries(lists).flatMap(([key, list]) => (list ? [[key, list.map(valued)] as const] : []));
  return {...Object.fromEntries(given), ...(targets && {targets: targetsOf(targets)})};
}

const valued = (value: unknown): Valued => ({text: textOf(value), value});

/** Choices of targets: one, a list of lists, or some under names. */
export function targetsOf(targets: Values['targets']): Valued[] {
  if (typeof targets === 'string') return [valued(targets)];
  if (Array.isArray(targets)) return targets.map(one => valued(one === 'all' || Array.isArray(one) ? one : [one]));
  return Object.entries(targets).flatMap(([text, value]) => (value === undefined ? [] : [{text, value}]));
}

/** A mapping whose settings have several values stands for all of their combinations. */
export function optimizersOf(optimizer: Values['training']['optimizer'][number]): OptimizerSettings[] {
  const {betas: usual, eps: epsilon, momentum: none} = optimizerFields;
  if (typeof optimizer === 'string')
    return [{name: optimizer, betas: [...usual.default], eps: epsilon.default, momentum: none.default}];
  const {name, betas, eps, momentum} = optimizer;
  return betas
    .flatMap(pair =>
      eps.flatMap(one =>
        momentum.map(rest => ({name, betas: [pair[0]!, pair[1]!] as const, eps: one, momentum: rest})),
      ),
    )
    .map(({betas: [first, second], ...rest}) => ({...rest, betas: [first, second]}));
}

/** A value in a word that can stand in tables, files and filters, and tells it from any other. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join('+');
  if (typeof value !== 'object' || value === null) return String(value);
  if ('rankPower' in value && 'factor' in value) return alphaText(value as Alpha);
  if ('prompt' in value) return `prompt-${checksum(String(value.prompt))}`;
  return 'betas' in value ? optimizerText(value as OptimizerSettings) : JSON.stringify(value);
}

/** The same for all ways to write one product: `2*rank`, `rank*sqrt(rank)`. */
function alphaText({factor, rankPower}: Alpha): string {
  const ranks = [...Array<string>(Math.floor(rankPower)).fill('rank'), ...(rankPower % 1 > 0 ? ['sqrt(rank)'] : [])];
  return [...(factor === 1 && ranks.length > 0 ? [] : [String(factor)]), ...ranks].join('*');
}

/** Its name, and what of its settings is not the default: `adamw-betas0.9-0.95`. */
function optimizerText({name, betas, eps, momentum}: OptimizerSettings): string {
  const {betas: usual, eps: epsilon, momentum: none} = optimizerFields;
  const own =
    name === 'sgd'
      ? [momentum === none.default ? '' : `momentum${momentum}`]
      : [
          betas.join() === usual.default.join() ? '' : `betas${betas.join('-')}`,
          eps === epsilon.default ? '' : `eps${eps}`,
        ];
  return [name, ...own.filter(Boolean)].join('-');
}

/** Of a text, in six hexadecimal digits (FNV-1a). */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return (hash >>> 8).toString(16).padStart(6, '0');
}
