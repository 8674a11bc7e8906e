import type {MethodDescription} from '../../method/method.ts';
import {methods as descriptions, type MethodName} from '../../method/methods.ts';
import {type TunableKey, tunableKeys} from '../axes/axes.ts';
import {defaultTemplateDate} from '../sweep.ts';
import type {Choice, Field, Fields, Named, Type} from './field.ts';

/*
 * THE table of the sweep language: every key at every level. Reading, validation, defaults, 'did you mean', completion,
 * hover and the JSON schema all come from here. Defaults are written as a user would write them.
 */

const rate = {kind: 'number', above: 0, atMost: 1_000} as const;
const count = {kind: 'number', integer: true, atLeast: 1, atMost: 1_000_000_000} as const;
const fraction = {kind: 'number', atLeast: 0, below: 1} as const;
const automatic = {kind: 'number', integer: true, atLeast: 1, atMost: 65_536, words: ['auto']} as const;
const files = {kind: 'text', what: 'file'} as const;

/** One value, or a list of values: then each is trained with (core/sweep/axes). */
const axis = <const T extends Type>(of: T) => ({kind: 'list', of, orOne: true, distinct: true}) as const;

/** A grid of learning rates, `from · 10^(k / per_decade)` up to `to`. */
const grid = {
  from: {
    type: rate,
    doc: 'The smallest learning rate of the grid.',
    example: '2e-6',
    required: true,
  },
  to: {
    type: rate,
    doc: 'The largest learning rate of the grid; a point up to 0.1 % above it still belongs to the grid.',
    example: '2e-3',
    required: true,
  },
  per_decade: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 100},
    doc: 'Grid points in each factor of ten. 4 is fine enough to see where a method peaks, and what the study uses.',
    example: '4',
    default: 4,
  },
} as const satisfies Fields;

const seedNumber = {kind: 'number', integer: true, atLeast: 0, atMost: 4_294_967_295} as const;

/** Seeds of what is drawn for a trial, apart from that of the order of its rows. */
const seedsApart = {
  start: {
    type: {kind: 'list', of: seedNumber, orOne: true, distinct: true},
    doc: 'Seeds of the adapter initialisation and the dropout: each is a trial of its own.',
    example: '[1, 2, 3]',
    required: true,
    alsoKnownAs: ['init', 'initialisation', 'initialization'],
  },
  order: {
    type: seedNumber,
    doc: 'Seed of the order of the rows, the same for all trials.',
    example: '42',
    required: true,
    alsoKnownAs: ['data', 'shuffle'],
  },
} as const satisfies Fields;

/** The keys that stand at the top level for all methods, and can be given anew for one method. */
const perMethod = {
  learning_rate: {
    type: {
      kind: 'either',
      options: [
        {kind: 'list', of: rate, orOne: true, distinct: true},
        {kind: 'mapping', keys: grid},
      ],
    },
    doc: 'The peak learning rate of the schedule: a grid `{from, to, per_decade}`, a list, or one number. Each rate is a trial of its own: methods can only be compared fairly when each has a rate near its own best. Required, unless every method gives its own.',
    example: '{from: 2e-5, to: 2e-3, per_decade: 4}',
    alsoKnownAs: ['lr', 'learning_rates', 'rate'],
    study: '4 rates a decade, over 12 or 13 of them, so that every method rises, peaks and falls within the grid.',
    interacts:
      'The best rate rises with the batch size (published for LoRA on gemma-3-1b-pt: 2e-4 at 16, 6.3e-4 at 64, 1.1e-3 at 128) and falls as alpha / rank grows; sharper starts (PiSSA) need smaller rates.',
  },
  rank: {
    type: {
      kind: 'list',
      of: {kind: 'number', integer: true, atLeast: 1, atMost: 65_536},
      orOne: true,
      distinct: true,
    },
    doc: 'Rank r of the update B·A: a number or a list. It cannot be larger than the smaller side of a matrix it is applied to. The study looks at 4 to 256.',
    example: '[8, 128]',
    alsoKnownAs: ['r', 'ranks', 'lora_r'],
    study: '4 to 256; 128 for the main results.',
    interacts:
      'With `alpha: rank` the scale stays 1 and the best rate moves little; with a fixed alpha the scale alpha / rank shrinks as the rank grows, and the best rate rises.',
  },
  alpha: {
    type: axis({kind: 'alpha'}),
    doc: 'The update B·A is scaled by alpha / rank. A number, or a product of numbers, `rank` and `sqrt(rank)`: `rank` is a scale of 1, `2*rank` a scale of 2, `rank*sqrt(rank)` the scale of rsLoRA, `16` a scale that shrinks as the rank grows.',
    example: '2*rank',
    alsoKnownAs: ['lora_alpha', 'scale'],
    study: 'rank, for a scale of 1 in all methods.',
    interacts:
      'Acts much like the learning rate: twice the scale needs about half the rate. Compare methods at the same alpha only.',
  },
  batch_size: {
    type: {
      kind: 'list',
      of: {kind: 'number', integer: true, atLeast: 1, atMost: 65_536},
      orOne: true,
      distinct: true,
    },
    doc: 'Rows of one optimizer step: a number or a list. How many of them are computed at once is decided by `training.micro_batch` and does not change the result.',
    unit: 'rows',
    example: '[16, 64]',
    alsoKnownAs: ['batch', 'batch_sizes', 'per_device_train_batch_size', 'train_batch_size'],
    study: '64 for the main results; 16 to 128 where the batch size itself is studied.',
    interacts:
      'Larger batches have a higher best rate: sweep the rate anew for each batch size. An epoch has fewer steps.',
  },
  seeds: {
    type: {
      kind: 'either',
      options: [
        {kind: 'list', of: seedNumber, orOne: true, distinct: true},
        {kind: 'mapping', keys: seedsApart},
      ],
    },
    doc: 'Seeds of the adapter initialisation, the order of the data and the dropout: a list, or one seed. `seeds: 3` is the one seed 3; three seeds are `[1, 2, 3]`. The spread between seeds tells which differences between methods are real. `{start: [1, 2, 3], order: 42}` keeps the order of the data fixed.',
    example: '[1, 2, 3]',
    alsoKnownAs: ['seed', 'random_seed'],
    study: 'Three runs of every setting; the tables give their mean and standard deviation.',
    interacts: 'Each seed trains every setting again, so that time grows with the number of seeds.',
  },
} as const satisfies Fields;

const column = {kind: 'text', what: 'column'} as const;

