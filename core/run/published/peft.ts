/**
 * Results of PEFT's own comparison of methods (github.com/huggingface/peft, method_comparison): a JSON file an experiment, with one rate and
 * one seed.
 */
import {grouped} from '../../grouped.ts';
import {forgettingMetric} from '../peak.ts';
import {methodOf} from './events.ts';
import {type Fields, isRecord, type Results, type SeedValue} from './rows.ts';

export interface PeftFile {
  /** The file's name. */
  name: string;
  document: unknown;
}

/** Whether a document is one of these files. */
export function isPeftResult(document: unknown): document is Fields {
  return isRecord(document) && isRecord(document['run_info']) && isRecord(document['train_info']);
}

/** Each experiment as a variant under a name of its own; what has no result is said. Files of another form are passed over. */
export function peftResults(files: readonly PeftFile[]): Results {
  const remarks: string[] = [];
  const found = files.flatMap(({name, document}) => {
    if (!isPeftResult(document)) return [];
    const read = experimentIn(document);
    if (typeof read !== 'string') return [read];
    remarks.push(`${name} is left out: ${read}.`);
    return [];
  });
  const others = files.filter(({document}) => !isPeftResult(document)).map(({name}) => name);
  if (others.length > 0) remarks.push(`No results of PEFT's comparison, and passed over: ${others.join(', ')}.`);
  const methods = grouped(found, ({values: [value]}) => JSON.stringify([value!.model, value!.method]));
  const values = found.flatMap(({title, values: own}) => {
    const [first] = own;
    const isOnly = methods.get(JSON.stringify([first!.model, first!.method]))!.length === 1;
    return own.map(value => ({...value, variant: isOnly ? value.method : `${value.method} (${title})`}));
  });
  return {values, means: [], blocks: [], remarks};
}

interface Experiment {
  /** What of its name tells it from others of its method. */
  title: string;
  values: SeedValue[];
}

/** Or why it has none. */
function experimentIn(document: Fields): Experiment | string {
  const run = recordIn(document, 'run_info');
  const train = recordIn(run, 'train_config');
  const config = recordIn(run, 'peft_config');
  const {status, metrics} = recordIn(document, 'train_info');
  if (status !== 'success') return `its status is ${JSON.stringify(status ?? null)}`;
  const name = textIn(run, 'experiment_name');
  const learningRate = numberIn(recordIn(train, 'optimizer_kwargs'), 'lr');
  if (name === undefined || learningRate === undefined) return 'it names no experiment or no learning rate';
  const results = testResults(Array.isArray(metrics) ? metrics.filter(isRecord) : []);
  if (results.every(({metric}) => metric === forgettingMetric)) return 'it has no test result';
  const [, title = name] = /^[^/]+\/(.*)$/.exec(name) ?? [];
  const model = textIn(train, 'model_id') ?? '';
  const setting = {
    ...{model, method: methodIn(config, train), learningRate, seed: numberIn(train, 'seed') ?? 0, place: name},
    rank: rankIn(config) ?? null,
    batchSize: numberIn(train, 'batch_size') ?? null,
    alpha: alphaIn(config) ?? 0,
    further: furtherIn(train, config),
  };
  const task = 'gsm8k' in recordIn(recordIn(document, 'meta_info'), 'dataset_info') ? 'gsm8k' : 'test';
  return {
    title: withoutModel(title, model),
    values: results.map(({metric, value}) => ({
      ...setting,
      ...{task: metric === forgettingMetric ? 'wikipedia' : task, metric, value},
    })),
  };
}

/** The last value of every `test …`, and by how much the loss on Wikipedia has grown since before the training. */
function testResults(metrics: readonly Fields[]): {metric: string; value: number}[] {
  const last = new Map<string, number>();
  for (const row of metrics)
    for (const [key, value] of Object.entries(row)) {
      const metric = key === 'forgetting' ? forgettingMetric : key.startsWith('test ') ? key.slice(5) : undefined;
      if (metric !== undefined && typeof value === 'number' && Number.isFinite(value)) last.set(metric, value);
    }
  return [...last].map(([metric, value]) => ({metric, value}));
}

