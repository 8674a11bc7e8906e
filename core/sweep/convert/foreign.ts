/**
 * THE table of other tools' keys: what each of them means in a sweep. Completion of a slip, fixes that move a key and the
 * conversion of whole files go by it. Sources: transformers' TrainingArguments, PEFT's LoraConfig, TRL's SFTConfig and ModelConfig,
 * and the configuration references of axolotl, LLaMA-Factory, Weights & Biases, unsloth and torchtune.
 */
import {methods} from '../../method/methods.ts';
import type {Free} from '../table/free.ts';

/** What a key with its value means. */
export type Meaning =
  /** A setting of the sweep; the path leads to it. */
  | {path: readonly string[]; value: Free}
  /** Rows of a step: of one device at a time, times so many passes, or in all. */
  | {rows: 'device' | 'passes'; value: Free}
  /** Which method is trained, with settings of its own. */
  | {method: string; settings?: Readonly<Record<string, Free>>}
  /** It moves no number here. */
  | 'nothing'
  /** It has no counterpart: why. */
  | {note: string};

type Reading = (value: Free) => Meaning;

const set =
  (...path: string[]): Reading =>
  value =>
    value === null ? 'nothing' : {path, value};

/** A switch that is off, or a key that is left empty, says nothing. */
const whereOn =
  (on: Meaning | Reading): Reading =>
  value =>
    isOff(value) ? 'nothing' : typeof on === 'function' ? on(value) : on;

const isOff = (value: Free): boolean => value === null || value === false || value === '' || value === 'none';

const never: Reading = () => 'nothing';

const words =
  (path: string[], known: Readonly<Record<string, Free>>, what: string): Reading =>
  value => {
    const meant = known[String(value).toLowerCase()];
    return meant === undefined
      ? {
          note: `${what} ${JSON.stringify(value)} is not here; there are ${[...new Set(Object.values(known))].join(', ')}`,
        }
      : {path, value: meant};
  };

const schedule = words(
  ['training', 'schedule'],
  {
    ...{cosine: 'cosine', cosine_with_warmup: 'cosine', get_cosine_schedule_with_warmup: 'cosine'},
    ...{linear: 'linear', linear_with_warmup: 'linear', get_linear_schedule_with_warmup: 'linear'},
    ...{constant: 'constant', constant_with_warmup: 'constant', get_constant_schedule: 'constant'},
  },
  'the schedule',
);

/** Optimizers that keep their state in fewer bits are AdamW all the same; here the state is in float32. */
const optimizer: Reading = value => {
  const name = String(value).toLowerCase().split('.').at(-1)!;
  if (
    /^(paged_)?adamw?(_(torch|hf|fused|torch_fused|bnb_8bit|8bit|32bit|torch_8bit|torch_4bit))*$/.test(name) ||
    name === 'pagedadamw8bit'
  )
    return name === 'adam'
      ? {note: 'Adam without decoupled weight decay is not here; adamw is the nearest'}
      : {path: ['training', 'optimizer', 'name'], value: 'adamw'};
  if (name === 'sgd') return {path: ['training', 'optimizer', 'name'], value: 'sgd'};
  return {note: `the optimizer ${JSON.stringify(value)} is not here; there are adamw, sgd`};
};

const precision: Reading = value => {
  const name = String(value).toLowerCase().replace('torch.', '');
  if (/^(fp16|float16|half|16-mixed)$/.test(name))
    return {note: 'there is no training in float16; bfloat16 and float32 are here'};
  if (/^(bf16|bfloat16|pure_bf16)$/.test(name)) return {path: ['training', 'precision'], value: 'bfloat16'};
  if (/^(fp32|float32|no)$/.test(name)) return {path: ['training', 'precision'], value: 'float32'};
  return 'nothing';
};

/** torchtune's names of projections. */
const modules: Readonly<Record<string, string>> = {
  output_proj: 'o_proj',
  w1: 'gate_proj',
  w2: 'down_proj',
  w3: 'up_proj',
};

const targets: Reading = value => {
  const list = typeof value === 'string' ? value.split(',').map(word => word.trim()) : value;
  if (!Array.isArray(list)) return 'nothing';
  const names = list.map(String);
  if (names.length === 1 && /^(all|all-linear)$/.test(names[0]!)) return {path: ['targets'], value: 'all'};
  const bad = names.find(name => !/^\w+$/.test(name));
  if (bad !== undefined)
    return {note: `the target ${JSON.stringify(bad)} is a pattern; write names of modules, like q_proj`};
  return {path: ['targets'], value: names.map(name => modules[name] ?? name)};
};

/** How PEFT starts its adapters. */
const start: Reading = value => {
  const word = String(value).toLowerCase();
  const [, niter] = /^pissa_niter_(\d+)$/.exec(word) ?? [];
  if (niter !== undefined) return {method: 'pissa', settings: {iterations: Number(niter)}};
  if (['pissa', 'olora'].includes(word)) return {method: word};
  if (word === 'true' || word === 'kaiming') return 'nothing';
  return {note: `the start ${JSON.stringify(value)} of adapters is not here`};
};