const columns = {
  instruction: {
    type: column,
    doc: 'Format instruction: the column with the instruction or question. It carries no loss.',
    example: 'query',
    defaultDoc: 'instruction',
  },
  input: {
    type: column,
    doc: 'Format instruction: the column with further input to the instruction; an empty one leaves that part of the prompt out. Not used unless named.',
    example: 'input',
    defaultDoc: 'none',
  },
  output: {
    type: column,
    doc: 'Format instruction: the column with the answer that is learnt.',
    example: 'response',
    defaultDoc: 'output',
  },
  prompt: {
    type: column,
    doc: 'Format completion: the column with the text that comes first. It carries no loss.',
    example: 'question',
    defaultDoc: 'prompt',
  },
  completion: {
    type: column,
    doc: 'Format completion: the column with the continuation that is learnt.',
    example: 'answer',
    defaultDoc: 'completion',
  },
  messages: {
    type: column,
    doc: 'Format messages: the column with the list of `{role, content}`, or of `{from, value}` as ShareGPT has it. Where neither is named, `conversations` is looked for too.',
    example: 'conversations',
    defaultDoc: 'messages',
  },
  text: {
    type: column,
    doc: 'Format text: the column with the text, all of which is learnt.',
    example: 'story',
    defaultDoc: 'text',
  },
} as const satisfies Fields;

const data = {
  train: {
    type: {kind: 'list', of: files, orOne: true},
    doc: 'The training rows: a .jsonl, .json or .parquet file relative to the sweep file (.jsonl.gz and .json.gz too), or a list of such files, read one after the other.',
    example: 'data/train.jsonl',
    required: true,
    alsoKnownAs: ['file', 'files', 'path', 'training', 'train_file'],
  },
  format: {
    type: {
      kind: 'choice',
      values: {
        instruction: {
          doc: 'Rows with an instruction, perhaps an input, and the output to learn.',
          alsoKnownAs: ['alpaca', 'instruct'],
        },
        completion: {
          doc: 'Rows with a prompt and the completion to learn.',
          alsoKnownAs: ['prompt', 'prompt-completion'],
        },
        messages: {
          doc: "Rows with a list of chat messages `{role, content}` (or ShareGPT's `{from, value}`), written by the model's chat template; the assistant's turns are learnt, with the token that ends each.",
          alsoKnownAs: ['chat', 'conversation', 'sharegpt'],
        },
        text: {doc: 'Rows with plain text, all of which is learnt.', alsoKnownAs: ['plain']},
        tokens: {
          doc: 'Rows `{input_ids, labels}`, already tokenised; a label of -100 carries no loss. Needs no tokenizer.',
          alsoKnownAs: ['tokenized', 'tokenised', 'ids'],
        },
      },
    },
    doc: 'What a row holds, and which part of it is learnt.',
    example: 'completion',
    default: 'instruction',
    alsoKnownAs: ['type'],
  },
  columns: {
    type: {kind: 'mapping', keys: columns},
    doc: 'Which columns of the rows hold what: the names on the left belong to the format (instruction: instruction, input, output; completion: prompt, completion; text: text; messages: messages), those on the right are yours.',
    example: '{instruction: query, output: response}',
    default: {},
    alsoKnownAs: ['fields', 'column'],
  },
  template: {
    type: axis({
      kind: 'either',
      options: [
        {
          kind: 'choice',
          values: {
            study: {
              doc: "The study's prompt: '### Instruction:' and '### Response:' around the row.",
              alsoKnownAs: ['alpaca', 'paper'],
            },
            chat: {
              doc: "The model's own chat template (tokenizer_config.json or chat_template.jinja): the row is the user's question and the assistant's answer. What format messages always has.",
            },
            plain: {doc: 'Nothing around the row.', alsoKnownAs: ['none', 'raw']},
          },
        },
        {
          kind: 'mapping',
          keys: {
            prompt: {
              type: {kind: 'text', what: 'prompt'},
              doc: "Your own prompt, with the row's columns in braces: `{instruction}`, `{input}`, or `{prompt}` for format completion. The answer follows it directly.",
              example: '"Question: {instruction}\\nAnswer: "',
              required: true,
            },
          },
        },
      ],
    }),
    doc: 'The text around a row: `study`, `plain`, or `{prompt: "...{instruction}..."}`; `chat` is the tokenizer\'s chat template.',
    example: 'plain',
    defaultDoc: 'study for format instruction, plain for the others',
    alsoKnownAs: ['prompt', 'prompt_template', 'chat_template'],
  },
  template_arguments: {
    type: {kind: 'free'},
    doc: 'Values that the chat template is given beside the messages, in training and in evaluations, as `apply_chat_template` of transformers takes them: `enable_thinking: false` for Qwen3, for instance. A name that the template does not ask for changes nothing.',
    example: '{enable_thinking: false}',
    defaultDoc: 'none',
    alsoKnownAs: ['chat_template_kwargs', 'template_kwargs', 'chat_template_args'],
    interacts: 'For format messages and `template: chat`.',
  },
  template_date: {
    type: {kind: 'text', what: 'date'},
    doc: "The day that a chat template is told when it asks for the date (`strftime_now`): a fixed one, so that the text that is trained on does not depend on the day. It is 0 o'clock of that day.",
    example: '2024-07-26',
    default: defaultTemplateDate,
    alsoKnownAs: ['date', 'date_string'],
    interacts: 'For format messages and `template: chat`.',
  },
  rows: {
    type: axis(count),
    doc: 'Only the first this many rows are used.',
    unit: 'rows',
    example: '100000',
    defaultDoc: 'all',
    alsoKnownAs: ['limit', 'max_rows', 'max_samples', 'samples'],
  },
  max_length: {
    type: axis({kind: 'number', integer: true, atLeast: 2, atMost: 1_048_576}),
    doc: 'Longer rows are cut, shorter ones padded on the right. Time and memory grow with it.',
    unit: 'tokens',
    example: '1024',
    default: 512,
    alsoKnownAs: ['max_seq_length', 'max_len', 'cutoff_len', 'model_max_length'],
    study: '512 tokens.',
    interacts: 'Activation memory grows with `batch_size` (or `micro_batch`) times max_length.',
  },
  packing: {
    type: {kind: 'flag'},
    doc: 'Format text: true joins all texts, each closed by the end-of-text token, and cuts them into blocks of max_length tokens, so that nothing is padded or cut off (what is left at the end fills no block and is left out); a row is then a block. false: each text is a row of its own.',
    example: 'true',
    default: false,
    alsoKnownAs: ['pack', 'group_texts', 'block_size'],
  },
  shuffle: {
    type: {kind: 'flag'},
    doc: 'true: each seed has its own order of the rows; false: the order of the file, for all seeds.',
    example: 'false',
    default: true,
  },
} as const satisfies Fields;

export const optimizer = {
  name: {
    type: {
      kind: 'choice',
      values: {
        adamw: {doc: 'Adam with decoupled weight decay.', alsoKnownAs: ['adam', 'adamw_torch', 'adamw_hf']},
        sgd: {doc: 'Stochastic gradient descent, with momentum where asked for.'},
      },
    },
    doc: 'The update rule.',
    example: 'adamw',
    default: 'adamw',
    alsoKnownAs: ['type'],
  },
  betas: {
    type: axis({kind: 'list', of: fraction, length: 2}),
    doc: 'AdamW: decay rates of the running means of the gradient and of its square.',
    example: '[0.9, 0.95]',
    default: [0.9, 0.999],
    alsoKnownAs: ['adam_betas'],
  },
  eps: {
    type: axis(rate),
    doc: 'AdamW: added to the root of the second moment.',
    example: '1e-8',
    default: 1e-8,
    alsoKnownAs: ['epsilon', 'adam_epsilon'],
  },
  momentum: {
    type: axis(fraction),
    doc: 'SGD: how much of the last update carries over.',
    example: '0.9',
    default: 0,
  },
} as const satisfies Fields;

