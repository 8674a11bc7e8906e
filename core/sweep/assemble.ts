import {variantKey} from '../method/method.ts';
import {methods} from '../method/methods.ts';
import {looksOf} from '../run/verdict/words.ts';
import type {SearchSettings, VerdictSettings} from '../search/settings.ts';
import {withEntries} from './entries.ts';
import {ranksOf} from './ranks.ts';
import {gridPoints} from './rates.ts';
import {methodsOf, type OwnValues, optionsOf, type Values} from './rules.ts';
import type {
  Alpha,
  CurvatureSettings,
  DataSettings,
  EvaluationSettings,
  MethodSettings,
  OptimizerSettings,
  Sweep,
  TrainingSettings,
} from './sweep.ts';
import {defaultTemplateDate} from './sweep.ts';
import {optimizer as optimizerFields, searchDefaults} from './table/fields.ts';
import {formats, placeholders} from './table/formats.ts';

/** Brings the keys of a file without errors together; undefined where a required one is absent. `name` is the default name. */
export function sweepOf(values: Values, name: string): Sweep | undefined {
  const {model, targets, training, evaluate, run} = values;
  const {on_failure: onFailure, ...computing} = run;
  const search = searchOf(values.search);
  const data = values.data && dataOf(values.data);
  const methods = methodsOf(values).map(({name: method, own}) => methodOf(method, own, values));
  const evaluations = evaluate.map(evaluationOf);
  const curvature = values.curvature && curvatureOf(values.curvature);
  if (model === undefined || !data || !allThere(methods) || !allThere(evaluations)) return undefined;
  return {
    name: values.name ?? name,
    model,
    data,
    methods,
    targets,
    training: trainingOf(training),
    evaluate: withEntries(evaluations),
    ...(curvature && {curvature}),
    ...(search && {search}),
    ...(values.verdict && {verdict: verdictOf(values.verdict, methods)}),
    run: {...computing, onFailure},
  };
}

function allThere<T>(list: (T | undefined)[]): list is T[] {
  return !list.includes(undefined);
}

function methodOf(method: MethodSettings['method'], own: OwnValues, values: Values): MethodSettings | undefined {
  const rates = own.learning_rate ?? values.learning_rate;
  const learningRates = rates && ratesOf(rates);
  return learningRates && methodWith(learningRates, method, own, values);
}

/** A method with all its settings, at these rates. */
export function methodWith(
  learningRates: number[],
  method: MethodSettings['method'],
  own: OwnValues,
  values: Values,
): MethodSettings {
  return {
    method,
    learningRates,
    ranks: ranksOf(method, own, values),
    batchSizes: own.batch_size ?? values.batch_size,
    seeds: own.seeds ?? values.seeds,
    alpha: alphaFor(method, own.alpha ?? values.alpha),
    ...(own.iterations !== undefined && {iterations: own.iterations}),
    ...(own.start_from !== undefined && {startFrom: own.start_from}),
    ...ownOptions(method, own),
    ...variantOf(method, own),
  };
}

/** The keys that only some methods have, where any is given or has a default. */
function ownOptions(method: MethodSettings['method'], own: OwnValues): Pick<MethodSettings, 'options'> {
  const options = optionsOf(method, own);
  return Object.keys(options).length > 0 ? {options} : {};
}

/** Which of several published forms of the method is meant, where there are several. */
function variantOf(method: MethodSettings['method'], own: OwnValues): Pick<MethodSettings, 'variant'> {
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
  const {train, format, rows, max_length: maxLength, packing, shuffle} = data;
  if (train === undefined) return undefined;
  const template = templateOf(data.template ?? (format === 'instruction' ? 'study' : 'plain'));
  if (template === undefined) return undefined;
  const columns: Record<string, string> = {...formats[format].columns};
  for (const [name, column] of Object.entries(data.columns)) if (column !== undefined) columns[name] = column;
  // A prompt that asks for the input means the column of that name.
  if (typeof template === 'object' && placeholders(template.prompt).includes('input')) columns['input'] ??= 'input';
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

function trainingOf(training: Values['training']): TrainingSettings {
  return {
    epochs: training.epochs,
    ...(training.steps !== undefined && {steps: training.steps}),
    optimizer: optimizerOf(training.optimizer),
    weightDecay: training.weight_decay,
    schedule: training.schedule,
    warmupRatio: training.warmup_ratio,
    maxGradNorm: training.max_grad_norm,
    dropout: training.dropout,
    precision: training.precision,
    microBatch: training.micro_batch,
    checkpoint: training.checkpoint,
  };
}

function optimizerOf(optimizer: Values['training']['optimizer']): OptimizerSettings {
  if (typeof optimizer === 'string') {
    const {betas, eps, momentum} = optimizerFields;
    return {name: optimizer, betas: [...betas.default], eps: eps.default, momentum: momentum.default};
  }
  const {name, betas, eps, momentum} = optimizer;
  return {name, betas: [betas[0]!, betas[1]!], eps, momentum};
}

/** Undefined where the task or its rows are missing. */
export function evaluationOf(evaluation: Values['evaluate'][number]): EvaluationSettings | undefined {
  const {
    task,
    data,
    max_new_tokens: maxNewTokens,
    limit,
    every,
    samples,
    temperature,
    top_p: topP,
    stop,
    k,
    strict,
    scorer,
  } = evaluation;
  if (task === undefined || data === undefined) return undefined;
  return {
    task,
    data,
    maxNewTokens,
    ...(samples !== 1 && {samples}),
    ...(k.join() !== '1' && {k}),
    ...(limit !== undefined && {limit}),
    ...(every !== undefined && {every}),
    ...(temperature !== undefined && {temperature}),
    ...(topP !== undefined && {topP}),
    ...(stop !== undefined && {stop}),
    ...(strict && {strict}),
    ...(scorer !== undefined && {scorer}),
  };
}

function verdictOf(
  {margin, baseline, seeds}: Exclude<Values['verdict'], undefined>,
  methods: readonly MethodSettings[],
): VerdictSettings {
  const usual = methods.find(({method}) => method === 'lora') ?? methods[0];
  const fewest = Math.min(...methods.map(own => own.seeds.length));
  return {
    margin,
    baseline: baseline ?? usual?.method ?? 'lora',
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