/** What tools call methods that have another name here. */
const otherNames: Readonly<Record<string, string>> = {qlora: 'lora', bone: 'miss', vblora: 'vb-lora'};

const kind: Reading = value => {
  const word = String(value).toLowerCase();
  const method = otherNames[word] ?? word;
  return !Object.hasOwn(methods, method) ? {note: `the method ${JSON.stringify(value)} is not here`} : {method};
};

/** Where it is not positive, epochs count. */
const decreasing = (value: Free): Meaning => (Number(value) > 0 ? {path: ['training', 'steps'], value} : 'nothing');

const clipping: Reading = value =>
  value === null || Number(value) === 0
    ? {path: ['training', 'max_grad_norm'], value: 'off'}
    : {path: ['training', 'max_grad_norm'], value};

const quantised = {note: 'the base is trained as it is stored: nothing is quantised while it is loaded'};

const packing = {
  note: 'rows stand for themselves, and no padding is computed; plain text is packed with `data: {packing: true}`',
};

const data = whereOn(value => ({path: ['data', 'train'], value}));

const table: Readonly<Record<string, Reading>> = {
  // Base model.
  model_name_or_path: set('model'),
  base_model: set('model'),
  base_model_name_or_path: set('model'),
  pretrained_model_name_or_path: set('model'),
  model_name: set('model'),
  model_id: set('model'),
  checkpoint_dir: set('model'),
  // Rows.
  dataset: data,
  dataset_name: data,
  dataset_path: data,
  train_file: data,
  data_path: data,
  max_seq_length: set('data', 'max_length'),
  max_seq_len: set('data', 'max_length'),
  max_length: set('data', 'max_length'),
  cutoff_len: set('data', 'max_length'),
  sequence_len: set('data', 'max_length'),
  model_max_length: set('data', 'max_length'),
  packing: whereOn(packing),
  packed: whereOn(packing),
  sample_packing: whereOn(packing),
  max_samples: set('data', 'rows'),
  // Size of the adapter.
  r: set('rank'),
  lora_r: set('rank'),
  lora_rank: set('rank'),
  lora_alpha: set('alpha'),
  lora_dropout: set('training', 'dropout'),
  dropout: set('training', 'dropout'),
  target_modules: targets,
  lora_target: targets,
  lora_target_modules: targets,
  lora_attn_modules: targets,
  lora_target_linear: whereOn({path: ['targets'], value: 'all'}),
  // Method.
  peft_type: kind,
  adapter: whereOn(kind),
  finetuning_type: kind,
  use_dora: whereOn({method: 'dora'}),
  peft_use_dora: whereOn({method: 'dora'}),
  use_rslora: whereOn({method: 'rslora'}),
  peft_use_rslora: whereOn({method: 'rslora'}),
  init_lora_weights: whereOn(start),
  peft_init_lora_weights: whereOn(start),
  pissa_init: whereOn({method: 'pissa'}),
  pissa_iter: value => (Number(value) > 0 ? {method: 'pissa', settings: {iterations: value}} : 'nothing'),
  loraplus_lr_ratio: whereOn(value => ({method: 'lora', settings: {b_rate_ratio: value}})),
  alpha: set('alpha'),
  rank: set('rank'),
  // Training.
  learning_rate: set('learning_rate'),
  lr: set('learning_rate'),
  batch_size: set('batch_size'),
  num_train_epochs: set('training', 'epochs'),
  num_epochs: set('training', 'epochs'),
  n_epochs: set('training', 'epochs'),
  epochs: set('training', 'epochs'),
  max_steps: decreasing,
  lr_scheduler_type: schedule,
  lr_scheduler: schedule,
  lr_schedule: schedule,
  scheduler: schedule,
  'lr_scheduler._component_': value => schedule(String(value).split('.').at(-1)!),
  warmup_ratio: set('training', 'warmup_ratio'),
  warmup_steps: value => (Number(value) > 0 ? {path: ['training', 'warmup_steps'], value} : 'nothing'),
  num_warmup_steps: value => (Number(value) > 0 ? {path: ['training', 'warmup_steps'], value} : 'nothing'),
  weight_decay: set('training', 'weight_decay'),
  max_grad_norm: clipping,
  gradient_clipping: clipping,
  gradient_clip_val: clipping,
  clip_grad_norm: clipping,
  optim: optimizer,
  optimizer,
  'optimizer._component_': optimizer,
  adam_beta1: set('training', 'optimizer', 'beta1'),
  adam_beta2: set('training', 'optimizer', 'beta2'),
  adam_epsilon: set('training', 'optimizer', 'eps'),
  betas: set('training', 'optimizer', 'betas'),
  eps: set('training', 'optimizer', 'eps'),
  per_device_train_batch_size: value => ({rows: 'device', value}),
  micro_batch_size: value => ({rows: 'device', value}),
  gradient_accumulation_steps: value => ({rows: 'passes', value}),
  seed: value => (value === null ? 'nothing' : {path: ['seeds'], value: [value]}),
  random_state: value => (value === null ? 'nothing' : {path: ['seeds'], value: [value]}),
  bf16: value =>
    value === true || value === 'true' ? {path: ['training', 'precision'], value: 'bfloat16'} : 'nothing',
  fp16: whereOn(value => (value === 'auto' ? 'nothing' : precision('fp16'))),
  dtype: whereOn(precision),
  torch_dtype: whereOn(precision),
  compute_type: whereOn(precision),
  gradient_checkpointing: whereOn({path: ['training', 'checkpoint'], value: true}),
  use_gradient_checkpointing: whereOn({path: ['training', 'checkpoint'], value: true}),
  enable_activation_checkpointing: whereOn({path: ['training', 'checkpoint'], value: true}),
  // What is not here.
  load_in_4bit: whereOn(quantised),
  load_in_8bit: whereOn(quantised),
  quantization_bit: whereOn(quantised),
  neftune_noise_alpha: whereOn({note: 'no noise is added to embeddings'}),
  label_smoothing_factor: value => (Number(value) > 0 ? {note: 'labels are not smoothed'} : 'nothing'),
  modules_to_save: whereOn({note: 'whole modules are not trained beside adapters'}),
  lora_modules_to_save: whereOn({note: 'whole modules are not trained beside adapters'}),
  additional_target: whereOn({note: 'whole modules are not trained beside adapters'}),
  layers_to_transform: whereOn({note: 'every layer gets an adapter'}),
  layers_pattern: whereOn({note: 'every layer gets an adapter'}),
  rank_pattern: value => (isEmpty(value) ? 'nothing' : {note: 'every module has the same rank'}),
  alpha_pattern: value => (isEmpty(value) ? 'nothing' : {note: 'every module has the same alpha'}),
  bias: whereOn({note: 'biases are not trained'}),
  train_on_prompt: whereOn({note: 'prompts are not learnt'}),
  train_on_inputs: whereOn({note: 'prompts are not learnt'}),
  val_size: value => (Number(value) > 0 ? {note: 'evaluations read files of their own: add `evaluate`'} : 'nothing'),
  val_set_size: value =>
    Number(value) > 0 ? {note: 'evaluations read files of their own: add `evaluate`'} : 'nothing',
  deepspeed: whereOn({note: 'trials run side by side, each on one device'}),
  fsdp: whereOn({note: 'trials run side by side, each on one device'}),
  template: whereOn({note: "rows get the model's own chat template with `data: {template: chat}`"}),
  chat_template: whereOn({note: "rows get the model's own chat template with `data: {template: chat}`"}),
  data_seed: whereOn({note: 'write `seeds: {start: [1], order: 42}` for an order of its own'}),
  max_steps_per_epoch: whereOn({note: 'write `training: {steps: …}` for fewer steps than the epochs have'}),
  shuffle: value => (value === false ? {note: 'write `data: {shuffle: false}` for the order of the file'} : 'nothing'),
  model_revision: value =>
    isOff(value) || value === 'main' ? 'nothing' : {note: 'write it behind the id: ORG/NAME@REVISION'},
  // What moves no number.
  fan_in_fan_out: never,
  inference_mode: never,
  task_type: never,
  auto_mapping: never,
  revision: never,
  megatron_config: never,
  lora_bias: whereOn({note: 'biases are not trained'}),
};