const training = {
  epochs: {
    type: axis({kind: 'number', above: 0, atMost: 1_000_000}),
    doc: 'How often the training rows are gone through; parts of an epoch are possible. Not used where `steps` is given.',
    unit: 'epochs',
    example: '3',
    default: 1,
    alsoKnownAs: ['num_train_epochs', 'num_epochs', 'epoch'],
    study: 'One epoch.',
    interacts: 'The warm-up and the schedule stretch with the number of steps.',
  },
  steps: {
    type: axis(count),
    doc: 'Optimizer steps of every trial, in place of `epochs`.',
    unit: 'steps',
    example: '300',
    defaultDoc: 'what the epochs give',
    alsoKnownAs: ['max_steps', 'num_steps', 'iterations'],
  },
  optimizer: {
    type: axis({kind: 'either', options: [optimizer.name.type, {kind: 'mapping', keys: optimizer}]}),
    doc: 'The update rule: `adamw`, `sgd`, or a mapping with its settings.',
    example: '{name: adamw, betas: [0.9, 0.95]}',
    default: 'adamw',
    alsoKnownAs: ['optim'],
    study: 'AdamW with betas 0.9 and 0.999.',
    interacts: 'Known learning-rate ranges are those of AdamW; SGD needs rates of another order.',
  },
  weight_decay: {
    type: axis({kind: 'number', atLeast: 0, atMost: 1_000}),
    doc: 'Decoupled weight decay on every trained tensor: each step first multiplies it by 1 - rate · weight_decay.',
    example: '0.01',
    default: 0,
    alsoKnownAs: ['wd', 'decay'],
    study: '0.',
    interacts: 'Acts through the learning rate: rate · weight_decay is what each step takes away.',
  },
  schedule: {
    type: axis({
      kind: 'choice',
      values: {
        cosine: {doc: 'After the warm-up down to 0 along half a cosine.'},
        linear: {doc: 'After the warm-up down to 0 in a straight line.'},
        constant: {doc: 'Stays at the learning rate after the warm-up.', alsoKnownAs: ['constant_with_warmup', 'none']},
      },
    }),
    doc: 'How the learning rate goes after the warm-up; the rate of every step is the one transformers uses at that step.',
    example: 'linear',
    default: 'cosine',
    alsoKnownAs: ['lr_scheduler_type', 'scheduler', 'lr_scheduler', 'lr_schedule'],
    study: 'Cosine with a warm-up.',
    interacts: 'A constant schedule usually peaks at a lower rate than one that decays.',
  },
  warmup_ratio: {
    type: axis({kind: 'number', atLeast: 0, atMost: 1}),
    doc: 'Share of the steps in which the rate rises from 0 to the learning rate, rounded up to whole steps. The first update of a warm-up has rate 0.',
    example: '0.03',
    default: 0.03,
    alsoKnownAs: ['warmup', 'warm_up'],
    study: '0.03 of the steps.',
    interacts: 'A longer warm-up tolerates higher rates. Not used where `warmup_steps` is given.',
  },
  warmup_steps: {
    type: axis({kind: 'number', integer: true, atLeast: 0, atMost: 1_000_000_000}),
    doc: 'Steps in which the rate rises from 0 to the learning rate, in place of `warmup_ratio`. The first update of a warm-up has rate 0; 0 is no warm-up.',
    unit: 'steps',
    example: '100',
    defaultDoc: 'what `warmup_ratio` gives',
    alsoKnownAs: ['num_warmup_steps', 'warm_up_steps'],
    interacts: 'As many as all steps, or more, and the rate never reaches its peak.',
  },
  max_grad_norm: {
    type: axis({kind: 'number', above: 0, words: ['off']}),
    doc: "The gradient is scaled down where its norm over all of a trial's trained parameters is larger; `off` leaves it as it is.",
    example: '1.0',
    default: 1,
    alsoKnownAs: ['clip', 'grad_clip', 'gradient_clipping', 'max_norm'],
    study: '1.0.',
    interacts:
      'With AdamW clipping hardly changes the size of an update, but it tames single bad batches at high rates.',
  },
  dropout: {
    type: axis(fraction),
    doc: "Probability with which an entry of the adapter's input is dropped while training.",
    example: '0.05',
    default: 0,
    alsoKnownAs: ['lora_dropout'],
    study: '0.',
    interacts:
      'Slows a step down, as updates can no longer be merged into the weights, and what all rows begin with is computed in each of them.',
  },
  precision: {
    type: axis({
      kind: 'choice',
      values: {
        auto: {
          doc: 'As the weights are stored, where the engine has that: bfloat16 on TensorFlow (tfjs-node, tfjs-node-gpu), float32 elsewhere.',
        },
        float32: {doc: 'Everything in single precision.', alsoKnownAs: ['fp32', 'f32', 'float', 'single']},
        bfloat16: {
          doc: 'Base weights in bfloat16, and products of them that add up in float32; norms, softmax, loss, adapters and optimizer stay in float32. Needs TensorFlow: `lora-sweep setup-native`.',
          alsoKnownAs: ['bf16'],
        },
      },
    }),
    doc: 'Precision of the base weights and their products; adapters are always trained in float32. Of several, each has an engine of its own, one after the other.',
    example: 'float32',
    default: ['auto'],
    alsoKnownAs: ['dtype', 'torch_dtype', 'bf16', 'fp16'],
  },
  micro_batch: {
    type: automatic,
    doc: 'Rows computed at once; gradients are accumulated up to `batch_size`. The loss is the mean over all target tokens of the whole batch, so the result does not depend on it.',
    unit: 'rows',
    example: '4',
    default: 'auto',
    alsoKnownAs: ['micro_batch_size', 'gradient_accumulation_steps', 'grad_accum'],
  },
  checkpoint: {
    type: {
      kind: 'either',
      options: [
        {
          kind: 'choice',
          values: {
            auto: {doc: 'Where the rows of a step, or as many workers as wanted, would not fit in memory without.'},
          },
        },
        {kind: 'flag'},
      ],
    },
    doc: 'Memory against time: only the hidden states between layers are kept for the backward pass, which computes everything else of a layer again. The numbers are the same; a step takes about a quarter longer.',
    example: 'true',
    default: 'auto',
    alsoKnownAs: ['gradient_checkpointing', 'activation_checkpointing', 'recompute'],
    interacts: 'Comes before a smaller `micro_batch` and before fewer workers.',
  },
} as const satisfies Fields;

const allTargets = {
  doc: 'The q, k, v, o, gate, up and down projections of every layer.',
  alsoKnownAs: ['all-linear'],
} as const;

