import {variantKey} from '../method/method.ts';
import {methods} from '../method/methods.ts';
import {looksOf} from '../run/verdict/words.ts';
import type {SearchSettings, VerdictSettings} from '../search/settings.ts';
import type {AxisValue} from './axes/keys.ts';
import {axesOf, optimizersOf, targetsOf} from './axes/values.ts';
import {withEntries} from './entries.ts';
import {ranksOf} from './ranks.ts';
import {gridPoints} from './rates.ts';
import {optionsOf} from './rules.ts';
import type {
  Alpha,
  CurvatureSettings,
  DataSettings,
  EvaluationSettings,
  MethodSettings,
  Sweep,
  TrainingSettings,
} from './sweep.ts';
import {defaultTemplateDate, nameOf} from './sweep.ts';
import {searchDefaults} from './table/fields.ts';
import {
  type DataSetValues,
  dataSetsOf,
  type Entry,
  methodsOf,
  seedsIn,
  type Values,
  type VariantValues,
} from './table/file-values.ts';
import {formats, placeholders} from './table/formats.ts';

/** Brings the keys of a file without errors together; undefined where a required one is absent. `name` is the default name. */
export function sweepOf(values: Values, name: string): Sweep | undefined {
  const {model: [model] = [], training, evaluate, run, tune} = values;
  const {on_failure: onFailure, ...computing} = run;
  const search = searchOf(values.search);
  const sets = dataSetsOf(values).map(({name, set}) => ({name, ...dataSetOf(set, values)}));
  const data = sets[0]?.data ?? (values.data && dataOf(values.data));
  const entries = methodsOf(values);
  const evaluations = sets[0]?.evaluations ?? evaluate.map(evaluationOf);
  const curvature = values.curvature && curvatureOf(values.curvature);
  if (model === undefined || !data || !allThere(evaluations)) return undefined;
  const targets = targetsIn(values);
  const plain = {model, data, targets, training: trainingOf(training), evaluate: withEntries(evaluations)};
  if (!sets.every(set => set.data && allThere(set.evaluations))) return undefined;
  const {axes, methods: own} = axesOf(values, plain, entries, sets.map(valueOfSet));
  const methods = entries.map((entry, k) => methodOf(entry, values, own[k]!));
  if (!allThere(methods)) return undefined;
  const tuned = tune.filter(key => key !== 'learning_rate');
  return {
    name: values.name ?? name,
    ...plain,
    methods,
    ...(axes && {axes}),
    ...(tuned.length > 0 && {tune: tuned}),
    ...objectiveOf(values.objective),
    ...(curvature && {curvature}),
    ...(search && {search}),
    ...(values.verdict && {verdict: verdictOf(values.verdict, methods)}),
    run: {...computing, onFailure},
  };
}

/** A data set with its evaluations, and those of the file. */
export function dataSetOf(set: DataSetValues, {evaluate}: Pick<Values, 'evaluate'>) {
  return {data: dataOf(set), evaluations: [...set.evaluate, ...evaluate].map(evaluationOf)};
}

/** As an axis holds it. */
function valueOfSet({name, data, evaluations}: ReturnType<typeof dataSetOf> & {name: string}): Omit<AxisValue, 'part'> {
  return {text: name, value: {data, evaluate: withEntries(evaluations.flatMap(one => one ?? []))}};
}

function allThere<T>(list: (T | undefined)[]): list is T[] {
  return !list.includes(undefined);
}

/** The first choice of targets. */
export function targetsIn({targets}: Pick<Values, 'targets'>): Sweep['targets'] {
  return (targetsOf(targets)[0]?.value ?? 'all') as Sweep['targets'];
}

function objectiveOf(objective: Values['objective']): Pick<Sweep, 'objective'> {
  if (objective === undefined) return {};
  const names = typeof objective === 'string' ? [objective] : objective.mean;
  return names ? {objective: names} : {};
}

function methodOf(entry: Entry, values: Values, axes: MethodAxes): MethodSettings | undefined {
  const rates = entry.own.learning_rate ?? values.learning_rate;
  const learningRates = rates && ratesOf(rates);
  return learningRates && methodWith(learningRates, entry, values, axes);
}

