/** Which tool a configuration is of, its settings one after another, and what that tool takes where a setting is absent. */
import type {Free} from '../table/free.ts';

export type Tool = 'Weights & Biases' | 'torchtune' | 'axolotl' | 'LLaMA-Factory' | 'PEFT' | 'unsloth' | 'Hugging Face';

type Config = Readonly<Record<string, Free>>;

/** One setting; of a W&B sweep with what it may be. */
export interface Setting {
  key: string;
  value: Free;
  /** All values that are tried. */
  values?: Free[];
  /** A range that values are drawn from. */
  range?: {min: number; max: number; isLog: boolean};
}

const has = (config: Config, ...keys: string[]): boolean => keys.some(key => Object.hasOwn(config, key));

/** The tool whose keys these are; null where none of a training are among them. */
export function toolOf(config: Config): Tool | null {
  const inner = Object.values(config).filter(isMapping);
  if (isMapping(config['parameters']) && has(config, 'method', 'program', 'metric')) return 'Weights & Biases';
  if (inner.some(one => has(one, '_component_'))) return 'torchtune';
  if (has(config, 'peft_type')) return 'PEFT';
  if (has(config, 'base_model') && has(config, 'datasets', 'sequence_len', 'micro_batch_size', 'adapter'))
    return 'axolotl';
  if (
    has(config, 'finetuning_type', 'cutoff_len', 'lora_target') ||
    (has(config, 'stage') && has(config, 'model_name_or_path'))
  )
    return 'LLaMA-Factory';
  const keys = [...Object.keys(config), ...inner.flatMap(one => Object.keys(one))];
  if (keys.some(key => ['random_state', 'use_gradient_checkpointing'].includes(key))) return 'unsloth';
  const known = [
    'learning_rate',
    'num_train_epochs',
    'per_device_train_batch_size',
    'max_steps',
    'lora_r',
    'lora_alpha',
  ];
  return keys.some(key => known.includes(key)) ? 'Hugging Face' : null;
}

/** The settings, whatever sections they stand in. */
export function settingsOf(config: Config, tool: Tool): Setting[] {
  if (tool === 'Weights & Biases') return sweepParameters(config);
  return flat(config);
}

function flat(config: Config, above = ''): Setting[] {
  return Object.entries(config).flatMap(([key, value]): Setting[] => {
    if (key === '_component_') return [{key: `${above}._component_`, value}];
    if (key === 'datasets' || (key === 'dataset' && isMapping(value)))
      return [datasets(value), ...(isMapping(value) ? flat(withoutPlace(value), key) : [])];
    if (isMapping(value) && !keptWhole.has(key)) return flat(value, key);
    return [{key, value}];
  });
}

const keptWhole: ReadonlySet<string> = new Set(['rank_pattern', 'alpha_pattern', 'loftq_config', 'special_tokens']);

function withoutPlace({
  _component_: _,
  path: __,
  source: ___,
  data_files: ____,
  ...rest
}: {
  [key: string]: Free;
}): Config {
  return rest;
}

/** The first place that rows are read from. */
function datasets(value: Free): Setting {
  const first = Array.isArray(value) ? value[0] : value;
  if (!isMapping(first)) return {key: 'dataset', value: first ?? null};
  return {
    key: 'dataset',
    value: first['data_files'] ?? first['path'] ?? first['source'] ?? first['_component_'] ?? null,
  };
}

function sweepParameters(config: Config): Setting[] {
  const {parameters} = config;
  return Object.entries(isMapping(parameters) ? parameters : {}).flatMap(([key, given]): Setting[] => {
    if (!isMapping(given)) return [{key, value: given}];
    const {parameters: inner, value, values, min, max, distribution = ''} = given;
    if (isMapping(inner)) return sweepParameters({parameters: inner});
    if (Array.isArray(values)) return [{key, value: values[0] ?? null, values}];
    if (typeof min === 'number' && typeof max === 'number') {
      const isExponent = distribution === 'log_uniform';
      const [low, high] = isExponent ? [Math.exp(min), Math.exp(max)] : [min, max];
      return [{key, value: low, range: {min: low, max: high, isLog: String(distribution).includes('log')}}];
    }
    return [{key, value: value ?? null}];
  });
}

/** What the tool takes where a configuration says nothing, as its documentation has it. */
export function defaultsOf(tool: Tool): Setting[] {
  const trainer = {learning_rate: 5e-5, num_train_epochs: 3, lr_scheduler_type: 'linear', seed: 42};
  const own: Record<Tool, Config> = {
    'Hugging Face': {...trainer, per_device_train_batch_size: 8, warmup_steps: 0},
    PEFT: {r: 8, lora_alpha: 8},
    'LLaMA-Factory': {...trainer, per_device_train_batch_size: 8, lora_rank: 8, lora_target: 'all'},
    unsloth: {...trainer, per_device_train_batch_size: 2, lora_target: 'all', random_state: 3407},
    axolotl: {lr_scheduler: 'cosine', seed: 42, num_epochs: 1},
    torchtune: {epochs: 1},
    'Weights & Biases': {},
  };
  return Object.entries(own[tool]).map(([key, value]) => ({key, value}));
}

export function isMapping(value: Free | undefined): value is {[key: string]: Free} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