/** A key as one method may give it: what it leaves out is as in the file. */
function withoutDefault<F extends Field>({default: _, ...field}: F): Omit<F, 'default'> {
  return field;
}

const {micro_batch: _, checkpoint: __, ...learning} = training;
/** What a variant may have of `training`: all that moves its numbers. */
const ownTraining = Object.fromEntries(
  Object.entries(learning).map(([key, field]) => [key, withoutDefault(field)]),
) as unknown as {[Key in keyof typeof learning]: Omit<(typeof learning)[Key], 'default'>};

/** What a variant may have of its own beside the settings that any method may have: further axes of the file. */
const variantKeys = {
  model: {
    type: axis({kind: 'text', what: 'folder'}),
    doc: 'The base model: a folder in Hugging Face format, relative to the sweep file, or a hub id that is looked up in the local hub cache; or a list of such.',
    example: 'Qwen/Qwen3-0.6B-Base',
    alsoKnownAs: ['base', 'base_model', 'model_name', 'model_name_or_path'],
  },
  targets: {
    type: {
      kind: 'either',
      inWords: 'all, a list of modules like q_proj, a list of such lists, or a mapping of names to such',
      options: [
        {kind: 'choice', values: {all: allTargets}},
        {
          kind: 'list',
          of: {
            kind: 'either',
            options: [
              {kind: 'choice', values: {all: allTargets}},
              {kind: 'text', what: 'module'},
              {kind: 'list', of: {kind: 'text', what: 'module'}, orOne: true, distinct: true},
            ],
          },
          orOne: true,
          distinct: true,
        },
        {
          kind: 'mapping',
          keys: {},
          named: {
            field: {
              type: {
                kind: 'either',
                options: [
                  {kind: 'choice', values: {all: allTargets}},
                  {kind: 'list', of: {kind: 'text', what: 'module'}, orOne: true, distinct: true},
                ],
              },
              doc: 'One choice of targets, under a name of yours.',
              example: '[q_proj, v_proj]',
            },
          },
        },
      ],
    },
    doc: 'Which linear layers get an adapter: `all` (q, k, v, o, gate, up and down projections of every layer) or a list of names. Several choices are compared as a list of lists, `[[q_proj], [q_proj, v_proj]]`, or under names, `{attention: [q_proj, v_proj], all: all}`.',
    example: '[q_proj, v_proj]',
    alsoKnownAs: ['target_modules', 'target', 'modules'],
    study: 'All seven projections of every layer.',
    interacts: 'Fewer targets mean fewer trained numbers; known rates are those of all targets.',
  },
  data: {
    type: {
      kind: 'mapping',
      keys: {rows: data.rows, max_length: withoutDefault(data.max_length), template: data.template},
    },
    doc: 'How much of the rows this one is trained with, where that is its own.',
    example: '{rows: 5000}',
  },
  training: {
    type: {kind: 'mapping', keys: ownTraining},
    doc: 'How this one is trained, where that is its own.',
    example: '{weight_decay: 0.1}',
    alsoKnownAs: ['train', 'training_args', 'trainer'],
  },
} as const satisfies Fields;

/** The settings that a method can have of its own, beside the keys that only it has. */
export const ownSettings = {
  ...perMethod,
  ...variantKeys,
  start_from: {
    type: {kind: 'text', what: 'folder'},
    doc: "A PEFT adapter folder whose A and B (and DoRA's magnitude) are the starting point instead of the drawn or factorised one. What the method then does to the base, subtracting s·B·A of that start, still applies.",
    example: 'adapters/dora-a',
    alsoKnownAs: ['init_from', 'adapter'],
  },
  iterations: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 1000},
    doc: "Power iterations of a fast randomised factorisation of the weights, as PEFT's pissa_niter_16 has 16. Without it the factorisation is exact.",
    example: '16',
    defaultDoc: 'the exact factorisation',
    alsoKnownAs: ['niter', 'n_iter'],
  },
} as const satisfies Fields;

/** Where `seed` is a key of its own, it is no other word for `seeds`. */
const ownSeeds = {seeds: {...perMethod.seeds, alsoKnownAs: ['random_seed']}} as const satisfies Fields;

/** The keys that a sweep file may give to one method. */
function settingsOf({weights, spectrum, options = {}}: MethodDescription): Fields {
  const {learning_rate, batch_size, seeds} = perMethod;
  const {targets: _, ...axes} = variantKeys;
  // Nothing has a rank or targets without an adapter, and the base model is where it starts.
  if (weights) return {learning_rate, batch_size, seeds, ...axes};
  const {iterations, ...settings} = ownSettings;
  const factorised = spectrum === undefined ? settings : {...settings, iterations};
  return {...factorised, ...(Object.hasOwn(options, 'seed') ? ownSeeds : {}), ...options};
}

interface MethodField extends Omit<Field, 'type'> {
  type: {kind: 'mapping'; keys: typeof ownSettings};
}

/** One entry a method, made of its description; the type holds the settings of all, as most methods have them. */
const methods = Object.fromEntries(
  Object.entries(descriptions).map(([name, method]) => {
    const {doc, example, alsoKnownAs} = method;
    return [name, {type: {kind: 'mapping', keys: settingsOf(method)}, doc, example, alsoKnownAs}];
  }),
) as unknown as Readonly<Record<MethodName, MethodField>>;

const variantOf = {
  type: {kind: 'choice', values: descriptions},
  doc: 'The method that this variant is one of; its own settings stand beside it.',
  example: 'lora',
  required: true,
  alsoKnownAs: ['of', 'kind'],
} as const satisfies Field;

/** A method under a name of the user's. */
const variants = {
  mark: 'method',
  field: {
    type: {kind: 'mapping', keys: {method: variantOf, ...ownSettings}},
    doc: 'A method under a name of yours, with settings of its own.',
    example: '{method: lora, targets: [q_proj, v_proj]}',
  },
  by: (word: string): Field | undefined => {
    const method = Object.hasOwn(methods, word) ? methods[word as MethodName] : undefined;
    return method && {...method, type: {kind: 'mapping', keys: {method: variantOf, ...method.type.keys}}};
  },
} as const satisfies Named;

/** Columns of evaluation rows: those of the formats, and those of tasks that have their own. */
const evaluationColumns = {
  ...columns,
  question: {
    type: column,
    doc: 'Tasks gsm8k and multiple-choice: the column with the question.',
    example: 'query',
    defaultDoc: 'question',
  },
  answer: {
    type: column,
    doc: 'Tasks gsm8k, math, multiple-choice and commonsense: the column with the right answer; of multiple-choice its number from 0, its letter, or its text.',
    example: 'target',
    defaultDoc: 'answer',
  },
  choices: {
    type: column,
    doc: 'Task multiple-choice: the column with the list of answers to choose from.',
    example: 'options',
    defaultDoc: 'choices',
  },
  problem: {
    type: column,
    doc: 'Task math: the column with the problem.',
    example: 'question',
    defaultDoc: 'problem',
  },
  solution: {
    type: column,
    doc: 'Task math: the column with the worked solution.',
    example: 'output',
    defaultDoc: 'solution',
  },
} as const satisfies Fields;