/** What axes a method has. */
type MethodAxes = ReturnType<typeof axesOf>['methods'][number];

/** A method with all its settings, at these rates. */
export function methodWith(
  learningRates: number[],
  {name, method, own}: Entry,
  values: Values,
  {alphas, ...axes}: MethodAxes = {},
): MethodSettings {
  const [alpha] = own.alpha ?? values.alpha;
  return {
    method,
    ...(name !== method && {name}),
    learningRates,
    ranks: ranksOf(method, own, values),
    batchSizes: own.batch_size ?? values.batch_size,
    ...seedsIn(own.seeds ?? values.seeds),
    alpha: alphaFor(method, alpha!),
    ...axes,
    ...(alphas && {alphas: alphas.map(one => alphaFor(method, one))}),
    ...(own.iterations !== undefined && {iterations: own.iterations}),
    ...(own.start_from !== undefined && {startFrom: own.start_from}),
    ...ownOptions(method, own),
    ...variantOf(method, own),
  };
}

/** The keys that only some methods have, where any is given or has a default. */
function ownOptions(method: MethodSettings['method'], own: VariantValues): Pick<MethodSettings, 'options'> {
  const options = optionsOf(method, own);
  return Object.keys(options).length > 0 ? {options} : {};
}

/** Which of several published forms of the method is meant, where there are several. */
function variantOf(method: MethodSettings['method'], own: VariantValues): Pick<MethodSettings, 'variant'> {
  const field = methods[method].options?.[variantKey];
  const {[variantKey]: given = field?.default}: Readonly<Record<string, unknown>> = own;
  return field ? {variant: String(given)} : {};
}

/** rsLoRA scales by alpha / sqrt(rank): the same as alpha · sqrt(rank) under LoRA's rule. */
function alphaFor(method: MethodSettings['method'], alpha: Alpha): Alpha {
  const {alphaPower = 0} = methods[method];
  if (alphaPower === 0) return alpha;
  return {...alpha, rankPower: alpha.rankPower + alphaPower, text: `${alpha.text}*${powerText(alphaPower)}`};
}

const powerText = (power: number) => (power === 0.5 ? 'sqrt(rank)' : power === 1 ? 'rank' : `rank^${power}`);

function ratesOf(rates: Exclude<Values['learning_rate'], undefined>): number[] | undefined {
  if (Array.isArray(rates)) return rates.toSorted((a, b) => a - b);
  const {from, to, per_decade} = rates;
  return from === undefined || to === undefined ? undefined : gridPoints({from, to, per_decade});
}

/** Undefined where there is no file, or no template that can be used. */
export function dataOf(data: Exclude<Values['data'], undefined>): DataSettings | undefined {
  const {train, format, rows: [rows] = [], max_length: lengths, packing, shuffle} = data;
  const maxLength = lengths[0]!;
  if (train === undefined) return undefined;
  const template = templateOf(data.template?.[0] ?? (format === 'instruction' ? 'study' : 'plain'));
  if (template === undefined) return undefined;
  const columns: Record<string, string> = {...formats[format].columns};
  for (const [name, column] of Object.entries(data.columns)) if (column !== undefined) columns[name] = column;
  // A prompt that asks for the input means the column of that name.
  const prompts = (data.template ?? []).flatMap(one => (typeof one === 'object' ? (one.prompt ?? []) : []));
  if (prompts.some(prompt => placeholders(prompt).includes('input'))) columns['input'] ??= 'input';
  return {
    train,
    format,
    columns,
    template,
    maxLength,
    shuffle,
    ...(data.template_arguments && {templateArguments: data.template_arguments}),
    ...(data.template_date !== undefined &&
      data.template_date !== defaultTemplateDate && {templateDate: data.template_date}),
    ...(packing && {packing}),
    ...(rows !== undefined && {rows}),
  };
}