function isEmpty(value: Free): boolean {
  return isOff(value) || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
}

/** Of logs, files, places and speed: they move no number. */
const harmless =
  /^(.*\._component_|output_dir|overwrite_.*|cache_.*|logging_.*|log_.*|.*log_every.*|report_to|run_name|save_.*|saves_.*|eval_.*|evals_.*|evaluation_.*|do_(train|eval|predict)|per_device_eval_batch_size|dataloader_.*|preprocessing_.*|dataset_(prepared_path|num_proc|dir|kwargs|split|text_field)|plot_loss|wandb.*|hub_.*|push_to_hub.*|trust_remote_code|flash_att(n|ention)|xformers.*|sdp_.*|attn_implementation|tf32|resume.*|auto_resume.*|local_rank|group_by_length|debug|special_tokens|tokenizer_type|model_type|is_llama.*|strict|stage|ddp_.*|remove_unused_columns|disable_tqdm|num_proc|device|device_map|compile|torch_compile|profiler.*|metric_logger.*|checkpointer.*|loss.*|tokenizer.*|fused|project|entity|name|description|command|run_cap|early_terminate.*|metric.*|program|optim_args|use_liger.*|ignore_index|include_.*|apply_lora_to_output|prompt_.*|conversation_.*|num_workers|temp_dir|keep_.*|base_dir|path|checkpoint_files|recipe_checkpoint|use_peft|pissa_convert|quantization_(method|type)|apply_lora_to_mlp|components?)$/;

/** What a key of another tool means with this value; undefined for one that no tool of the table has. */
export function meaningOf(key: string, value: Free): Meaning | undefined {
  const name = key.toLowerCase().replaceAll('-', '_');
  const reading = Object.hasOwn(table, name) ? table[name] : undefined;
  if (reading) return reading(value);
  return harmless.test(name) || value === null ? 'nothing' : undefined;
}