const evaluation = {
  task: {
    type: {
      kind: 'choice',
      values: {
        gsm8k: {
          doc: "Grade-school arithmetic (columns question, answer): the number after the last 'The answer is:' or '####' counts, as in the study; without either the last number.",
        },
        math: {
          doc: "Competition mathematics (columns problem, solution, answer): what follows 'The answer is:', else the last boxed answer, is compared by the rules of Hendrycks et al.",
          alsoKnownAs: ['math500', 'math-500'],
        },
        humaneval: {
          doc: 'Python functions to be completed, judged by running their tests in a sandbox: pass@1, or pass@k of several samples. Rows of HumanEval, or of HumanEval+ as the hub has it (evalplus/humanevalplus).',
          alsoKnownAs: ['human-eval'],
        },
        mbpp: {
          doc: 'Short Python programs, judged by running their tests in a sandbox: pass@1, or pass@k of several samples. Rows of MBPP, or of MBPP+ as the hub has it (evalplus/mbppplus).',
        },
        'multiple-choice': {
          doc: 'The likeliest of several given answers: the log-likelihood of each, as in lm-evaluation-harness: accuracy (its acc), accuracy_norm (its acc_norm, a character) and accuracy_token (a token). Rows as BoolQ, PIQA, Social IQa, HellaSwag, WinoGrande, ARC and OpenBookQA are published, or question, choices, answer. Nothing is generated.',
          alsoKnownAs: [
            'multiple_choice',
            'choice',
            'choices',
            'boolq',
            'piqa',
            'siqa',
            'social_iqa',
            'hellaswag',
            'winogrande',
            'arc',
            'arc-challenge',
            'arc-easy',
            'openbookqa',
            'obqa',
            'mmlu',
            'likelihood',
          ],
        },
        commonsense: {
          doc: 'The eight commonsense sets as LLM-Adapters writes them (columns instruction, output, answer): the first of the words true and false, solution1, answer1, ending1 or option1 in the generated answer counts, as in its script and the study.',
          alsoKnownAs: ['llm-adapters', 'commonsense170k', 'commonsense_170k'],
        },
        ifeval: {
          doc: 'Instructions that can be verified (IFEval, columns prompt, instruction_id_list, kwargs): accuracy is the share of prompts of which every instruction is followed, accuracy_instruction that of instructions, both strictly, as the published checker decides. Rows that need a detector of languages or a trained splitter of sentences are left out, and named.',
          alsoKnownAs: ['if-eval', 'instruction-following'],
        },
        custom: {
          doc: 'Your own rule: `scorer` names a JavaScript module that exports `score({row, output})` and returns a number, true or false.',
          alsoKnownAs: ['own', 'script'],
        },
        'exact-match': {
          doc: 'The generated answer is exactly the one of the row.',
          alsoKnownAs: ['exact', 'em', 'accuracy'],
        },
        loss: {doc: 'Mean cross-entropy of the target tokens.', alsoKnownAs: ['perplexity', 'eval_loss']},
      },
    },
    doc: 'What is measured. Of an answer that thinks first, what stands behind its thoughts is judged (behind the last `</think>` or `[/THINK]`); one whose thoughts never end is wrong. `custom` and `strict: true` see the whole answer.',
    example: 'exact-match',
    required: true,
    alsoKnownAs: ['name', 'metric', 'type'],
  },
  data: {
    type: files,
    doc: 'The rows it is measured on, in the format of `data`: a .jsonl, .json or .parquet file relative to the sweep file. Their columns may have other names: `columns`.',
    example: 'data/test.jsonl',
    required: true,
    alsoKnownAs: ['file', 'path', 'test', 'dataset'],
  },
  columns: {
    type: {kind: 'mapping', keys: evaluationColumns},
    doc: 'Which columns of these rows hold what, where they are not called as those of `data.columns`: the names on the left belong to the format of the data (exact-match, loss, custom), or to the task where it has rows of its own (gsm8k: question, answer; math: problem, solution, answer; multiple-choice: question, choices, answer; commonsense: instruction, output, answer). Columns that are not named here are called as under `data.columns`, or as the task has them.',
    example: '{prompt: question, completion: answer}',
    default: {},
    defaultDoc: 'those of `data.columns`, or of the task',
    alsoKnownAs: ['fields', 'column'],
  },
  max_new_tokens: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 1_048_576},
    doc: 'Generation stops after this many tokens, for tasks that generate.',
    unit: 'tokens',
    example: '1024',
    default: 256,
    alsoKnownAs: ['max_tokens', 'max_length'],
  },
  limit: {
    type: count,
    doc: 'Only the first this many rows are used.',
    unit: 'rows',
    example: '200',
    defaultDoc: 'all',
    alsoKnownAs: ['rows', 'max_rows'],
  },
  samples: {
    type: count,
    doc: 'Answers generated for each row; several are drawn at random.',
    example: '20',
    default: 1,
    alsoKnownAs: ['n', 'n_samples', 'num_samples'],
    interacts: 'pass@k needs at least k samples. Several need a temperature above 0, or they would be the same.',
  },
  temperature: {
    type: {kind: 'number', atLeast: 0, atMost: 100},
    doc: 'Divides the logits before a token is drawn; 0 takes the likeliest token always.',
    example: '0.8',
    defaultDoc: '0 for one sample, 1 for several',
    interacts: 'Several samples need one above 0.',
  },
  top_p: {
    type: {kind: 'number', above: 0, atMost: 1},
    doc: 'Tokens are drawn from the likeliest ones that have this much probability together.',
    example: '0.95',
    defaultDoc: '1: from all',
    alsoKnownAs: ['nucleus'],
  },
  stop: {
    type: {kind: 'list', of: {kind: 'text', what: 'stop'}, orOne: true, distinct: true},
    doc: 'An answer ends before this text, or before the first of several; a line break is written "\\n", in double quotes. The tasks humaneval and mbpp also end an answer at `[DONE]`, after which they read nothing.',
    example: '["\\n\\n"]',
    defaultDoc: 'none: an answer goes on to its end-of-text token or `max_new_tokens`',
    alsoKnownAs: ['stop_strings', 'stop_tokens', 'stop_sequences', 'until'],
    interacts: 'Needs the tokenizer, which format tokens does without.',
  },
  k: {
    type: {kind: 'list', of: count, orOne: true, distinct: true},
    doc: 'Which pass@k are computed, for the tasks humaneval and mbpp: the estimate without bias of Chen et al. 2021.',
    example: '[1, 10]',
    default: 1,
    alsoKnownAs: ['pass_at', 'pass@k'],
    interacts: 'Needs at least k samples.',
  },
  strict: {
    type: {kind: 'flag'},
    doc: "For the tasks gsm8k and math. true judges as the study's own script does: only what follows its mark `The answer is: ` counts, and an answer without the mark is wrong. false also reads `####`, boxed answers and, for gsm8k, the last number of a text without a mark.",
    example: 'true',
    default: false,
    alsoKnownAs: ['strict_match', 'strict-match'],
    study: 'true: its numbers are those of its script.',
    interacts: 'Models that were not trained on MetaMathQA hardly write the mark: their score is then near zero.',
  },
  filters: {
    type: {
      kind: 'list',
      of: {
        kind: 'choice',
        values: {
          'strict-match': {
            doc: 'accuracy_strict_match: only what stands behind the first `#### ` counts, as GSM8K writes its answers.',
            alsoKnownAs: ['strict', 'strict_match'],
          },
          'flexible-extract': {
            doc: 'accuracy_flexible_extract: the last number of the answer counts.',
            alsoKnownAs: ['flexible', 'flexible_extract'],
          },
        },
      },
      orOne: true,
      distinct: true,
    },
    doc: "For the task gsm8k: beside `accuracy`, the shares that lm-evaluation-harness's filters find in the same answers, each a metric of its own. `accuracy` decides.",
    example: '[strict-match, flexible-extract]',
    defaultDoc: 'none',
    alsoKnownAs: ['filter', 'filter_list'],
  },
  relative_to: {
    type: {
      kind: 'choice',
      values: {base: {doc: "Less the base model's own loss on the same rows, which is measured once."}},
    },
    doc: 'For the task loss: a second metric `forgetting` says by how much the loss has grown since before the training, on a text that the base knew. Methods are compared in it at the rates that are best by what decides, not at those that forget least.',
    example: 'base',
    defaultDoc: 'the loss alone',
    alsoKnownAs: ['relative', 'forgetting', 'retention', 'baseline'],
  },
  scorer: {
    type: {kind: 'text', what: 'script'},
    doc: 'The JavaScript module of the task custom, relative to the sweep file. It exports `score({row, output})`, which returns a number, true or false, and runs in a process of its own.',
    example: 'score.mjs',
    alsoKnownAs: ['script', 'module'],
  },
  at: {
    type: {kind: 'choice', values: {end: {doc: 'After the last step.'}}},
    doc: 'When it is measured: `end`, which is the default. For more often give `every`.',
    example: 'end',
    default: 'end',
    alsoKnownAs: ['when'],
  },
  every: {
    type: count,
    doc: 'Measure after every this many steps, and at the end.',
    unit: 'steps',
    example: '100',
    defaultDoc: 'at the end only',
    alsoKnownAs: ['eval_steps', 'steps', 'interval'],
  },
} as const satisfies Fields;