function templateOf(
  template: DataSettings['template'] | {prompt: string | undefined},
): DataSettings['template'] | undefined {
  if (typeof template === 'string') return template;
  return template.prompt === undefined ? undefined : {prompt: template.prompt};
}

/** The first value of each key. */
function trainingOf(training: Values['training']): TrainingSettings {
  const {steps: [steps] = [], warmup_steps: [warmupSteps] = []} = training;
  return {
    epochs: training.epochs[0]!,
    ...(steps !== undefined && {steps}),
    optimizer: optimizersOf(training.optimizer[0]!)[0]!,
    weightDecay: training.weight_decay[0]!,
    schedule: training.schedule[0]!,
    warmupRatio: training.warmup_ratio[0]!,
    ...(warmupSteps !== undefined && {warmupSteps}),
    maxGradNorm: training.max_grad_norm[0]!,
    dropout: training.dropout[0]!,
    precision: training.precision[0]!,
    microBatch: training.micro_batch,
    checkpoint: training.checkpoint,
  };
}

/** Undefined where the task or its rows are missing. */
export function evaluationOf(evaluation: Values['evaluate'][number]): EvaluationSettings | undefined {
  const {
    task,
    data,
    columns,
    max_new_tokens: maxNewTokens,
    limit,
    every,
    samples,
    temperature,
    top_p: topP,
    stop,
    k,
    strict,
    filters,
    relative_to: relativeTo,
    scorer,
  } = evaluation;
  if (task === undefined || data === undefined) return undefined;
  return {
    task,
    data,
    ...columnsGiven(columns),
    maxNewTokens,
    ...(samples !== 1 && {samples}),
    ...(k.join() !== '1' && {k}),
    ...(limit !== undefined && {limit}),
    ...(every !== undefined && {every}),
    ...(temperature !== undefined && {temperature}),
    ...(topP !== undefined && {topP}),
    ...(stop !== undefined && {stop}),
    ...(strict && {strict}),
    ...(filters !== undefined && {filters}),
    ...(relativeTo !== undefined && {relativeTo}),
    ...(scorer !== undefined && {scorer}),
  };
}

function columnsGiven(columns: Values['evaluate'][number]['columns']): Pick<EvaluationSettings, 'columns'> {
  const given = Object.entries(columns).flatMap(([name, column]) => (column === undefined ? [] : [[name, column]]));
  return given.length > 0 ? {columns: Object.fromEntries(given)} : {};
}

function verdictOf(
  {margin, baseline, seeds}: Exclude<Values['verdict'], undefined>,
  methods: readonly MethodSettings[],
): VerdictSettings {
  const usual =
    methods.find(one => nameOf(one) === 'lora') ?? methods.find(({method}) => method === 'lora') ?? methods[0];
  const fewest = Math.min(...methods.map(own => own.seeds.length));
  return {
    margin,
    baseline: baseline ?? (usual && nameOf(usual)) ?? 'lora',
    ...(seeds !== undefined && {seeds, looks: looksOf(fewest, seeds)}),
  };
}

/** Undefined where every trial of the grid is trained whole. */
function searchOf(search: Values['search']): SearchSettings | undefined {
  if (typeof search === 'object')
    return {strategy: search.strategy, scan: search.scan, ...(search.start && {start: search.start})};
  return search === 'halving' ? searchDefaults : undefined;
}

function curvatureOf(curvature: Exclude<Values['curvature'], undefined>): CurvatureSettings | undefined {
  const {data, samples, batch_size: batchSize, max_iterations: maxIterations, tolerance, at, full} = curvature;
  const blocks = blocksOf(curvature.blocks);
  if (blocks === undefined) return undefined;
  return {...(data !== undefined && {data}), blocks, samples, batchSize, maxIterations, tolerance, at, full};
}

function blocksOf(blocks: Exclude<Values['curvature'], undefined>['blocks']): CurvatureSettings['blocks'] | undefined {
  if (typeof blocks === 'string' || Array.isArray(blocks)) return blocks;
  const {layers, modules} = blocks;
  return layers === undefined || modules === undefined ? undefined : {layers, modules};
}