/** Types and options of PEFT's configurations that are methods of their own. */
function methodIn(config: Fields, train: Fields): string {
  const type = textIn(config, 'peft_type');
  if (type === undefined) return 'full';
  const name = type.toLowerCase().replaceAll('_', '-');
  // `bat` and `mini` of MiSS are no MiSS; what others call their starts is theirs to say.
  if (name === 'miss') return [name, ...wordIn(config['init_weights'])].join('-');
  if (name !== 'lora') return methodOf(name);
  return formsOf(config, train).join('+') || name;
}

/**
 * What makes a LoRA another method: its optimizer, its start, `use_dora` and whatever else PEFT has of the kind (`use_bdlora`, `velora_config`),
 * by their names there, so that none passes for LoRA itself.
 */
function formsOf(config: Fields, train: Fields): string[] {
  const optimizer = textIn(train, 'optimizer_type')?.toLowerCase() ?? '';
  const starts = wordIn(config['init_lora_weights']).map(start => start.replace(/-niter-\d+$/, ''));
  const isOn = (value: unknown): boolean => value === true || (isRecord(value) && Object.keys(value).length > 0);
  const options = Object.entries(config).flatMap(([key, value]) => {
    const [, used, configured] = /^(?:use_(.+)|(.+)_config)$/.exec(key) ?? [];
    const form = used ?? configured;
    // A start says itself which of `eva_config`, `loftq_config` counts.
    if (form === undefined || !isOn(value) || (configured !== undefined && startNames.has(form))) return [];
    return [form.replaceAll('_', '-')];
  });
  const others = config['alora_invocation_tokens'] == null ? [] : ['alora'];
  const trained = /^lora-?fa$/.test(optimizer) ? ['lora-fa'] : optimizer === 'lora+' ? ['lora+'] : [];
  return [...new Set([...trained, ...starts, ...options, ...others])];
}

const startNames: ReadonlySet<string> = new Set(['eva', 'corda', 'loftq', 'lora_ga']);

/** A start that has a name. */
function wordIn(start: unknown): string[] {
  if (typeof start !== 'string' || /^(true|false|gaussian)$/i.test(start)) return [];
  return [start.toLowerCase().replaceAll('_', '-')];
}

/** AdaLoRA's `r` is not used, OFT's is a number of blocks. */
function rankIn(config: Fields): number | undefined {
  const type = textIn(config, 'peft_type');
  if (type === 'OFT') return undefined;
  return numberIn(config, type === 'ADALORA' ? 'target_r' : 'r');
}

/** Each type has a spelling of its own, or none. */
function alphaIn(config: Fields): number | undefined {
  const type = textIn(config, 'peft_type')?.toLowerCase();
  return numberIn(config, 'lora_alpha') ?? numberIn(config, `${type}_alpha`) ?? numberIn(config, 'alpha');
}

/** What else an experiment is trained with, by the keys of a sweep file. */
function furtherIn(train: Fields, {target_modules: targets}: Fields): Record<string, string> {
  const optimizer = textIn(train, 'optimizer_type')?.toLowerCase();
  const decay = recordIn(train, 'optimizer_kwargs')['weight_decay'];
  const keys: [string, unknown][] = [
    ['targets', Array.isArray(targets) ? targets.map(String).sort().join(', ') : targets],
    ['training.steps', train['max_steps']],
    ['data.max_length', train['max_seq_length']],
    ['training.optimizer', optimizer],
    // PyTorch's own, where none is given.
    ['training.weight_decay', decay ?? (optimizer === 'adamw' ? 0.01 : undefined)],
    ['training.schedule', train['lr_scheduler']],
    ['training.max_grad_norm', train['grad_norm_clip']],
    ['training.precision', train['dtype']],
  ];
  return Object.fromEntries(
    keys.flatMap(([key, value]) => (['string', 'number'].includes(typeof value) ? [[key, String(value)]] : [])),
  );
}

/** `rank32` of `llama-3.2-3B-rank32`, where the model is called so. */
function withoutModel(title: string, model: string): string {
  const name = model.split('/').at(-1)!.toLowerCase();
  const rest = title.toLowerCase().startsWith(`${name}-`) ? title.slice(name.length + 1) : title;
  return rest || title;
}

function recordIn(fields: Fields, key: string): Fields {
  const value = fields[key];
  return isRecord(value) ? value : {};
}

function textIn(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberIn(fields: Fields, key: string): number | undefined {
  const value = fields[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