const curvature = {
  data: {
    type: files,
    doc: "The rows whose loss is looked at: a .jsonl, .json or .parquet file; the first `samples` rows in the sweep's order of rows.",
    example: 'data/probe.jsonl',
    defaultDoc: 'data.train',
  },
  blocks: {
    type: {
      kind: 'either',
      options: [
        {kind: 'choice', values: {all: {doc: 'Every adapted projection of every layer.'}}},
        {
          kind: 'mapping',
          keys: {
            layers: {
              type: {
                kind: 'list',
                of: {kind: 'number', integer: true, atLeast: 0, atMost: 100_000},
                orOne: true,
                distinct: true,
              },
              doc: 'Numbers of the layers, from 0.',
              example: '[0, 13]',
              required: true,
              alsoKnownAs: ['layer'],
            },
            modules: {
              type: {kind: 'list', of: {kind: 'text', what: 'module'}, orOne: true, distinct: true},
              doc: 'Names of the projections.',
              example: '[q_proj]',
              required: true,
              alsoKnownAs: ['module', 'targets'],
            },
          },
        },
        {kind: 'list', of: {kind: 'text', what: 'module'}, orOne: true, distinct: true},
      ],
    },
    doc: 'The blocks {A, B} whose Hessian is probed: `all`, a list of projections, or `{layers, modules}`.',
    example: '{layers: [0, 13], modules: [q_proj]}',
    default: 'all',
    alsoKnownAs: ['block', 'targets'],
  },
  samples: {
    type: count,
    doc: 'Rows of the loss.',
    unit: 'rows',
    example: '500',
    default: 500,
    alsoKnownAs: ['rows', 'limit'],
  },
  batch_size: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 65_536},
    doc: 'Rows computed at once (more where they are short); does not change the result.',
    unit: 'rows',
    example: '5',
    default: 5,
    alsoKnownAs: ['batch'],
  },
  max_iterations: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 1_000_000},
    doc: 'Most Lanczos iterations a block.',
    example: '300',
    default: 300,
    alsoKnownAs: ['iterations'],
  },
  tolerance: {
    type: rate,
    doc: 'A block is done when its extreme Ritz values change by less than this, and their residuals are small beside them.',
    example: '5e-3',
    default: 5e-3,
    alsoKnownAs: ['tol'],
  },
  at: {
    type: {kind: 'list', of: {kind: 'moment'}, orOne: true, distinct: true},
    doc: 'Points of the training: `start`, `end`, or percentages of the steps.',
    example: '[start, 50%, end]',
    default: ['start'],
    alsoKnownAs: ['when'],
  },
  full: {
    type: {kind: 'flag'},
    doc: 'Also probe the weights themselves, without adapters, for reference.',
    example: 'true',
    default: false,
    alsoKnownAs: ['weights', 'reference'],
  },
} as const satisfies Fields;

/** What `curvature: {}` means, for probing a file that says nothing of it. */
export const curvatureDefaults = {
  blocks: curvature.blocks.default,
  samples: curvature.samples.default,
  batchSize: curvature.batch_size.default,
  maxIterations: curvature.max_iterations.default,
  tolerance: curvature.tolerance.default,
  at: [0],
  full: curvature.full.default,
};

const everyTrial = {
  doc: 'Every trial of the grid is trained to its end.',
  alsoKnownAs: ['full', 'exhaustive'],
} as const;

const halving = {
  doc: 'Every second rate, then those beside the best of them, are trained for a short prefix of their schedule with the first seed; those around the best place go on to the end, step by step uphill, and the best one gets all seeds.',
  alsoKnownAs: ['successive-halving', 'hyperband', 'asha'],
} as const;

const byCurvature = {
  refused: true,
  doc: 'A search by curvature is not built: as measured, the probe predicts the best rate two to three grid points off and costs more than the scan that finds it; take halving.',
} as const;

const search = {
  strategy: {
    type: {kind: 'choice', values: {halving}},
    doc: 'How the rates are searched.',
    example: 'halving',
    default: 'halving',
    alsoKnownAs: ['type', 'name'],
  },
  scan: {
    type: {kind: 'percentage', above: 0, atMost: 50},
    doc: 'The part of its steps that a rate is trained for before one is chosen. At least 12 steps and twice the warm-up, and half of all steps at most. What is trained is not lost: the best rates go on from there.',
    example: '6.25%',
    default: '6.25%',
    alsoKnownAs: ['prefix', 'fraction', 'budget'],
    interacts: 'A longer scan finds the place no better, as measured.',
  },
  start: {
    type: {
      kind: 'choice',
      values: {
        curvature: {
          doc: "LoRA is scanned over all of its rates; every other method only within a decade of what the measured curvature predicts: LoRA's place divided by the method's relative λmax.",
        },
      },
    },
    doc: 'Where the scan looks.',
    example: 'curvature',
    defaultDoc: 'over all rates',
    interacts:
      'Needs a probe at the start (`curvature`) and `lora` among the methods. Where the lowest loss lies at an end of the rates that were scanned, further ones are.',
  },
} as const satisfies Fields;

const verdict = {
  margin: {
    type: {kind: 'percentage', above: 0, atMost: 50},
    doc: "Differences up to this do not matter: a method within it of the baseline is called equivalent, where the seeds allow to say so. `1%` is one point of an accuracy, 1 % of the baseline's loss, and 0.01 of a scorer's score; of imported percentages it is one of them.",
    example: '0.5%',
    default: '1%',
    alsoKnownAs: ['tolerance', 'threshold', 'equivalence_margin'],
    interacts: 'Half the margin needs about four times the seeds.',
  },
  baseline: {
    type: {kind: 'text', what: 'entry'},
    doc: 'The method that all others are compared with: one of `methods`, by its name there.',
    example: 'lora',
    defaultDoc: 'lora, or the first method of a sweep without it',
    alsoKnownAs: ['reference', 'against', 'control'],
  },
  seeds: {
    type: {kind: 'number', integer: true, atLeast: 2, atMost: 1000},
    doc: 'Where the seeds of the file do not give a word for every method, more are trained at the best rates, up to this many for each.',
    example: '8',
    defaultDoc: 'those of the file',
    alsoKnownAs: ['max_seeds', 'most_seeds'],
    interacts:
      'Cannot be less than `seeds`. Words are formed at a few numbers of seeds in between, each with more confidence.',
  },
} as const satisfies Fields;

/** What `search: halving` means. */
export const searchDefaults = {strategy: search.strategy.default, scan: 0.0625};

const run = {
  engine: {
    type: {
      kind: 'choice',
      values: {
        auto: {doc: 'The fastest one this machine has; says which and why.'},
        compiled: {doc: 'A whole step as one graph on onnxruntime.', alsoKnownAs: ['onnx', 'onnxruntime']},
        'tfjs-node-gpu': {
          doc: 'A whole step as one graph on TensorFlow and an NVIDIA GPU; `lora-sweep setup-native --gpu` sets it up.',
          alsoKnownAs: ['gpu', 'cuda'],
        },
        'tfjs-node': {
          doc: 'A whole step as one graph on TensorFlow and the processor, also in bfloat16; `lora-sweep setup-native` sets it up.',
          alsoKnownAs: ['tensorflow', 'tfjs'],
        },
        webgpu: {doc: 'TensorFlow.js on WebGPU.'},
        wasm: {doc: 'TensorFlow.js on WebAssembly.', alsoKnownAs: ['webassembly']},
        cpu: {doc: 'TensorFlow.js in plain JavaScript: slow, runs everywhere.'},
      },
    },
    doc: 'What computes the steps.',
    example: 'compiled',
    default: 'auto',
    alsoKnownAs: ['backend'],
  },
  device: {
    type: {
      kind: 'choice',
      values: {
        auto: {doc: 'A GPU where there is one that is at least twice as fast as the processor, which is measured.'},
        cpu: {doc: 'The processor.'},
        gpu: {
          doc: 'The GPU, of any vendor, through WebGPU (Vulkan, Metal, Direct3D 12): nothing to install but its driver. An error where there is none.',
          alsoKnownAs: ['cuda', 'metal', 'vulkan'],
        },
      },
    },
    doc: 'Where the compiled engine runs.',
    example: 'cpu',
    default: 'auto',
  },
  on_failure: {
    type: {
      kind: 'choice',
      values: {
        continue: {doc: 'The others are trained; `run --resume` tries those again that failed.'},
        stop: {
          doc: 'The run stops with the first trial that fails, and says why; the others are kept in checkpoints for `run --resume`.',
          alsoKnownAs: ['abort', 'fail-fast'],
        },
      },
    },
    doc: 'What becomes of the other trials when one fails. A trial whose loss is no longer finite has diverged, which is a result and no failure.',
    example: 'stop',
    default: 'continue',
    alsoKnownAs: ['on_error', 'fail_fast'],
  },
  workers: {
    type: automatic,
    doc: 'Trials trained side by side over one base in memory; auto is one a core, or one a GPU.',
    example: '2',
    default: 'auto',
    alsoKnownAs: ['threads', 'processes', 'jobs', 'parallel'],
  },
  pack: {
    type: automatic,
    doc: 'Trials on the batch axis of one step; auto is 1 on a CPU, where that is faster, and what memory allows on a GPU.',
    example: '4',
    default: 'auto',
    alsoKnownAs: ['pack_size'],
  },
} as const satisfies Fields;

const evaluations = {
  type: {kind: 'list', of: {kind: 'mapping', keys: evaluation}, orOne: true},
  doc: 'What is measured on each trained model: one task or a list of them.',
  example: '[{task: exact-match, data: data/test.jsonl}]',
  default: [],
  defaultDoc: 'nothing; the training loss is recorded in any case',
  alsoKnownAs: ['evaluation', 'evaluations', 'eval', 'tasks'],
} as const satisfies Field;

/** What one of several data sets may have: those of one, and what is measured of what was trained on it. */
export const dataSet = {...data, evaluate: evaluations} as const satisfies Fields;

/** Several data sets, under names of the user's. */
const dataSets = {
  mark: 'train',
  field: {
    type: {kind: 'mapping', keys: dataSet},
    doc: 'One of several data sets, with the evaluations of what is trained on it.',
    example: '{train: data/math.jsonl, evaluate: {task: math, data: data/test.jsonl}}',
  },
} as const satisfies Named;

/** Axes that a method may take its best of: those that leave it the same comparison. */
const tunable = {
  learning_rate: {doc: 'The learning rate.', alsoKnownAs: ['lr']},
  ...Object.fromEntries(
    tunableKeys.map(key => [key, {doc: `The values of \`${key}\`.`, alsoKnownAs: [key.slice(key.indexOf('.') + 1)]}]),
  ),
} as unknown as Readonly<Record<'learning_rate' | TunableKey, Choice>>;

/** The top level of a sweep file. */
export const fields = {
  name: {
    type: {kind: 'text', what: 'name'},
    doc: 'Name of the sweep and of its run folder.',
    example: 'gsm8k-qwen3',
    defaultDoc: "the file's name without .sweep.yaml",
    alsoKnownAs: ['title'],
  },
  model: {...variantKeys.model, required: true},
  data: {
    type: {kind: 'mapping', keys: data, named: dataSets},
    doc: 'The rows that are learnt and how they become text. Several data sets stand under names of yours, each with evaluations of its own: `{math: {train: a.jsonl, evaluate: […]}, code: {train: b.jsonl}}`; each is a condition.',
    example: '{train: data/train.jsonl, format: completion}',
    required: true,
    alsoKnownAs: ['dataset', 'datasets'],
  },
  methods: {
    type: {
      kind: 'either',
      options: [
        {kind: 'list', of: {kind: 'choice', values: descriptions}, orOne: true, distinct: true},
        {kind: 'mapping', keys: methods, named: variants},
      ],
    },
    doc: 'The LoRA variants that are compared: a list, or a mapping that gives each method its own settings. Under a name of yours and with `method`, a method can stand in it several times: `{lora: {}, lora-attention: {method: lora, targets: [q_proj, v_proj]}}`.',
    example: '[lora, pissa, milora, init-ab, dora]',
    required: true,
    alsoKnownAs: ['method', 'variants', 'adapters', 'peft'],
  },
  targets: {...variantKeys.targets, default: 'all'},
  rank: {
    ...perMethod.rank,
    defaultDoc: '`8`; for VeRA `256`, as its matrices are frozen and only their scalings trained',
  },
  alpha: {...perMethod.alpha, default: 'rank'},
  batch_size: {...perMethod.batch_size, default: 16},
  learning_rate: perMethod.learning_rate,
  seeds: {...perMethod.seeds, default: 1},
  training: {
    type: {kind: 'mapping', keys: training},
    doc: 'How a trial is trained. Any of these keys may be a list: then each value is a condition with a comparison of its own, or, where `tune` names the key, one more thing that each method takes at its best.',
    example: '{steps: 300, schedule: linear}',
    default: {},
    alsoKnownAs: ['train', 'training_args', 'trainer'],
  },
  evaluate: evaluations,
  curvature: {
    type: {kind: 'mapping', keys: curvature},
    doc: 'Largest and smallest Hessian eigenvalue of the blocks {A, B}, by Lanczos iteration.',
    example: '{samples: 500}',
    defaultDoc: 'no probe',
    alsoKnownAs: ['hessian', 'probe', 'sharpness'],
  },
  search: {
    type: {
      kind: 'either',
      options: [
        {kind: 'choice', values: {grid: everyTrial, halving, curvature: byCurvature}},
        {kind: 'mapping', keys: search},
      ],
    },
    doc: 'How the learning rates are searched: `grid`, `halving`, or a mapping with the settings of a search. A search needs an evaluation: the first one decides which rate is best.',
    example: '{strategy: halving, scan: 6.25%}',
    default: 'grid',
    alsoKnownAs: ['strategy', 'tuner'],
    study: 'The whole grid.',
    interacts:
      'Needs at least 4 learning rates a method. It pays with many rates and seeds: of 12 rates and 3 seeds it trains about 14 % of the steps, at 3 values of a further tuned axis about 10 %, as the best of them alone gets all seeds.',
  },
  tune: {
    type: {kind: 'list', of: {kind: 'choice', values: tunable}, orOne: true, distinct: true},
    doc: 'The axes over which each method takes its own best: it is compared at its best place of their product. Every other key with several values is a condition: each of its values has a comparison of its own.',
    example: '[learning_rate, training.weight_decay]',
    default: ['learning_rate'],
    alsoKnownAs: ['tuned', 'tune_over', 'hyperparameters'],
    study: 'The learning rate.',
    interacts: 'Each tuned axis multiplies the trials, and gives every method more chances of a lucky one.',
  },
  objective: {
    type: {
      kind: 'either',
      options: [
        {kind: 'text', what: 'entry'},
        {
          kind: 'mapping',
          keys: {
            mean: {
              type: {kind: 'list', of: {kind: 'text', what: 'entry'}, distinct: true},
              doc: 'Evaluations whose mean, trial by trial, decides.',
              example: '[gsm8k, math]',
              required: true,
              alsoKnownAs: ['average', 'of'],
            },
          },
        },
      ],
    },
    doc: 'Which evaluation decides what is best: the task of one, or `{mean: [gsm8k, math]}` for the mean of several, trial by trial. Its comparison stands first; the others stay.',
    example: 'gsm8k',
    defaultDoc: 'the first evaluation',
    alsoKnownAs: ['goal', 'target_metric', 'metric_for_best_model'],
  },
  verdict: {
    type: {kind: 'mapping', keys: verdict},
    doc: 'When methods count as better, worse or equivalent, and how many seeds that may take.',
    example: '{margin: 1%, baseline: lora, seeds: 8}',
    defaultDoc: 'a margin of 1 %, against lora, with the seeds of the file',
    alsoKnownAs: ['compare', 'comparison', 'significance'],
    study: 'No test: means and standard deviations of three seeds.',
  },
  run: {
    type: {kind: 'mapping', keys: run},
    doc: 'What the work runs on; it does not change the results beyond rounding.',
    example: '{engine: compiled, workers: 2}',
    default: {},
    alsoKnownAs: ['runtime', 'compute'],
  },
} as const satisfies Fields;

/** What a key path of a file leads to: the field of its last key, and the types its value can have. */
function follow(path: readonly (string | number)[]): {field: Field | undefined; types: readonly Type[]} {
  let types: readonly Type[] = [{kind: 'mapping', keys: fields}];
  let field: Field | undefined;
  for (const key of path) {
    const open = openTypes(types);
    const items = open.flatMap(type => (type.kind === 'list' ? [type.of] : []));
    if (typeof key === 'number') {
      types = items;
    } else {
      // A lone mapping may stand where a list of mappings is meant.
      const keys = [...open, ...openTypes(items)].flatMap(type =>
        type.kind !== 'mapping' ? [] : Object.hasOwn(type.keys, key) ? [type.keys[key]!] : (type.named?.field ?? []),
      );
      field = keys[0];
      types = keys.map(found => found.type);
    }
    if (types.length === 0) return {field: undefined, types};
  }
  return {field, types: openTypes(types)};
}

function openTypes(types: readonly Type[]): Type[] {
  return types.flatMap(type => (type.kind === 'either' ? openTypes(type.options) : [type]));
}

/** The field that a key path of a file leads to, through lists and mappings; undefined where the table has none. */
export function fieldAt(path: readonly (string | number)[]): Field | undefined {
  return follow(path).field;
}

/** The types that the value of a key path can have, alternatives side by side; none where the table does not know the path. */
export function typesAt(path: readonly (string | number)[]): readonly Type[] {
  return follow(path).types;
}

/** Every key path of the table, without list positions: `['training', 'epochs']`. */
export function* keyPaths(keys: Fields = fields, above: string[] = []): Generator<string[]> {
  for (const [name, {type}] of Object.entries(keys)) {
    const path = [...above, name];
    yield path;
    yield* pathsWithin(type, path);
  }
}

function* pathsWithin(type: Type, path: string[]): Generator<string[]> {
  if (type.kind === 'mapping') yield* keyPaths(type.keys, path);
  else if (type.kind === 'list') yield* pathsWithin(type.of, path);
  else if (type.kind === 'either') for (const option of type.options) yield* pathsWithin(option, path);
}
